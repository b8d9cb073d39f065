"""Commands on goals, and reading them. Holds no rule and no SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.sessions.domain import goal as rules_of
from services.sessions.domain import goal_progress
from services.sessions.domain.goal import Changes, Goal, Wording
from services.sessions.domain.goal_progress import Step
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change, create, find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import goals
from services.sessions.queries.goals import Noted
from shared.asking import Ask
from shared.ids import GoalId, PairId, new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for

MAX_SHOWN = 100
MAX_STEPS_SHOWN = 50
FIRST = 1

Rule: TypeAlias = Callable[..., Decision[Goal]]


@dataclass(frozen=True, slots=True)
class GoalView:
    """A goal, and how far it was, the newest first."""

    goal: Goal
    steps: Sequence[Noted]


async def propose(pool: Pool, ask: Ask, pair_id: PairId, wording: Wording) -> Goal:
    """Put a goal before the other side."""

    async def decide(work: Work) -> Decision[Goal]:
        decided = rules_of.propose(work.pair, GoalId(new_id()), ask.person, wording, ask.now)
        rules_of.require_room(await goals.count_open(work.conn, work.pair, ask.now))
        return decided

    return await create(pool, ask, pair_id, goals, ("goal", wording), decide)


async def agree(pool: Pool, ask: Ask, goal_id: GoalId) -> Goal:
    """Say, as the other side, that one wants it too: as one read it, or as it first was."""
    return await _say(pool, ask, goal_id, rules_of.agree, ask.if_match or FIRST)


async def decline(pool: Pool, ask: Ask, goal_id: GoalId) -> Goal:
    """Say, as the other side, that one does not."""
    return await _say(pool, ask, goal_id, rules_of.decline)


async def withdraw(pool: Pool, ask: Ask, goal_id: GoalId) -> Goal:
    """Take back what one proposed."""
    return await _say(pool, ask, goal_id, rules_of.withdraw)


async def drop(pool: Pool, ask: Ask, goal_id: GoalId) -> Goal:
    """Let go of a goal."""
    return await _say(pool, ask, goal_id, rules_of.drop)


async def edit(pool: Pool, ask: Ask, goal_id: GoalId, changes: Changes) -> Goal:
    """Say a goal in other words."""
    return await _say(pool, ask, goal_id, rules_of.edit, changes)


async def progress(pool: Pool, ask: Ask, goal_id: GoalId, step: Step) -> Goal:
    """Say how far a goal is."""

    async def decide(work: Work, it: Goal) -> Decision[Goal]:
        already = await goals.count_steps(work.conn, it)
        decided = goal_progress.progress(work.pair, it, step, ask.now, already)
        if decided[0] != it:
            await goals.add_step(work.conn, it, new_id(), step, ask.now)
        return decided

    return await change(pool, ask, goals, goal_id, ("progress", step), decide)


async def view(pool: Pool, ask: Ask, goal_id: GoalId) -> GoalView:
    """One goal of a pair that one is in, with its history. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        it = await find(conn, ask, goals, goal_id)
        await find_pair(conn, ask, it.pair_id)
        return (await _with_steps(conn, ask, [it]))[0]


async def view_all(pool: Pool, ask: Ask, pair_id: PairId) -> Sequence[GoalView]:
    """A pair's newest goals, with their histories. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        return await _with_steps(conn, ask, await goals.of_pair(conn, pair, MAX_SHOWN))


async def _with_steps(conn: Connection, ask: Ask, found: Sequence[Goal]) -> Sequence[GoalView]:
    steps = await goals.steps_of(conn, ask.tenant, found, MAX_STEPS_SHOWN)
    return [
        GoalView(goal, [each for each in steps if each.goal_id == goal.goal_id]) for goal in found
    ]


async def _say(pool: Pool, ask: Ask, goal_id: GoalId, rule: Rule, *said: object) -> Goal:
    def decide(work: Work, it: Goal) -> Decision[Goal]:
        return rule(work.pair, it, ask.person, ask.now, *said)

    return await change(pool, ask, goals, goal_id, (rule.__name__, *said), decide)
