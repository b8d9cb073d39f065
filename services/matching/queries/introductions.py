"""Statements on introductions. Opens no transaction, holds no rule."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any

from services.matching.domain.introduction import Introduction
from shared.ids import IntroductionId, PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = ", ".join(field.name for field in fields(Introduction))
_VALUES = ", ".join(f"${number}" for number in range(1, len(fields(Introduction)) + 2))
_FIND = f"SELECT {_COLUMNS} FROM introduction WHERE tenant = $1 AND introduction_id = $2"
_SAVE = f"""
    INSERT INTO introduction (tenant, {_COLUMNS}) VALUES ({_VALUES})
    ON CONFLICT (tenant, introduction_id) DO UPDATE
    SET (state, partner_says, contact_says, stopped, closed_at, outcome, revision)
      = (excluded.state, excluded.partner_says, excluded.contact_says, excluded.stopped,
         excluded.closed_at, excluded.outcome, excluded.revision)
"""
_BEFORE = """
    SELECT count(*) FILTER (WHERE state = 'offered' AND until > $4) AS open,
           max(offered_at) FILTER (WHERE contact = $3) AS last_offered_at
    FROM introduction WHERE tenant = $1 AND pair_id = $2
"""
# Ids grow with time, so the newest come first and a page ends where the next begins.
_MINE = f"""
    SELECT {", ".join(f"it.{field.name}" for field in fields(Introduction))},
           pair.ended_at AS pair_ended_at
    FROM introduction AS it JOIN pair USING (tenant, pair_id)
    WHERE it.tenant = $1 AND $2 IN (it.mentor_id, it.mentee_id, it.contact)
      AND ($3::uuid IS NULL OR it.introduction_id = $3)
      AND ($4::uuid IS NULL OR it.introduction_id < $4)
    ORDER BY it.introduction_id DESC LIMIT $5
"""
_STOP = """
    UPDATE introduction SET stopped = true
    WHERE tenant = $1 AND pair_id = $2 AND state = 'offered' AND EXISTS (
        SELECT FROM pair_trust AS trust
        WHERE trust.tenant = $1 AND trust.pair_id = $2
          AND NOT (trust.mentor_band = 'steady' AND trust.mentee_band = 'steady')
    )
"""
# Those that somebody is answering right now wait for the next time.
_DUE = f"""
    SELECT it.tenant, {", ".join(f"it.{field.name}" for field in fields(Introduction))},
           pair.ended_at AS pair_ended_at
    FROM introduction AS it LEFT JOIN pair USING (tenant, pair_id)
    WHERE it.state = 'offered' AND (it.until <= $1 OR pair.ended_at <= $1)
    ORDER BY it.until, it.introduction_id LIMIT $2 FOR UPDATE OF it SKIP LOCKED
"""
_MAY_MEET = """
    SELECT count(*) = 2 AND bool_and(active AND NOT avoid && $2::text[]) AND NOT EXISTS (
        SELECT FROM exclusion AS apart
        WHERE apart.tenant = $1 AND one = ANY($2::text[]) AND other = ANY($2::text[])
    )
    FROM participant WHERE tenant = $1 AND person_id = ANY($2::text[])
"""
_IS_THERE = (
    "SELECT EXISTS (SELECT FROM participant WHERE tenant = $1 AND person_id = $2 AND active)"
)


@dataclass(frozen=True, slots=True)
class Held:
    """An introduction, whose it is, and when its pair ended."""

    tenant: TenantId
    introduction: Introduction
    pair_ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Which:
    """Which of a person's introductions: one, or those older than one; all where None."""

    only: IntroductionId | None = None
    before: IntroductionId | None = None


async def find(
    conn: Connection, tenant: TenantId, introduction_id: IntroductionId
) -> Introduction | None:
    row = await conn.fetchrow(_FIND, tenant, introduction_id)
    return Introduction(**dict(row)) if row else None


async def lock(
    conn: Connection, tenant: TenantId, introduction_id: IntroductionId
) -> Introduction | None:
    """The introduction, which nobody else changes until the transaction ends."""
    row = await conn.fetchrow(f"{_FIND} FOR UPDATE", tenant, introduction_id)
    return Introduction(**dict(row)) if row else None


async def save(conn: Connection, tenant: TenantId, it: Introduction) -> None:
    """Keep a new introduction, or what a decision changed of one that the caller holds."""
    await conn.execute(_SAVE, tenant, *astuple(it))


async def before(
    conn: Connection, tenant: TenantId, pair_id: PairId, contact: PersonId, now: datetime
) -> tuple[int, datetime | None]:
    """How many introductions of the pair wait for an answer, and when the contact was last asked.

    The caller holds the pair, so that the number stays right.
    """
    row = await conn.fetchrow(_BEFORE, tenant, pair_id, contact, now)
    assert row is not None
    return row["open"], row["last_offered_at"]


async def mine(
    conn: Connection, tenant: TenantId, person: PersonId, which: Which, limit: int
) -> list[Held]:
    """Introductions that a person offers or is part of, newest first."""
    rows = await conn.fetch(_MINE, tenant, person, which.only, which.before, limit)
    return [_held(tenant, row) for row in rows]


async def stop_unsteady(conn: Connection, tenant: TenantId, pair_id: PairId) -> None:
    """What waits for an answer cannot be made any more, when trust in the pair is not steady."""
    await conn.execute(_STOP, tenant, pair_id)


async def lock_due(conn: Connection, now: datetime, limit: int) -> list[Held]:
    """Introductions of all tenants that have lapsed by `now`; held until the transaction ends."""
    return [_held(row["tenant"], row) for row in await conn.fetch(_DUE, now, limit)]


async def may_meet(conn: Connection, tenant: TenantId, one: PersonId, other: PersonId) -> bool:
    """Whether both are there, and neither they nor HR would have them kept apart."""
    return bool(await conn.fetchval(_MAY_MEET, tenant, [one, other]))


async def is_there(conn: Connection, tenant: TenantId, person: PersonId) -> bool:
    """Whether there is such a person, who has not left."""
    return bool(await conn.fetchval(_IS_THERE, tenant, person))


def _held(tenant: TenantId, row: Any) -> Held:
    values = {field.name: row[field.name] for field in fields(Introduction)}
    return Held(tenant, Introduction(**values), row["pair_ended_at"])
