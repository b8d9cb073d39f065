"""Statements on where tenants and people want to be told. Secrets go in here and out to signing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.notifications.domain.webhook import Endpoint, Health, Keys
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_SHOWN = """tenant, endpoint_id, url, types, is_enabled, reason, failing_since, revision,
            created_at, created_by"""
# Nobody adds an endpoint while another counts how many there are.
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('endpoints/' || $1, 0))"
_ADD = """
    INSERT INTO endpoint (tenant, endpoint_id, url, types, secret, created_at, created_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_ALL = f"SELECT {_SHOWN} FROM endpoint WHERE tenant = $1 ORDER BY created_at, endpoint_id"
_FIND = f"SELECT {_SHOWN} FROM endpoint WHERE tenant = $1 AND endpoint_id = $2"
_LOCK = f"{_FIND} FOR UPDATE"
# What was asked to rest is asked again once somebody has looked after it.
_SAVE = """
    UPDATE endpoint SET url = $3, types = $4, is_enabled = $5, reason = $6, failing_since = $7,
           revision = $8, rest_until = NULL
    WHERE tenant = $1 AND endpoint_id = $2
"""
_KEYS = """
    SELECT secret, old_secret, old_until FROM endpoint WHERE tenant = $1 AND endpoint_id = $2
"""
_SAVE_KEYS = """
    UPDATE endpoint SET secret = $3, old_secret = $4, old_until = $5, revision = revision + 1
    WHERE tenant = $1 AND endpoint_id = $2
"""
# Lines before the endpoint, as who settles deliveries takes them.
_REMOVE = (
    "DELETE FROM replay WHERE tenant = $1 AND endpoint_id = $2",
    "DELETE FROM delivery_line WHERE tenant = $1 AND endpoint_id = $2",
    "DELETE FROM delivery WHERE tenant = $1 AND endpoint_id = $2",
    "DELETE FROM endpoint WHERE tenant = $1 AND endpoint_id = $2",
)
_HEALTH = """
    SELECT endpoint_id, is_enabled, failing_since, reason FROM endpoint
    WHERE endpoint_id = ANY($1::uuid[]) ORDER BY endpoint_id FOR UPDATE
"""
_WELL = """
    UPDATE endpoint SET failing_since = NULL
    WHERE endpoint_id = ANY($1::uuid[]) AND failing_since IS NOT NULL
"""
_SAVE_HEALTH = """
    UPDATE endpoint SET failing_since = $3, reason = $4, rest_until = coalesce($5, rest_until),
           revision = revision + CASE WHEN is_enabled = $2 THEN 0 ELSE 1 END, is_enabled = $2
    WHERE endpoint_id = $1
"""
_FORGET_SECRETS = "UPDATE endpoint SET old_secret = NULL, old_until = NULL WHERE old_until <= $1"

_CHAT = "SELECT url FROM chat_address WHERE tenant = $1 AND person_id = $2"
_CHATS = """
    SELECT person_id, url FROM chat_address WHERE tenant = $1 AND person_id = ANY($2::text[])
"""
_SET_CHAT = """
    INSERT INTO chat_address (tenant, person_id, url, set_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant, person_id) DO UPDATE SET (url, set_at) = (excluded.url, excluded.set_at)
"""
_UNSET_CHAT = "DELETE FROM chat_address WHERE tenant = $1 AND person_id = $2"


async def hold(conn: Connection, tenant: TenantId) -> None:
    """Until the transaction ends, nobody else adds an endpoint of the tenant's."""
    await conn.execute(_HOLD, tenant)


async def add(conn: Connection, endpoint: Endpoint, secret: str) -> None:
    """Keep a new endpoint with its secret."""
    await conn.execute(
        _ADD,
        endpoint.tenant,
        endpoint.endpoint_id,
        endpoint.url,
        list(endpoint.types),
        secret,
        endpoint.created_at,
        endpoint.created_by,
    )


async def of_tenant(conn: Connection, tenant: TenantId) -> Sequence[Endpoint]:
    """Every endpoint of the tenant's, the oldest first."""
    return [_endpoint(row) for row in await conn.fetch(_ALL, tenant)]


async def find(conn: Connection, tenant: TenantId, endpoint_id: UUID) -> Endpoint | None:
    row = await conn.fetchrow(_FIND, tenant, endpoint_id)
    return _endpoint(row) if row else None


async def lock(conn: Connection, tenant: TenantId, endpoint_id: UUID) -> Endpoint | None:
    """The endpoint; nobody else changes it until the transaction ends."""
    row = await conn.fetchrow(_LOCK, tenant, endpoint_id)
    return _endpoint(row) if row else None


async def save(conn: Connection, endpoint: Endpoint) -> None:
    """Keep a changed endpoint, which the caller holds."""
    await conn.execute(
        _SAVE,
        endpoint.tenant,
        endpoint.endpoint_id,
        endpoint.url,
        list(endpoint.types),
        endpoint.is_enabled,
        endpoint.reason,
        endpoint.failing_since,
        endpoint.revision,
    )


async def keys(conn: Connection, tenant: TenantId, endpoint_id: UUID) -> Keys:
    """What signs, of an endpoint that the caller holds."""
    row = await conn.fetchrow(_KEYS, tenant, endpoint_id)
    assert row is not None
    return Keys(row["secret"], row["old_secret"], row["old_until"])


async def save_keys(conn: Connection, tenant: TenantId, endpoint_id: UUID, keys: Keys) -> None:
    """Sign with these from now on: a change of the endpoint."""
    await conn.execute(
        _SAVE_KEYS, tenant, endpoint_id, keys.secret, keys.old_secret, keys.old_until
    )


async def remove(conn: Connection, tenant: TenantId, endpoint_id: UUID) -> None:
    """Delete the endpoint and all that was and is to be sent to it."""
    for statement in _REMOVE:
        await conn.execute(statement, tenant, endpoint_id)


async def lock_health(conn: Connection, endpoints: Collection[UUID]) -> dict[UUID, Health]:
    """How endpoints are; nobody else changes them until the transaction ends."""
    return {
        row["endpoint_id"]: Health(row["is_enabled"], row["failing_since"], row["reason"])
        for row in await conn.fetch(_HEALTH, list(endpoints))
    }


async def well(conn: Connection, endpoints: Collection[UUID]) -> None:
    """These have taken something."""
    await conn.execute(_WELL, list(endpoints))


async def save_health(
    conn: Connection, endpoint_id: UUID, health: Health, rest_until: datetime | None
) -> None:
    """Keep how an endpoint is, which the caller holds."""
    await conn.execute(
        _SAVE_HEALTH,
        endpoint_id,
        health.is_enabled,
        health.failing_since,
        health.reason,
        rest_until,
    )


async def forget_secrets(conn: Connection, now: datetime) -> None:
    """Delete the secrets that sign no more."""
    await conn.execute(_FORGET_SECRETS, now)


async def chat_address(conn: Connection, tenant: TenantId, person: PersonId) -> str | None:
    found: str | None = await conn.fetchval(_CHAT, tenant, person)
    return found


async def chat_addresses(
    conn: Connection, tenant: TenantId, people: Collection[PersonId]
) -> Mapping[PersonId, str]:
    """The URLs at which these people are written to in a chat, of those who have set one."""
    return {
        PersonId(row["person_id"]): row["url"]
        for row in await conn.fetch(_CHATS, tenant, list(people))
    }


async def set_chat(
    conn: Connection, tenant: TenantId, person: PersonId, url: str, now: datetime
) -> None:
    """Write to the person there from now on."""
    await conn.execute(_SET_CHAT, tenant, person, url, now)


async def forget(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    """Delete what is kept about where a person is written to in a chat."""
    await conn.execute(_UNSET_CHAT, tenant, person)


def _endpoint(row: asyncpg.Record) -> Endpoint:
    return Endpoint(
        tenant=TenantId(row["tenant"]),
        endpoint_id=row["endpoint_id"],
        url=row["url"],
        types=tuple(row["types"]),
        is_enabled=row["is_enabled"],
        reason=row["reason"],
        failing_since=row["failing_since"],
        revision=row["revision"],
        created_at=row["created_at"],
        created_by=PersonId(row["created_by"]),
    )
