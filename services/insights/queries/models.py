"""Versions of the model, and which of them each tenant's scores are made with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared.ids import TenantId
from shared.postgres.pool import Connection

_REGISTERED = "SELECT number, name, document, registered_at FROM model ORDER BY number"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('trustfold insights models', 0))"
_REGISTER = """
    INSERT INTO model (number, name, document, registered_at)
    SELECT coalesce(max(number), 1) + 1, $1, $2, $3 FROM model
    RETURNING number
"""
_FORCE = """
    SELECT tenant, number, generation FROM model_in_force WHERE tenant = ANY($1::text[])
"""
_SWITCH = """
    INSERT INTO model_in_force (tenant, number, generation, switched_at) VALUES ($1, $2, 1, $3)
    ON CONFLICT (tenant) DO UPDATE
    SET number = excluded.number, generation = model_in_force.generation + 1,
        switched_at = excluded.switched_at
"""
_MARK_ALL = """
    INSERT INTO dirty_pair (pair_key, tenant)
    SELECT pair_key, tenant FROM pair WHERE tenant = $1 AND state IS NOT NULL
"""


class Registered(NamedTuple):
    """A version as it was registered."""

    number: int
    name: str
    document: str
    registered_at: datetime


class Force(NamedTuple):
    """Which version is in force for a tenant, and how often that was changed."""

    tenant: TenantId
    number: int
    generation: int


async def registered(conn: Connection) -> list[Registered]:
    """Every registered version, in the order of their numbers; the built-in one is not there."""
    return [Registered(*row) for row in await conn.fetch(_REGISTERED)]


async def register(conn: Connection, name: str, document: str, now: datetime) -> int:
    """Keep a version; its number."""
    await conn.execute(_LOCK)
    return int(await conn.fetchval(_REGISTER, name, document, now))


async def force(conn: Connection, tenants: Iterable[TenantId]) -> list[Force]:
    """What is in force for those of the tenants that ever switched."""
    return [Force(*row) for row in await conn.fetch(_FORCE, list(tenants))]


async def switch(conn: Connection, tenant: TenantId, number: int, now: datetime) -> int:
    """Put a version in force and mark every pair of the tenant for surfacing; how many."""
    await conn.execute(_SWITCH, tenant, number, now)
    done = await conn.execute(_MARK_ALL, tenant)
    return int(done.rsplit(" ", 1)[-1])
