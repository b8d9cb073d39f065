"""Faults on the real broker and database. Each guarantee has a test that fails without it."""
