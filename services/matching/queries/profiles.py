"""Statements on what participants say of themselves. Opens no transaction, holds no rule."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson

from services.matching.domain.profile import Profile, Said
from shared.events.people import WeeklyHours
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_SAID = tuple(each.name for each in fields(Said))
_COLUMNS = ", ".join(_SAID)
_FIND = f"""
    SELECT person_id, {_COLUMNS}, changed_at, revision FROM profile
    WHERE tenant = $1 AND person_id = $2
"""
# Held by the person's own row, which is there before anything they say, and outlives it: whoever
# erases them, or changes the profile at the same time, comes before or after.
_HOLD = """
    SELECT active FROM person WHERE tenant = $1 AND person_id = $2 FOR NO KEY UPDATE
"""
_SAVE = f"""
    INSERT INTO profile (tenant, person_id, {_COLUMNS}, changed_at, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET ({_COLUMNS}, changed_at, revision)
      = ({", ".join(f"excluded.{each}" for each in (*_SAID, "changed_at", "revision"))})
"""


async def hold(conn: Connection, tenant: TenantId, person_id: PersonId) -> bool:
    """Until the transaction ends nobody else changes the person; false for who is not there."""
    return bool(await conn.fetchval(_HOLD, tenant, person_id))


async def find(conn: Connection, tenant: TenantId, person_id: PersonId) -> Profile:
    """What the person said; revision 0 when that is nothing so far."""
    row = await conn.fetchrow(_FIND, tenant, person_id)
    if row is None:
        return Profile(person_id, Said())
    return Profile(person_id, _said(row), row["changed_at"], row["revision"])


async def save(conn: Connection, tenant: TenantId, profile: Profile, at: datetime) -> None:
    """Keep what the person says, as of then."""
    said = profile.said
    given = [getattr(said, name) for name in _SAID if name != "hours"]
    given.insert(_SAID.index("hours"), _hours_json(said.hours))
    await conn.execute(_SAVE, tenant, profile.person_id, *given, at, profile.revision)


def _hours_json(hours: tuple[WeeklyHours, ...] | None) -> str | None:
    if hours is None:
        return None
    return orjson.dumps([window.model_dump() for window in hours]).decode()


def _said(row: Any) -> Said:
    given = {name: row[name] for name in _SAID}
    for name in ("roles", "offers", "goals", "languages", "avoid"):
        given[name] = None if given[name] is None else tuple(given[name])
    if given["hours"] is not None:
        windows = orjson.loads(given["hours"])
        given["hours"] = tuple(WeeklyHours.model_validate(each) for each in windows)
    return Said(**given)
