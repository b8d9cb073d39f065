"""Retries of creating requests: the same key from the same person creates once.

Called with the row held that the request is about, so two about one thing come one after the other.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from shared.asking import Ask
from shared.errors import Conflict
from shared.postgres import requests
from shared.postgres.pool import Connection
from shared.postgres.requests import Seen

# How long a retry is recognised; the sweeper forgets what is older.
REMEMBERED = timedelta(days=7)


class KeyReused(Conflict):
    """This Idempotency-Key was used for a different request."""

    slug = "key-reused"


def fingerprint_of(*parts: object) -> str:
    """What tells one request from another. A digest: what was asked is not kept a second time."""
    return sha256("\x1f".join(map(repr, parts)).encode()).hexdigest()


async def hold(conn: Connection, ask: Ask) -> None:
    """Where there is nothing yet to hold, hold the key: its retries wait until the commit."""
    if ask.key is not None:
        await requests.hold(conn, ask.tenant, ask.person, ask.key)


async def earlier(conn: Connection, ask: Ask, fingerprint: str) -> str | None:
    """The id of what this request created before, or None. Raises KeyReused."""
    if ask.key is None:
        return None
    seen = await requests.find(conn, ask.tenant, ask.person, ask.key)
    if seen is None:
        return None
    if seen.fingerprint != fingerprint:
        raise KeyReused
    return seen.created


async def remember(conn: Connection, ask: Ask, fingerprint: str, created: str) -> None:
    """Remember what this request created. Raises KeyReused when another request took the key."""
    if ask.key is None:
        return
    seen = Seen(fingerprint, created)
    if not await requests.save(conn, ask.tenant, ask.person, ask.key, seen, ask.now):
        raise KeyReused
