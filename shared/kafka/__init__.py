"""Kafka as every service uses it: delivery, dead letters, producer, topics. No service's rules."""
