"""Notifications: what was said to whom, when and why. Imports no other service."""
