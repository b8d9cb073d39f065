"""Postgres as every service uses it: pool, migrations, outbox, inbox. No service's own SQL."""
