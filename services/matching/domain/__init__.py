"""Matching's rules: frozen values and pure functions. No I/O, no clock, never awaits."""
