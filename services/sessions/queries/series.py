"""Statements on sessions that come again: what was asked for, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from services.sessions.domain.series import LeftOut, Rhythm, Series
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, series_id, pair_id, made_by, made_at, starts_at_local, zone,
    duration_minutes, occurrences, every_days, channel, left_out, called_off_at, revision"""

_FIND = f"SELECT {_COLUMNS} FROM series WHERE tenant = $1 AND series_id = $2"
_SAVE = f"""
    INSERT INTO series ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13, $14)
    ON CONFLICT (tenant, series_id) DO UPDATE
    SET called_off_at = excluded.called_off_at, revision = excluded.revision
"""


async def find(conn: Connection, tenant: TenantId, series_id: UUID) -> Series | None:
    row = await conn.fetchrow(_FIND, tenant, series_id)
    return _series(row) if row else None


async def save(conn: Connection, several: Sequence[Series]) -> None:
    """Insert series, or write that they were called off."""
    await conn.executemany(_SAVE, [_row(each) for each in several])


def _series(row: asyncpg.Record) -> Series:
    rhythm = Rhythm(
        row["starts_at_local"],
        row["zone"],
        row["duration_minutes"],
        row["occurrences"],
        row["every_days"],
        row["channel"],
    )
    left_out = (
        LeftOut(datetime.fromisoformat(each["starts_at"]), each["reason"])
        for each in orjson.loads(row["left_out"])
    )
    return Series(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        row["series_id"],
        PersonId(row["made_by"]),
        row["made_at"],
        rhythm,
        tuple(left_out),
        row["called_off_at"],
        row["revision"],
    )


def _row(series: Series) -> tuple[object, ...]:
    rhythm = series.rhythm
    return (
        series.tenant,
        series.series_id,
        series.pair_id,
        series.made_by,
        series.made_at,
        rhythm.first,
        rhythm.zone,
        rhythm.duration_minutes,
        rhythm.count,
        rhythm.every_days,
        rhythm.channel,
        orjson.dumps(series.left_out).decode(),
        series.called_off_at,
        series.revision,
    )
