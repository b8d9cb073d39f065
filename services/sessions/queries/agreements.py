"""Statements on agreements."""

from __future__ import annotations

import asyncpg

from services.sessions.domain.agreement import Agreement, Terms
from services.sessions.domain.pair import Pair
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, pair_id, version, cadence_days, notice_hours, channels,
    proposed_by, proposed_at, signed_at"""

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
_SAVE = f"""
    INSERT INTO agreement ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (tenant, pair_id, version) DO UPDATE SET signed_at = excluded.signed_at
"""


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


async def save(conn: Connection, agreement: Agreement) -> None:
    """Insert a version, or add the other side's signature to it."""
    terms = agreement.terms
    await conn.execute(
        _SAVE,
        agreement.tenant,
        agreement.pair_id,
        agreement.version,
        terms.cadence_days,
        terms.notice_hours,
        terms.channels,
        agreement.proposed_by,
        agreement.proposed_at,
        agreement.signed_at,
    )


def _agreement(row: asyncpg.Record) -> Agreement:
    terms = Terms(row["cadence_days"], row["notice_hours"], tuple(row["channels"]))
    return Agreement(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        row["version"],
        terms,
        PersonId(row["proposed_by"]),
        row["proposed_at"],
        row["signed_at"],
    )
