"""Statements on agreements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
import orjson

from services.sessions.domain.agreement import Agreement, Newest
from services.sessions.domain.pair import Pair
from services.sessions.domain.terms import Terms, Window
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, pair_id, agreement_id, version, cadence_days, notice_hours, channels, hours,
    off_limits, topics_off_limits, goals, feedback, review_after_days, proposed_by, proposed_at,
    revision, signed_at, withdrawn_at, review_on, reviewed_by"""

_FIND = f"SELECT {_COLUMNS} FROM agreement WHERE tenant = $1 AND agreement_id = $2"
_NEWEST = f"""
    SELECT {_COLUMNS} FROM agreement WHERE tenant = $1 AND pair_id = $2
    ORDER BY version DESC LIMIT 1
"""
_IN_FORCE = f"""
    SELECT {_COLUMNS} FROM agreement
    WHERE tenant = $1 AND pair_id = $2 AND signed_at IS NOT NULL ORDER BY version DESC LIMIT 1
"""
_VERSION = f"""
    SELECT {_COLUMNS} FROM agreement WHERE tenant = $1 AND pair_id = $2 AND version = $3
"""
_PAGE = f"""
    SELECT {_COLUMNS} FROM agreement
    WHERE tenant = $1 AND pair_id = $2 AND ($3::int IS NULL OR version < $3)
    ORDER BY version DESC LIMIT $4
"""
_STANDING = """
    SELECT coalesce(max(version), 0) AS version,
           coalesce(max(version) FILTER (WHERE signed_at IS NOT NULL), 0) AS in_force
    FROM agreement WHERE tenant = $1 AND pair_id = $2
"""
_SAVE = f"""
    INSERT INTO agreement ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10, $11, $12, $13, $14, $15, $16,
        $17, $18, $19, $20)
    ON CONFLICT (tenant, pair_id, version) DO UPDATE
    SET cadence_days = excluded.cadence_days, notice_hours = excluded.notice_hours,
        channels = excluded.channels, hours = excluded.hours, off_limits = excluded.off_limits,
        topics_off_limits = excluded.topics_off_limits, goals = excluded.goals,
        feedback = excluded.feedback, review_after_days = excluded.review_after_days,
        revision = excluded.revision, signed_at = excluded.signed_at,
        withdrawn_at = excluded.withdrawn_at, review_on = excluded.review_on,
        reviewed_by = excluded.reviewed_by
"""
# The revision goes up: who read the words has not read the text without them.
ERASE = """
    UPDATE agreement SET goals = NULL, topics_off_limits = NULL, revision = revision + 1
    WHERE tenant = $1 AND proposed_by = $2 AND (goals <> '{}' OR topics_off_limits <> '{}')
"""


async def find(conn: Connection, tenant: TenantId, agreement_id: UUID) -> Agreement | None:
    row = await conn.fetchrow(_FIND, tenant, agreement_id)
    return _agreement(row) if row else None


async def newest(conn: Connection, pair: Pair) -> Agreement | None:
    row = await conn.fetchrow(_NEWEST, pair.tenant, pair.pair_id)
    return _agreement(row) if row else None


async def in_force(conn: Connection, pair: Pair) -> Agreement | None:
    """The newest version that both sides signed."""
    row = await conn.fetchrow(_IN_FORCE, pair.tenant, pair.pair_id)
    return _agreement(row) if row else None


async def version(conn: Connection, pair: Pair, number: int) -> Agreement | None:
    row = await conn.fetchrow(_VERSION, pair.tenant, pair.pair_id, number)
    return _agreement(row) if row else None


async def page(conn: Connection, pair: Pair, before: int | None, limit: int) -> Sequence[Agreement]:
    """Versions, the newest first, before the last one of the page before."""
    rows = await conn.fetch(_PAGE, pair.tenant, pair.pair_id, before, limit)
    return [_agreement(row) for row in rows]


async def standing(conn: Connection, pair: Pair) -> Newest:
    """Which version is the newest and which is in force; 0 where there is none."""
    row = await conn.fetchrow(_STANDING, pair.tenant, pair.pair_id)
    assert row is not None
    return Newest(row["version"], row["in_force"])


async def save(conn: Connection, agreements: Sequence[Agreement]) -> None:
    """Insert versions, or write what became of them."""
    await conn.executemany(_SAVE, [_row(each) for each in agreements])


async def erase_words(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    """Forget the words that a person wrote; that they proposed it, and its other terms, stay.

    The caller holds the person's pairs: a command that has read the words would write them back.
    """
    await conn.execute(ERASE, tenant, person)


def _agreement(row: asyncpg.Record) -> Agreement:
    return Agreement(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        row["agreement_id"],
        row["version"],
        _terms(row),
        PersonId(row["proposed_by"]),
        row["proposed_at"],
        row["revision"],
        row["signed_at"],
        row["withdrawn_at"],
        row["review_on"],
        tuple(PersonId(each) for each in row["reviewed_by"]),
    )


def _terms(row: asyncpg.Record) -> Terms:
    return Terms(
        row["cadence_days"],
        row["notice_hours"],
        tuple(row["channels"]),
        _windows(row["hours"]),
        _windows(row["off_limits"]),
        tuple(row["topics_off_limits"] or ()),
        tuple(row["goals"] or ()),
        row["feedback"],
        row["review_after_days"],
    )


def _windows(text: str) -> tuple[Window, ...]:
    return tuple(Window(PersonId(person), *minutes) for person, *minutes in orjson.loads(text))


def _written(windows: Iterable[Window]) -> str:
    rows = [(each.person_id, each.weekday, each.from_minute, each.until_minute) for each in windows]
    return orjson.dumps(rows).decode()


def _row(agreement: Agreement) -> tuple[object, ...]:
    terms = agreement.terms
    return (
        agreement.tenant,
        agreement.pair_id,
        agreement.agreement_id,
        agreement.version,
        terms.cadence_days,
        terms.notice_hours,
        terms.channels,
        _written(terms.hours),
        _written(terms.off_limits),
        terms.topics_off_limits,
        terms.goals,
        terms.feedback,
        terms.review_after_days,
        agreement.proposed_by,
        agreement.proposed_at,
        agreement.revision,
        agreement.signed_at,
        agreement.withdrawn_at,
        agreement.review_on,
        agreement.reviewed_by,
    )
