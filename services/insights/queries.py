"""Every SQL statement of insights, named, with typed rows. Decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import asyncpg

from services.insights.domain.evidence import Evidence
from services.insights.domain.projections import Subject
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
_STARTED = """
    UPDATE pair SET programme_id = seen.programme_id, started_at = seen.at
    FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS seen (pair_key, programme_id, at)
    WHERE pair.pair_key = seen.pair_key AND pair.started_at IS NULL
"""
_ENDED = """
    UPDATE pair SET ended_at = seen.at
    FROM unnest($1::bigint[], $2::timestamptz[]) AS seen (pair_key, at)
    WHERE pair.pair_key = seen.pair_key AND pair.ended_at IS NULL
"""
_EVIDENCE_COLUMNS = ("pair_key", "event_id", "at_us", "tenant", "kind", "about", "detail")
_ADD_EVIDENCE = """
    INSERT INTO evidence (pair_key, event_id, at_us, tenant, kind, about, detail)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[],
                         $5::smallint[], $6::smallint[], $7::smallint[])
    ON CONFLICT DO NOTHING RETURNING pair_key, event_id
"""
_EVIDENCE = """
    SELECT pair_key, event_id, at_us, kind, about, detail FROM evidence
    WHERE pair_key = ANY($1::bigint[])
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
_ONLY_SURFACER = """
    SELECT pg_try_advisory_xact_lock(hashtextextended('trustfold insights surfacing', 0))
"""
# All marks of the pairs taken, as far as they stand among the oldest: a pair that changes with
# every batch is marked many times, and one look is enough.
_TAKE_DIRTY = """
    WITH oldest AS (SELECT ctid AS mark, pair_key FROM dirty_pair LIMIT $2),
         taken AS (SELECT pair_key FROM oldest GROUP BY pair_key ORDER BY min(mark) LIMIT $1),
         gone AS (DELETE FROM dirty_pair WHERE ctid = ANY (ARRAY (
                      SELECT mark FROM oldest JOIN taken USING (pair_key))))
    SELECT pair_key FROM taken
"""
_PAIR_COLUMNS = """p.pair_key, p.tenant, p.pair_id, p.mentor_id, p.mentee_id, p.programme_id,
    p.started_at, p.ended_at, p.state"""
_PAIRS_BY_KEY = f"""
    SELECT {_PAIR_COLUMNS}, coalesce(s.revision, 0) AS surfaced
    FROM pair p LEFT JOIN surfaced s USING (pair_key)
    WHERE p.pair_key = ANY($1::bigint[]) ORDER BY p.pair_key
"""
_SAVE_SURFACED = """
    INSERT INTO surfaced (pair_key, tenant, revision)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])
    ON CONFLICT (pair_key) DO UPDATE SET revision = excluded.revision
"""
_PAIR = f"SELECT {_PAIR_COLUMNS} FROM pair p WHERE p.tenant = $1 AND p.pair_id = $2"
_PAIRS_PAGE = f"""
    SELECT {_PAIR_COLUMNS} FROM pair p
    WHERE p.tenant = $1 AND p.state IS NOT NULL AND ($2::uuid IS NULL OR p.pair_id > $2)
    ORDER BY p.pair_id LIMIT $3
"""


class LockedPair(NamedTuple):
    """A pair that this transaction may change. `state` is None before its first evidence."""

    key: int
    tenant: TenantId
    state: bytes | None


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
    conn: Connection, members: Iterable[tuple[PairOf, PersonId, PersonId]]
) -> dict[PairOf, LockedPair]:
    """Lock pairs, made first where they are new; each given once, with mentor and mentee."""
    asked = [(tenant, pair_id, a, b) for (tenant, pair_id), a, b in members]
    tenants, pair_ids, mentors, mentees = zip(*asked, strict=True)
    try:
        async with conn.transaction():
            rows = await conn.fetch(_LOCK_PAIRS, tenants, pair_ids)
            if len(rows) < len(asked):
                raise _NotAllThere
    except _NotAllThere:
        # The locks went with the savepoint: nobody adds a pair while holding another one's row.
        await conn.execute(_ADD_PAIRS, tenants, pair_ids, mentors, mentees)
        rows = await conn.fetch(_LOCK_PAIRS, tenants, pair_ids)
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


async def add_evidence(
    conn: Connection, rows: Collection[tuple[LockedPair, Evidence]]
) -> set[tuple[int, UUID]] | None:
    """Store evidence; the (pair key, event id) of what was not there before, None for all of it.

    COPY first, which takes a third of the time (docs/benchmarks.md) and knows no conflict; only a
    batch that holds something stored already goes the slower way.
    """
    table = [(p.key, e.event_id, e.at_us, p.tenant, e.kind, e.about, e.detail) for p, e in rows]
    try:
        async with conn.transaction():
            await conn.copy_records_to_table("evidence", records=table, columns=_EVIDENCE_COLUMNS)
    except asyncpg.UniqueViolationError:
        found = await conn.fetch(_ADD_EVIDENCE, *zip(*table, strict=True))
        return {(row[0], row[1]) for row in found}
    return None


async def evidence_of(conn: Connection, keys: Collection[int]) -> dict[int, list[Evidence]]:
    """All stored evidence of pairs, in no particular order; every key asked for is there."""
    found: dict[int, list[Evidence]] = {key: [] for key in keys}
    if keys:
        for key, *columns in await conn.fetch(_EVIDENCE, list(keys)):
            found[key].append(Evidence(*columns))
    return found


async def save_states(conn: Connection, changed: Sequence[tuple[LockedPair, bytes]]) -> None:
    """Store new states of locked pairs and mark the pairs for surfacing."""
    if changed:
        keys = [pair.key for pair, _ in changed]
        await conn.execute(_SAVE_STATES, keys, [state for _, state in changed])
        await conn.execute(_MARK_DIRTY, keys, [pair.tenant for pair, _ in changed])


async def become_surfacer(conn: Connection) -> bool:
    """Whether this transaction is the only one that surfaces now."""
    return bool(await conn.fetchval(_ONLY_SURFACER))


async def take_dirty(conn: Connection, pairs: int, marks: int) -> list[int]:
    """Take the marks off up to `pairs` pairs, the oldest first, looking at `marks` marks."""
    return [row[0] for row in await conn.fetch(_TAKE_DIRTY, pairs, marks)]


async def pairs_by_key(conn: Connection, keys: Sequence[int]) -> list[PairRow]:
    """Pairs as they are committed now, with the revision that was last surfaced."""
    return [_pair(row) for row in await conn.fetch(_PAIRS_BY_KEY, keys)]


async def save_surfaced(conn: Connection, done: Sequence[tuple[PairRow, int]]) -> None:
    """Note which revision of each pair is in the outbox."""
    if done:
        columns = zip(*[(pair.key, pair.tenant, revision) for pair, revision in done], strict=True)
        await conn.execute(_SAVE_SURFACED, *columns)


async def find_pair(conn: Connection, tenant: TenantId, pair_id: PairId) -> PairRow | None:
    """One pair of a tenant."""
    row = await conn.fetchrow(_PAIR, tenant, pair_id)
    return _pair(row) if row else None


async def pairs_page(
    conn: Connection, tenant: TenantId, after: PairId | None, limit: int
) -> list[PairRow]:
    """Pairs of a tenant that have evidence, in the order of their ids, after `after`."""
    return [_pair(row) for row in await conn.fetch(_PAIRS_PAGE, tenant, after, limit)]


def _pair(row: Iterable[Any]) -> PairRow:
    key, tenant, pair_id, mentor_id, mentee_id, *rest = row
    return PairRow(key, tenant, Subject(pair_id, mentor_id, mentee_id), *rest)
