"""Statements on programmes and their versions. Opens no transaction, holds no rule."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from services.matching.domain.programme import Programme, Settings
from shared.ids import ProgrammeId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = "tenant, programme_id, name, settings, changed_at, is_open, revision"
_OF_TENANT = f"SELECT {_COLUMNS} FROM programme WHERE tenant = $1 ORDER BY programme_id"
_FIND = f"SELECT {_COLUMNS} FROM programme WHERE tenant = $1 AND programme_id = $2"
_AT_VERSION = """
    SELECT now.tenant, now.programme_id, name, then_.settings, then_.changed_at, is_open,
           then_.revision
    FROM programme AS now JOIN programme_version AS then_ USING (tenant, programme_id)
    WHERE now.tenant = $1 AND now.programme_id = $2 AND then_.revision = $3
"""
# Held by its name, so that two who make the same programme at once are seen one after the other.
_HOLD = """
    SELECT pg_advisory_xact_lock(
        hashtextextended(concat_ws('/', 'programme', $1::text, $2::text), 0)
    )
"""
_SAVE = """
    WITH version AS (
        INSERT INTO programme_version (tenant, programme_id, revision, settings, changed_at)
        VALUES ($1, $2, $3, $6, $7)
    )
    INSERT INTO programme (tenant, programme_id, revision, name, is_open, settings, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant, programme_id) DO UPDATE
    SET (revision, name, is_open, settings, changed_at)
      = (excluded.revision, excluded.name, excluded.is_open, excluded.settings,
         excluded.changed_at)
"""
# Settings of an older release lack what came later, and have its default.
_SETTINGS = TypeAdapter(Settings)


async def find(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId, version: int | None = None
) -> Programme | None:
    """The programme as it is, or as it was at a version."""
    if version is None:
        row = await conn.fetchrow(_FIND, tenant, programme_id)
    else:
        row = await conn.fetchrow(_AT_VERSION, tenant, programme_id, version)
    return _programme(row) if row else None


async def of_tenant(conn: Connection, tenant: TenantId) -> list[Programme]:
    return [_programme(row) for row in await conn.fetch(_OF_TENANT, tenant)]


async def lock(conn: Connection, tenant: TenantId, programme_id: ProgrammeId) -> Programme | None:
    """The programme, which nobody else makes or changes until the transaction ends."""
    await conn.execute(_HOLD, tenant, programme_id)
    return await find(conn, tenant, programme_id)


async def save(conn: Connection, programme: Programme) -> None:
    """Keep a programme and its version."""
    await conn.execute(
        _SAVE,
        programme.tenant,
        programme.programme_id,
        programme.revision,
        programme.name,
        programme.is_open,
        json_of(programme.settings),
        programme.changed_at,
    )


def settings_of(json: str) -> Settings:
    """Settings as they were kept."""
    return _SETTINGS.validate_json(json)


def json_of(settings: Settings) -> str:
    """Settings as they are kept."""
    return _SETTINGS.dump_json(settings).decode()


def _programme(row: Any) -> Programme:
    return Programme(**{**dict(row), "settings": settings_of(row["settings"])})
