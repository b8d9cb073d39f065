"""Statements on pairs, with what is known of their two sides, and on their trust."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import Pair, Side
from services.sessions.public_holidays import holidays_of
from shared.events.insights import PartnerSafe
from shared.ids import PairId, PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

_MEMBERS = ", ".join(
    f"{side}.{column} AS {side}_{column}"
    for side in ("mentor", "mentee")
    for column in ("timezone", "country", "display_name", "away", "erased_on")
)
COLUMNS = f"""pair.tenant, pair.pair_id, mentor_id, mentee_id, started_at, ended_at, programme_id,
    {_MEMBERS}"""
# The other half of a FROM that begins with `pair`.
JOIN_MEMBERS = """
    LEFT JOIN person mentor ON mentor.tenant = pair.tenant AND mentor.person_id = pair.mentor_id
    LEFT JOIN person mentee ON mentee.tenant = pair.tenant AND mentee.person_id = pair.mentee_id
"""

_FIND = f"""
    SELECT {COLUMNS} FROM pair {JOIN_MEMBERS} WHERE pair.tenant = $1 AND pair.pair_id = $2
"""
# A statement that waits for a row reads on with the row as it is then, and with everything else as
# it was before: `stale` is whether the days of one of the two have changed meanwhile.
_LOCK = f"""
    SELECT {COLUMNS}, pair.redated <> (
        SELECT redated FROM pair AS before WHERE before.tenant = $1 AND before.pair_id = $2
    ) AS stale
    FROM pair {JOIN_MEMBERS} WHERE pair.tenant = $1 AND pair.pair_id = $2 FOR UPDATE OF pair
"""
_OF_PERSON = f"""
    SELECT {COLUMNS} FROM pair {JOIN_MEMBERS}
    WHERE pair.tenant = $1 AND (mentor_id = $2 OR mentee_id = $2)
    ORDER BY ended_at IS NOT NULL, started_at DESC, pair.pair_id LIMIT $3
"""
_START = """
    INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id, started_at, programme_id)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, pair_id) DO NOTHING
"""
_END = """
    INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id, started_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, $5)
    ON CONFLICT (tenant, pair_id) DO UPDATE SET ended_at = excluded.ended_at
    WHERE pair.ended_at IS NULL
"""
_RELEASE_SESSIONS = """
    UPDATE session SET state = 'released', revision = revision + 1
    WHERE tenant = $1 AND pair_id = $2 AND state = 'scheduled' AND starts_at >= $3
"""
_SAVE_TRUST = """
    INSERT INTO pair_trust (tenant, pair_id, revision, partner_safe) VALUES ($1, $2, $3, $4::jsonb)
    ON CONFLICT (tenant, pair_id) DO UPDATE
    SET revision = excluded.revision, partner_safe = excluded.partner_safe
    WHERE pair_trust.revision < excluded.revision
"""
_TRUST = "SELECT partner_safe::text FROM pair_trust WHERE tenant = $1 AND pair_id = $2"


def pair_of(row: asyncpg.Record) -> Pair:
    """The pair in a row that holds the pair's columns."""
    return Pair(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        _member(row, "mentor"),
        _member(row, "mentee"),
        row["started_at"],
        row["ended_at"],
        ProgrammeId(row["programme_id"]) if row["programme_id"] else None,
    )


async def find(conn: Connection, tenant: TenantId, pair_id: PairId) -> Pair | None:
    row = await conn.fetchrow(_FIND, tenant, pair_id)
    return pair_of(row) if row else None


async def lock(conn: Connection, tenant: TenantId, pair_id: PairId) -> Pair | None:
    """The pair, held by the caller's transaction until it ends. Always the first lock taken."""
    row = await conn.fetchrow(_LOCK, tenant, pair_id)
    if row and row["stale"]:
        row = await conn.fetchrow(_FIND, tenant, pair_id)
    return pair_of(row) if row else None


async def of_person(
    conn: Connection, tenant: TenantId, person: PersonId, limit: int
) -> Sequence[Pair]:
    """The pairs `person` is in, those that go on first, then the newest."""
    return [pair_of(row) for row in await conn.fetch(_OF_PERSON, tenant, person, limit)]


async def start(conn: Connection, pair: Pair) -> None:
    """Remember a pair that began; one that is known stays as it is."""
    await conn.execute(
        _START,
        pair.tenant,
        pair.pair_id,
        pair.mentor_id,
        pair.mentee_id,
        pair.started_at,
        pair.programme_id,
    )


async def end(conn: Connection, pair: Pair, ended_at: datetime) -> None:
    """Remember a pair's end, and that it meets no more. The row is held by the caller then."""
    await conn.execute(_END, pair.tenant, pair.pair_id, pair.mentor_id, pair.mentee_id, ended_at)
    await conn.execute(_RELEASE_SESSIONS, pair.tenant, pair.pair_id, ended_at)


async def save_trust(
    conn: Connection, tenant: TenantId, pair_id: PairId, revision: int, shown: PartnerSafe
) -> None:
    """Keep the highest revision seen, and of it only what the pair may be shown."""
    await conn.execute(_SAVE_TRUST, tenant, pair_id, revision, shown.model_dump_json())


async def trust(conn: Connection, tenant: TenantId, pair_id: PairId) -> PartnerSafe | None:
    text = await conn.fetchval(_TRUST, tenant, pair_id)
    return PartnerSafe.model_validate_json(text) if text else None


def _member(row: asyncpg.Record, side: Side) -> Member:
    country = row[f"{side}_country"]
    return Member(
        PersonId(row[f"{side}_id"]),
        row[f"{side}_timezone"] or "UTC",
        country,
        row[f"{side}_display_name"],
        tuple(Away(range_.lower, range_.upper) for range_ in row[f"{side}_away"] or ()),
        holidays_of(country),
        row[f"{side}_erased_on"] is not None,
    )
