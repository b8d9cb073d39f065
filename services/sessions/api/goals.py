"""Routes on goals: what goes in and out, and which handler answers. Holds no rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, TypeAlias, cast
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, field_validator

from services.sessions.domain.goal import Action, Changes, Goal, State, Wording, allowed, standing
from services.sessions.domain.goal_progress import Step
from services.sessions.handlers import goals
from services.sessions.handlers.goals import GoalView
from services.sessions.queries.goals import Noted
from shared.asking import Ask, Asked, Asking, Reading
from shared.ids import GoalId, PairId
from shared.postgres.pool import Pool
from shared.shapes import Body, Line

Say: TypeAlias = Callable[[Pool, Ask, GoalId], Awaitable[Goal]]

# What is said without another word, and what the API says of it.
_PLAIN: Mapping[str, tuple[Say, str]] = {
    "agree": (goals.agree, "The other side wants it too: it is the pair's. That is published."),
    "decline": (goals.decline, "The other side does not. No reason is asked for."),
    "withdraw": (goals.withdraw, "Who proposed it takes it back."),
    "drop": (goals.drop, "Either side lets go of an open goal. Not published."),
}


class GoalIn(Body):
    """What you want to reach, how the two of you will know, and by which day."""

    words: Line
    measure: Line | None = None
    due_on: date | None = None


class GoalEdit(Body):
    """What is left out stays as it is; `measure` and `due_on` can be taken away with null."""

    words: Line | None = None
    measure: Line | None = None
    due_on: date | None = None

    @field_validator("words")
    @classmethod
    def _has_words(cls, words: str | None) -> str:
        if words is None:
            raise ValueError("a goal has words")
        return words

    def changes(self) -> Changes:
        return cast(Changes, self.model_dump(exclude_unset=True))


class ProgressIn(Body):
    """How far it is: 1 is reached."""

    progress: Annotated[float, Field(ge=0, le=1, strict=True)]
    note: Line | None = None


class StepOut(BaseModel):
    noted_by: str
    noted_at: datetime
    progress: float
    note: str | None


class GoalOut(BaseModel):
    """`allowed` are the last parts of the paths you may post to now; `edit` is a PATCH of it."""

    goal_id: UUID
    pair_id: UUID
    proposed_by: str
    proposed_at: datetime
    words: str | None
    measure: str | None
    due_on: date | None
    state: State
    waits_for: str | None
    open_until: datetime | None
    agreed_at: datetime | None
    progress: float
    moved_at: datetime | None
    reached_at: datetime | None
    allowed: Sequence[Action]


class GoalFull(GoalOut):
    """With what was said about how far it is, the newest first, at most fifty times."""

    history: Sequence[StepOut]


class GoalsOut(BaseModel):
    goals: Sequence[GoalFull]


def goal_out(stored: Goal, ask: Ask) -> GoalOut:
    """The goal as it is now, and what the one who asks may do."""
    it = standing(stored, ask.now)
    return GoalOut(
        goal_id=it.goal_id,
        pair_id=it.pair_id,
        proposed_by=it.proposed_by,
        proposed_at=it.proposed_at,
        words=it.wording.words,
        measure=it.wording.measure,
        due_on=it.wording.due_on,
        state=it.state,
        waits_for=it.reply.of if it.reply else None,
        open_until=it.answer_until,
        agreed_at=it.agreed_at,
        progress=it.progress,
        moved_at=it.moved_at,
        reached_at=it.reached_at,
        allowed=allowed(it, ask.person, ask.now),
    )


def goal_full(view: GoalView, ask: Ask) -> GoalFull:
    steps = [_step_out(each) for each in view.steps]
    return GoalFull(**dict(goal_out(view.goal, ask)), history=steps)


def _step_out(noted: Noted) -> StepOut:
    return StepOut(
        noted_by=noted.step.by,
        noted_at=noted.noted_at,
        progress=noted.step.progress,
        note=noted.step.note,
    )


def goals_router(pool: Pool) -> APIRouter:
    """Propose, answer, reword, say how far it is, read."""
    router = APIRouter(tags=["goals"])
    _propose(router, pool)
    _work(router, pool)
    for verb, (say, words) in _PLAIN.items():
        _plain(router, pool, verb, say, words)
    return router


def _answer(asked: Asking, it: Goal) -> GoalOut:
    return asked.answer(lambda thing: goal_out(thing, asked.ask), it)


def _propose(router: APIRouter, pool: Pool) -> None:
    @router.post("/pairs/{pair}/goals", status_code=201)
    async def propose(pair: UUID, body: GoalIn, asked: Asked) -> GoalOut:
        """Put a goal before the other side, who has 60 days. The words stay between you two."""
        wording = Wording(body.words, body.measure, body.due_on)
        return _answer(asked, await goals.propose(pool, asked.ask, PairId(pair), wording))

    @router.get("/pairs/{pair}/goals")
    async def view_all(pair: UUID, asked: Reading) -> GoalsOut:
        """A pair's newest goals, the newest first, with how far they were."""
        found = await goals.view_all(pool, asked.ask, PairId(pair))
        return GoalsOut(goals=[goal_full(each, asked.ask) for each in found])

    @router.get("/goals/{goal}")
    async def view(goal: UUID, asked: Reading) -> GoalFull:
        """A goal of yours: how it stands, how it got there, and what you may do."""
        found = await goals.view(pool, asked.ask, GoalId(goal))
        return asked.answer(lambda _: goal_full(found, asked.ask), found.goal)


def _work(router: APIRouter, pool: Pool) -> None:
    @router.patch("/goals/{goal}")
    async def edit(goal: UUID, body: GoalEdit, asked: Asked) -> GoalOut:
        """Either side says it in other words, while it is proposed or open. Needs If-Match.

        Whoever rewords what waits for their own word proposes it: the other side answers then.
        """
        changes = body.changes()
        return _answer(asked, await goals.edit(pool, asked.require_match(), GoalId(goal), changes))

    @router.post("/goals/{goal}/progress")
    async def progress(goal: UUID, body: ProgressIn, asked: Asked) -> GoalOut:
        """Either side says how far it is; 1 is reached, which can be put right for 14 days.

        The number is published, the note is not.
        """
        step = Step(asked.ask.person, body.progress, body.note)
        return _answer(asked, await goals.progress(pool, asked.ask, GoalId(goal), step))


def _plain(router: APIRouter, pool: Pool, verb: str, say: Say, words: str) -> None:
    @router.post(f"/goals/{{goal}}/{verb}", name=f"goal_{verb}", description=words)
    async def said(goal: UUID, asked: Asked) -> GoalOut:
        return _answer(asked, await say(pool, asked.ask, GoalId(goal)))
