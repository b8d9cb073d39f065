"""The address of a person's calendar, and what is there. The address is known to its owner alone.

Whoever asks for a calendar shows nothing but the secret: it names its tenant, so that it is looked
up among that tenant's rows and no others, and what follows is 256 bits of chance.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from services.sessions.calendar_feed import render
from services.sessions.queries import calendar, erasure, leaves, pairs
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for

SECRET_BYTES = 32
PAST, AHEAD = timedelta(days=90), timedelta(days=366)
MAX_PAIRS = 100
MAX_ENTRIES = 2_000

_SECRET = re.compile(r"(?P<tenant>[A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_-]{43}")


async def open_address(pool: Pool, ask: Ask) -> str:
    """A new secret for the person's calendar; the one before opens nothing from now on.

    It is told this once, and cannot be looked up: only its digest is kept. Raises NotFound for who
    was erased.
    """
    secret = f"{ask.tenant}.{token_urlsafe(SECRET_BYTES)}"
    async with acting_for(pool, ask.tenant) as conn:
        await leaves.hold(conn, ask.tenant, ask.person)
        if await erasure.is_erased(conn, ask.tenant, ask.person):
            raise NotFound
        await calendar.save(conn, ask.tenant, ask.person, _digest(secret), ask.now)
    return secret


async def close_address(pool: Pool, ask: Ask) -> None:
    """From now on nothing opens the person's calendar."""
    async with acting_for(pool, ask.tenant) as conn:
        await calendar.forget(conn, ask.tenant, ask.person)


async def since(pool: Pool, ask: Ask) -> datetime | None:
    """Since when the person's calendar has its address; None when it has none."""
    async with reading_for(pool, ask.tenant) as conn:
        return await calendar.since(conn, ask.tenant, ask.person)


async def read(pool: Pool, secret: str, now: datetime) -> bytes:
    """The calendar that the secret opens. Raises NotFound, the same for whatever is wrong with it.

    It holds the sessions of all the person's pairs from 90 days ago to a year ahead, and the
    promises of their own that are open.
    """
    match = _SECRET.fullmatch(secret)
    if match is None:
        raise NotFound
    tenant = TenantId(match["tenant"])
    async with reading_for(pool, tenant) as conn:
        person = await calendar.owner(conn, tenant, _digest(secret))
        if person is None:
            raise NotFound
        theirs = await pairs.of_person(conn, tenant, person, MAX_PAIRS)
        between = (now - PAST, now + AHEAD)
        meetings = await calendar.meetings(conn, theirs, person, between, MAX_ENTRIES)
        promises = await calendar.promises(conn, theirs, person, now + 2 * AHEAD, MAX_ENTRIES)
    zone = theirs[0].member(person).zone if theirs else "UTC"
    return render(meetings, promises, zone)


def _digest(secret: str) -> bytes:
    # No salt and no slow hash: there is nothing to guess in 256 bits of chance.
    return sha256(secret.encode()).digest()
