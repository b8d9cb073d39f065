"""The rules of sessions: frozen values and pure functions. Never awaits, never asks the time."""
