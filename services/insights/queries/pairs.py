"""Pairs: who they are, the packed state, and the lock that puts their evidence in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from services.insights.domain.projections import Subject
from services.insights.queries import locks
from shared.ids import PairId, PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

Status = Literal["unknown", "active", "ended"]
PairOf = tuple[TenantId, PairId]

# Only pairs that are not there: an upsert would draw a number for each one that is. In one order
# for everybody, before any row lock is taken: two workers then never wait for each other.
_ADD_PAIRS = """
    INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id)
    SELECT asked.* FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
           AS asked (tenant, pair_id, mentor_id, mentee_id)
    WHERE NOT EXISTS (SELECT FROM pair p
                      WHERE p.tenant = asked.tenant AND p.pair_id = asked.pair_id)
    ORDER BY tenant COLLATE "C", pair_id
    ON CONFLICT (tenant, pair_id) DO NOTHING
"""
# Facts of one pair come from two topics, so perhaps to two workers at once.
_LOCK_PAIRS = """
    SELECT p.tenant, p.pair_id, p.pair_key, p.state
    FROM unnest($1::text[], $2::uuid[]) AS asked (tenant, pair_id)
    JOIN pair p ON p.tenant = asked.tenant AND p.pair_id = asked.pair_id
    ORDER BY p.pair_key FOR UPDATE OF p
"""
# Streams of one programme have to learn that a pair is of it.
_STARTED = """
    WITH begun AS (
        UPDATE pair SET programme_id = seen.programme_id, started_at = seen.at
        FROM unnest($1::bigint[], $2::text[], $3::timestamptz[])
             AS seen (pair_key, programme_id, at)
        WHERE pair.pair_key = seen.pair_key AND pair.started_at IS NULL
        RETURNING pair.pair_key, pair.tenant, pair.state)
    INSERT INTO dirty_pair (pair_key, tenant)
    SELECT pair_key, tenant FROM begun WHERE state IS NOT NULL
"""
_ENDED = """
    UPDATE pair SET ended_at = seen.at
    FROM unnest($1::bigint[], $2::timestamptz[]) AS seen (pair_key, at)
    WHERE pair.pair_key = seen.pair_key AND pair.ended_at IS NULL
"""
_SAVE_STATES = """
    UPDATE pair SET state = new.state
    FROM unnest($1::bigint[], $2::bytea[]) AS new (pair_key, state)
    WHERE pair.pair_key = new.pair_key
"""
_MARK_DIRTY = """
    INSERT INTO dirty_pair (pair_key, tenant)
    SELECT * FROM unnest($1::bigint[], $2::text[])
"""
PAIR_COLUMNS = """p.pair_key, p.tenant, p.pair_id, p.mentor_id, p.mentee_id, p.programme_id,
    p.started_at, p.ended_at, p.state"""
_PAIR = f"SELECT {PAIR_COLUMNS} FROM pair p WHERE p.tenant = $1 AND p.pair_id = $2"
_PAIRS_PAGE = f"""
    SELECT {PAIR_COLUMNS} FROM pair p
    WHERE p.tenant = $1 AND p.state IS NOT NULL AND ($2::uuid IS NULL OR p.pair_id > $2)
    ORDER BY p.pair_id LIMIT $3
"""


class LockedPair(NamedTuple):
    """A pair that this transaction may change. `state` is None before its first evidence.

    `new` is whether it was not there when it was first asked for.
    """

    key: int
    tenant: TenantId
    state: bytes | None
    new: bool = False


class Started(NamedTuple):
    """The start of a pair, as matching told it."""

    programme_id: ProgrammeId
    at: datetime


class PairRow(NamedTuple):
    """A pair as it is stored."""

    key: int
    tenant: TenantId
    subject: Subject
    programme_id: ProgrammeId | None
    started_at: datetime | None
    ended_at: datetime | None
    state: bytes | None
    surfaced: int = 0

    @property
    def status(self) -> Status:
        if self.ended_at is not None:
            return "ended"
        return "active" if self.started_at is not None else "unknown"


class _NotAllThere(Exception):
    """Some pairs have to be added first."""


async def lock_pairs(
    conn: Connection, members: Mapping[PairOf, tuple[PersonId, PersonId]]
) -> dict[PairOf, LockedPair]:
    """Lock pairs, made first where they are new; each with its mentor and its mentee."""
    asked = [(*of, *who) for of, who in members.items()]
    tenants, pair_ids, mentors, mentees = zip(*asked, strict=True)
    old: set[PairOf] = set()
    try:
        async with conn.transaction():
            rows = await conn.fetch(_LOCK_PAIRS, tenants, pair_ids)
            if len(rows) < len(asked):
                old = {(row[0], row[1]) for row in rows}
                raise _NotAllThere
    except _NotAllThere:
        # The locks went with the savepoint: nobody adds a pair while holding another one's row.
        new = [row for row in asked if (row[0], row[1]) not in old]
        await locks.share(conn, [(tenant, who) for tenant, _, *both in new for who in both])
        await conn.execute(_ADD_PAIRS, tenants, pair_ids, mentors, mentees)
        rows = await conn.fetch(_LOCK_PAIRS, tenants, pair_ids)
        return {
            (row[0], row[1]): LockedPair(row[2], row[0], row[3], (row[0], row[1]) not in old)
            for row in rows
        }
    return {(row[0], row[1]): LockedPair(row[2], row[0], row[3]) for row in rows}


async def save_started(conn: Connection, seen: Sequence[tuple[int, Started]]) -> None:
    """Note that pairs began; the first telling stands."""
    if seen:
        keys = [key for key, _ in seen]
        await conn.execute(
            _STARTED, keys, [s.programme_id for _, s in seen], [s.at for _, s in seen]
        )


async def save_ended(conn: Connection, seen: Sequence[tuple[int, datetime]]) -> None:
    """Note that pairs ended; the first telling stands."""
    if seen:
        await conn.execute(_ENDED, [key for key, _ in seen], [at for _, at in seen])


async def save_states(conn: Connection, changed: Sequence[tuple[LockedPair, bytes]]) -> None:
    """Store new states of locked pairs and mark the pairs for surfacing."""
    if changed:
        keys = [pair.key for pair, _ in changed]
        await conn.execute(_SAVE_STATES, keys, [state for _, state in changed])
        await conn.execute(_MARK_DIRTY, keys, [pair.tenant for pair, _ in changed])


async def find_pair(conn: Connection, tenant: TenantId, pair_id: PairId) -> PairRow | None:
    """One pair of a tenant."""
    row = await conn.fetchrow(_PAIR, tenant, pair_id)
    return pair_row(row) if row else None


async def pairs_page(
    conn: Connection, tenant: TenantId, after: PairId | None, limit: int
) -> list[PairRow]:
    """Pairs of a tenant that have evidence, in the order of their ids, after `after`."""
    return [pair_row(row) for row in await conn.fetch(_PAIRS_PAGE, tenant, after, limit)]


def pair_row(row: Iterable[Any]) -> PairRow:
    """A row of PAIR_COLUMNS, and `surfaced` where it was asked for."""
    key, tenant, pair_id, mentor_id, mentee_id, *rest = row
    return PairRow(key, tenant, Subject(pair_id, mentor_id, mentee_id), *rest)
