"""A real Kafka and a real Postgres on any machine, without Docker or root. Knows no service."""
