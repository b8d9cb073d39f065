"""Statements on outages: when there were some, and the time that open things get back of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.sessions.domain.presence import NEVER, Interval
from services.sessions.queries.sweeps import Swept
from shared.postgres.pool import Connection

_BEAT = """
    INSERT INTO sweep_mark (alive_at) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE
    SET alive_at = greatest(sweep_mark.alive_at, excluded.alive_at)
"""
_ALIVE_AT = "SELECT greatest(alive_at, swept_until) FROM sweep_mark"
_RECORD = "INSERT INTO outage (began_at, ended_at) VALUES ($1, $2)"
_UNFINISHED = """
    SELECT outage_id, began_at, ended_at FROM outage WHERE NOT over ORDER BY outage_id LIMIT 1
"""
_FINISH = "UPDATE outage SET over = true WHERE outage_id = $1"
_BETWEEN = """
    SELECT began_at, ended_at FROM outage WHERE began_at < $2 AND ended_at > $1 ORDER BY began_at
"""
# $1 to $3 are the outage and its two ends; $4 is the end of what has no known end.
_TOUCHED = """
    {open_} AND {past} < $3 AND sweep_at > $2 AND sweep_at < $4 AND NOT EXISTS (
        SELECT FROM given_back
        WHERE given_back.tenant = {table}.tenant AND thing_id = {table}_id AND outage_id = $1
    )
"""
_FIRST_TOUCHED = f"(SELECT tenant, pair_id FROM {{table}} WHERE {_TOUCHED} LIMIT $5)"
# SKIP LOCKED, as in sweeping: a pair that is in use has its turn at the next round.
_HOLD_TOUCHED = """
    WITH touched AS ({touched})
    SELECT pair.tenant, pair.pair_id FROM pair
    WHERE (tenant, pair_id) IN (SELECT tenant, pair_id FROM touched)
    LIMIT $5 FOR UPDATE SKIP LOCKED
"""
_IS_TOUCHED = f"EXISTS (SELECT FROM {{table}} WHERE {_TOUCHED})"
# What is written down and what is moved are one statement: neither is ever without the other.
_GIVE_BACK = f"""
    WITH given AS (
        INSERT INTO given_back (tenant, thing_id, outage_id, span)
        SELECT tenant, {{table}}_id, $1, $3 - greatest({{past}}, $2)
        FROM {{table}} JOIN unnest($5::text[], $6::uuid[]) AS held(tenant, pair_id)
             USING (tenant, pair_id)
        WHERE {_TOUCHED}
        RETURNING tenant, thing_id, span
    )
    UPDATE {{table}} SET {{later}}, revision = revision + 1
    FROM given WHERE {{table}}.tenant = given.tenant AND {{table}}_id = given.thing_id
    RETURNING true
"""


@dataclass(frozen=True, slots=True)
class Outage:
    """A recorded outage, of which not everything has its time back yet."""

    outage_id: int
    lasted: Interval


async def beat(conn: Connection, now: datetime) -> None:
    """Say that a sweeper runs. Never goes back."""
    await conn.execute(_BEAT, now)


async def alive_at(conn: Connection) -> datetime | None:
    """When a sweeper last ran; None before the first."""
    instant: datetime | None = await conn.fetchval(_ALIVE_AT)
    return instant


async def record(conn: Connection, lasted: Interval) -> None:
    await conn.execute(_RECORD, *lasted)


async def unfinished(conn: Connection) -> Outage | None:
    """The first outage of which something may not have its time back."""
    row = await conn.fetchrow(_UNFINISHED)
    return Outage(row["outage_id"], Interval(row["began_at"], row["ended_at"])) if row else None


async def finish(conn: Connection, outage: Outage) -> None:
    """Everything that the outage touched has its time back."""
    await conn.execute(_FINISH, outage.outage_id)


async def between(conn: Connection, since: datetime, until: datetime) -> Sequence[Interval]:
    """The outages that touch what lies between two instants."""
    rows = await conn.fetch(_BETWEEN, since, until)
    return [Interval(row["began_at"], row["ended_at"]) for row in rows]


async def give_back(
    conn: Connection, kinds: Sequence[Swept[Any]], outage: Outage, limit: int
) -> int:
    """Give the time of an outage back to what it touched in at most `limit` pairs, once.

    A thing's clock stood still from when it was past its time, or from the outage's beginning on.
    Returns how many things moved: 0 when none is left, or all that are left are in use.
    """
    touched = " UNION ALL ".join(_written(_FIRST_TOUCHED, kind) for kind in kinds)
    of = (outage.outage_id, *outage.lasted, NEVER)
    rows = await conn.fetch(_HOLD_TOUCHED.format(touched=touched), *of, limit)
    if not rows:
        return 0
    held = [row["tenant"] for row in rows], [row["pair_id"] for row in rows]
    moved = [await conn.fetch(_written(_GIVE_BACK, kind), *of, *held) for kind in kinds]
    return sum(map(len, moved))


async def is_touched(conn: Connection, kinds: Sequence[Swept[Any]], outage: Outage) -> bool:
    """Whether anything has yet to get back what the outage took of its time."""
    any_ = " OR ".join(_written(_IS_TOUCHED, kind) for kind in kinds)
    found: bool = await conn.fetchval(f"SELECT {any_}", outage.outage_id, *outage.lasted, NEVER)
    return found


def _written(statement: str, kind: Swept[Any]) -> str:
    later = ", ".join(f"{each} = {each} + given.span" for each in ("sweep_at", *kind.also))
    return statement.format(table=kind.table, open_=kind.open_, past=kind.past, later=later)
