"""Statements on sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.sessions.domain.pair import Pair
from services.sessions.domain.session import Booking, Claim, Session, Slot, State
from services.sessions.queries.sweeps import Swept
from shared.ids import PairId, PersonId, SessionId, TenantId
from shared.postgres.pool import Connection

# Name and type of each column, in the order of `_row`.
_TYPES = {
    "tenant": "text",
    "session_id": "uuid",
    "pair_id": "uuid",
    "scheduled_by": "text",
    "starts_at": "timestamptz",
    "ends_at": "timestamptz",
    "duration_minutes": "int",
    "sweep_at": "timestamptz",
    "state": "text",
    "revision": "int",
    "confirmed_by": "text",
    "missed_by": "text",
    "channel": "text",
    "series_id": "uuid",
    "allowed_by": "text",
    "broken_term": "text",
    "sequence": "int",
    "claimed_by": "text",
    "accused": "text",
    "claimed_at": "timestamptz",
    "confirm_until": "timestamptz",
    "in_outage": "boolean",
    "disputed_at": "timestamptz",
}
# What stays as it was when it was scheduled.
_FIXED = {"tenant", "session_id", "pair_id", "scheduled_by", "series_id"}
_COLUMNS = ", ".join(_TYPES)
_ARRAYS = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(_TYPES.values(), 1))
# unnest flattens arrays of arrays, so these two come as text; a person's id needs no quotes.
_SELECTED = ", ".join(
    f"{name}::text[]" if name in ("confirmed_by", "missed_by") else name for name in _TYPES
)
# Word for word as in the index on what is due.
_ONGOING = "state IN ('scheduled', 'claimed', 'disputed')"
_LONGEST = timedelta(days=1)

_FIND = f"SELECT {_COLUMNS} FROM session WHERE tenant = $1 AND session_id = $2"
# One lock for each person: who takes a time for them waits here, in whichever pair. In the order of
# the keys, so that no two wait for each other. Advisory locks are the whole database's; the
# schema's name tells ours from a neighbour's.
_HOLD = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT hashtextextended(current_schema() || '.times.' || $1 || '/' || person, 0) AS key
        FROM unnest($2::text[]) AS person ORDER BY key
    ) AS keys
"""
_TAKEN = """
    SELECT session_id, pair_id, starts_at, duration_minutes FROM session
    WHERE tenant = $1 AND pair_id = ANY (ARRAY(
            SELECT pair_id FROM pair
            WHERE tenant = $1 AND (mentor_id = ANY ($2::text[]) OR mentee_id = ANY ($2::text[]))
          ))
      AND starts_at > $3 AND ends_at > $4
      AND state IN ('scheduled', 'claimed', 'disputed', 'held')
"""
_NEXT = f"""
    SELECT {_COLUMNS} FROM session
    WHERE tenant = $1 AND pair_id = $2 AND state = 'scheduled' AND starts_at > $3
    ORDER BY starts_at LIMIT 1
"""
_TO_CONFIRM = f"""
    SELECT {_COLUMNS} FROM session
    WHERE tenant = $1 AND pair_id = $2 AND state = 'scheduled' AND starts_at <= $3
      AND sweep_at > $3 AND NOT confirmed_by @> ARRAY[$4::text]
    ORDER BY starts_at LIMIT $5
"""
_PAGE = f"""
    SELECT {_COLUMNS} FROM session
    WHERE tenant = $1 AND pair_id = $2 AND ($3::text IS NULL OR state = $3)
      AND ($4::timestamptz IS NULL OR (starts_at, session_id) > ($4, $5::uuid))
    ORDER BY starts_at, session_id LIMIT $6
"""
_OF_SERIES = f"""
    SELECT {_COLUMNS} FROM session
    WHERE tenant = $1 AND series_id = $2 ORDER BY starts_at, session_id
"""
_DISPUTED = """
    SELECT session_id, session.pair_id, disputed_at FROM session JOIN pair USING (tenant, pair_id)
    WHERE tenant = $1 AND state = 'disputed' AND $2 NOT IN (mentor_id, mentee_id)
    ORDER BY disputed_at, session_id LIMIT $3
"""
_SAVE = f"""
    INSERT INTO session ({_COLUMNS})
    SELECT {_SELECTED} FROM unnest({_ARRAYS}) AS row({_COLUMNS})
    ON CONFLICT (tenant, session_id) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in _TYPES if name not in _FIXED)}
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A time that somebody meets at, and in which pair."""

    session_id: SessionId
    pair_id: PairId
    slot: Slot


class After(NamedTuple):
    """The last session of the page before."""

    starts_at: datetime
    session_id: UUID


class Disputed(NamedTuple):
    """A session about which the two sides disagree."""

    session_id: SessionId
    pair_id: PairId
    since: datetime


async def find(conn: Connection, tenant: TenantId, session_id: UUID) -> Session | None:
    row = await conn.fetchrow(_FIND, tenant, session_id)
    return session_of(row) if row else None


async def hold_times(conn: Connection, pair: Pair) -> None:
    """Let nobody else take a time of the two, in any pair of theirs, until the transaction ends.

    The pair's row is locked before, so who waits here holds up nothing but their own pair.
    """
    await conn.execute(_HOLD, pair.tenant, pair.members)


async def taken(conn: Connection, pair: Pair, now: datetime) -> Sequence[Taken]:
    """When one of the two is to meet somebody, or meets them now, in any pair."""
    rows = await conn.fetch(_TAKEN, pair.tenant, pair.members, now - _LONGEST, now)
    return [
        Taken(
            SessionId(row["session_id"]),
            PairId(row["pair_id"]),
            Slot(row["starts_at"], row["duration_minutes"]),
        )
        for row in rows
    ]


async def upcoming(conn: Connection, pair: Pair, now: datetime) -> Session | None:
    """The next session of the pair."""
    row = await conn.fetchrow(_NEXT, pair.tenant, pair.pair_id, now)
    return session_of(row) if row else None


async def to_confirm(
    conn: Connection, pair: Pair, person: PersonId, now: datetime, limit: int
) -> Sequence[Session]:
    """Sessions that have started and wait for `person` to say that they took place."""
    rows = await conn.fetch(_TO_CONFIRM, pair.tenant, pair.pair_id, now, person, limit)
    return [session_of(row) for row in rows]


async def page(
    conn: Connection, pair: Pair, state: State | None, after: After | None, limit: int
) -> Sequence[Session]:
    """A pair's sessions by their start, after the last of the page before. State None is any."""
    at, id_ = after or (None, None)
    rows = await conn.fetch(_PAGE, pair.tenant, pair.pair_id, state, at, id_, limit)
    return [session_of(row) for row in rows]


async def of_series(conn: Connection, tenant: TenantId, series_id: UUID) -> Sequence[Session]:
    """The sessions that were booked together, by their start."""
    return [session_of(row) for row in await conn.fetch(_OF_SERIES, tenant, series_id)]


async def disputed(
    conn: Connection, tenant: TenantId, judge: PersonId, limit: int
) -> Sequence[Disputed]:
    """What two sides cannot settle and `judge`, who is neither, could; the longest first."""
    rows = await conn.fetch(_DISPUTED, tenant, judge, limit)
    return [
        Disputed(SessionId(row["session_id"]), PairId(row["pair_id"]), row["disputed_at"])
        for row in rows
    ]


async def save(conn: Connection, sessions: Sequence[Session]) -> None:
    """Insert sessions, or write what became of them."""
    if not sessions:
        return
    await conn.execute(_SAVE, *zip(*map(_row, sessions), strict=True))


def session_of(row: asyncpg.Record) -> Session:
    """The session in a row that holds the session's columns."""
    return Session(
        tenant=TenantId(row["tenant"]),
        pair_id=PairId(row["pair_id"]),
        session_id=SessionId(row["session_id"]),
        scheduled_by=PersonId(row["scheduled_by"]),
        slot=Slot(row["starts_at"], row["duration_minutes"]),
        sweep_at=row["sweep_at"],
        confirmed_by=tuple(PersonId(person) for person in row["confirmed_by"]),
        state=row["state"],
        revision=row["revision"],
        booking=Booking(row["channel"], row["series_id"], row["allowed_by"], row["broken_term"]),
        sequence=row["sequence"],
        claim=_claim(row) if row["claimed_at"] is not None else None,
        missed_by=tuple(PersonId(person) for person in row["missed_by"]),
    )


def _claim(row: asyncpg.Record) -> Claim:
    return Claim(
        PersonId(row["claimed_by"]),
        PersonId(row["accused"]),
        row["claimed_at"],
        row["confirm_until"],
        row["in_outage"],
        row["disputed_at"],
    )


def _row(session: Session) -> tuple[object, ...]:
    slot, booking, claim = session.slot, session.booking, session.claim
    return (
        session.tenant,
        session.session_id,
        session.pair_id,
        session.scheduled_by,
        slot.starts_at,
        slot.ends_at,
        slot.duration_minutes,
        session.sweep_at,
        session.state,
        session.revision,
        f"{{{','.join(session.confirmed_by)}}}",
        f"{{{','.join(session.missed_by)}}}",
        booking.channel,
        booking.series_id,
        booking.allowed_by,
        booking.term,
        session.sequence,
        *(
            (claim.by, claim.accused, claim.at, claim.confirm_until)
            if claim
            else (None, None, None, None)
        ),
        claim.outage if claim else False,
        claim.disputed_at if claim else None,
    )


# What the sweeper looks at. A claim's clock runs from the claim on, a dispute's from the dispute.
SWEPT = Swept(
    "session",
    _ONGOING,
    session_of,
    past="coalesce(disputed_at, claimed_at, ends_at)",
    also=("confirm_until",),
)
