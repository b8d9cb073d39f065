"""Statements on goals, and on how far they were each time that somebody said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.sessions.domain.goal import Goal, Wording
from services.sessions.domain.goal_progress import Step
from services.sessions.domain.pair import Pair
from services.sessions.queries.sweeps import Swept
from shared.ids import GoalId, PairId, PersonId, TenantId
from shared.postgres.pool import Connection

# Name and type of each column, in the order of `_row`.
_TYPES = {
    "tenant": "text",
    "goal_id": "uuid",
    "pair_id": "uuid",
    "proposed_by": "text",
    "proposed_at": "timestamptz",
    "words": "text",
    "words_by": "text",
    "measure": "text",
    "measure_by": "text",
    "due_on": "date",
    "answered_by": "text",
    "sweep_at": "timestamptz",
    "state": "text",
    "agreed_at": "timestamptz",
    "progress": "float8",
    "moved_at": "timestamptz",
    "reached_at": "timestamptz",
    "revision": "int",
}
# What stays as it was when it was first proposed.
_FIXED = {"tenant", "goal_id", "pair_id", "proposed_at"}
_COLUMNS = ", ".join(_TYPES)
_ARRAYS = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(_TYPES.values(), 1))
# Word for word as in the index on what is due.
_ONGOING = "state IN ('proposed', 'open')"

_FIND = f"SELECT {_COLUMNS} FROM goal WHERE tenant = $1 AND goal_id = $2"
_OF_PAIR = f"""
    SELECT {_COLUMNS} FROM goal WHERE tenant = $1 AND pair_id = $2
    ORDER BY proposed_at DESC, goal_id DESC LIMIT $3
"""
_COUNT_OPEN = f"""
    SELECT count(*) FROM goal
    WHERE tenant = $1 AND pair_id = $2 AND {_ONGOING} AND (sweep_at IS NULL OR sweep_at > $3)
"""
_SAVE = f"""
    INSERT INTO goal ({_COLUMNS})
    SELECT * FROM unnest({_ARRAYS})
    ON CONFLICT (tenant, goal_id) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in _TYPES if name not in _FIXED)}
"""
_ADD_STEP = """
    INSERT INTO goal_step (tenant, step_id, goal_id, noted_by, noted_at, progress, note)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_COUNT_STEPS = "SELECT count(*) FROM goal_step WHERE tenant = $1 AND goal_id = $2"
_STEPS = """
    SELECT goal_id, noted_by, noted_at, progress, note FROM unnest($2::uuid[]) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT * FROM goal_step WHERE tenant = $1 AND goal_id = asked.id
        ORDER BY noted_at DESC, step_id DESC LIMIT $3
    ) AS step
    ORDER BY noted_at DESC, step_id DESC
"""


@dataclass(frozen=True, slots=True)
class Noted:
    """One step of a goal, and when it was said."""

    goal_id: GoalId
    step: Step
    noted_at: datetime


async def find(conn: Connection, tenant: TenantId, goal_id: UUID) -> Goal | None:
    row = await conn.fetchrow(_FIND, tenant, goal_id)
    return goal_of(row) if row else None


async def of_pair(conn: Connection, pair: Pair, limit: int) -> Sequence[Goal]:
    """A pair's goals, the newest first."""
    rows = await conn.fetch(_OF_PAIR, pair.tenant, pair.pair_id, limit)
    return [goal_of(row) for row in rows]


async def count_open(conn: Connection, pair: Pair, now: datetime) -> int:
    """How many goals of the pair are open, or still wait for an answer."""
    count: int = await conn.fetchval(_COUNT_OPEN, pair.tenant, pair.pair_id, now)
    return count


async def save(conn: Connection, goals: Sequence[Goal]) -> None:
    """Insert goals, or write what became of them."""
    if not goals:
        return
    await conn.execute(_SAVE, *zip(*map(_row, goals), strict=True))


async def add_step(conn: Connection, goal: Goal, step_id: UUID, step: Step, at: datetime) -> None:
    """Keep what was said about how far the goal is. The caller holds the pair."""
    await conn.execute(
        _ADD_STEP, goal.tenant, step_id, goal.goal_id, step.by, at, step.progress, step.note
    )


async def count_steps(conn: Connection, goal: Goal) -> int:
    count: int = await conn.fetchval(_COUNT_STEPS, goal.tenant, goal.goal_id)
    return count


async def steps_of(
    conn: Connection, tenant: TenantId, goals: Sequence[Goal], limit: int
) -> Sequence[Noted]:
    """The newest steps of each of these goals, at most `limit` of each, the newest first."""
    rows = await conn.fetch(_STEPS, tenant, [goal.goal_id for goal in goals], limit)
    return [
        Noted(
            GoalId(row["goal_id"]),
            Step(PersonId(row["noted_by"]), row["progress"], row["note"]),
            row["noted_at"],
        )
        for row in rows
    ]


def goal_of(row: asyncpg.Record) -> Goal:
    """The goal in a row that holds the goal's columns."""
    return Goal(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        GoalId(row["goal_id"]),
        PersonId(row["proposed_by"]),
        row["proposed_at"],
        Wording(row["words"], row["measure"], row["due_on"]),
        PersonId(row["words_by"]),
        row["measure_by"],
        PersonId(row["answered_by"]),
        row["sweep_at"],
        row["state"],
        row["agreed_at"],
        row["progress"],
        row["moved_at"],
        row["reached_at"],
        row["revision"],
    )


def _row(goal: Goal) -> tuple[object, ...]:
    return (
        goal.tenant,
        goal.goal_id,
        goal.pair_id,
        goal.proposed_by,
        goal.proposed_at,
        goal.wording.words,
        goal.words_by,
        goal.wording.measure,
        goal.measure_by,
        goal.wording.due_on,
        goal.answered_by,
        goal.answer_until,
        goal.state,
        goal.agreed_at,
        goal.progress,
        goal.moved_at,
        goal.reached_at,
        goal.revision,
    )


# What the sweeper looks at. Of an open goal time decides nothing: it has no `sweep_at`.
SWEPT = Swept("goal", _ONGOING, goal_of, past="proposed_at")
