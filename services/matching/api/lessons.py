"""The route on what a programme's earlier pairs teach: about goals, and about nobody."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from services.matching.api.common import ProgrammePath
from services.matching.engine.lift import Cell, Lift
from services.matching.handlers import lessons as handler
from shared.asking import Reading
from shared.postgres.pool import Pool

_TOO_FEW = (
    "Too early to tell: the trust of too few pairs, mentors or mentees of this programme is known,"
    " and nothing is said about fewer than five."
)
_NOTHING = (
    "What they had in common did not tell beforehand which pairs would, so nothing is added to any"
    " fit."
)


class GoalOut(BaseModel):
    """A goal in common: how many stand behind it, in fives, and what it adds, in thousandths."""

    goal: str
    pairs: int
    mentors: int
    mentees: int
    adds_permille: int
    words: str


class CalibrationOut(BaseModel):
    """Of pairs of whom the share `said` was expected to become steady, the share `seen` did.

    Both to 0.05, `pairs` in fives; expected from the pairs of other mentors alone.
    """

    said: float
    seen: float
    pairs: int


class LessonsOut(BaseModel):
    """What was learned from pairs whose trust is known both ways.

    `brier` is the mean squared error of what was expected of mentors from others' pairs,
    `brier_base` that of the programme's rate alone: only where it is smaller beyond chance, what
    was learned is `used`. No answer is about fewer than five pairs, mentors or mentees.
    """

    used: bool
    words: str
    base_rate: float | None
    brier: float | None
    brier_base: float | None
    goals: tuple[GoalOut, ...]
    calibration: tuple[CalibrationOut, ...]


def lessons_router(pool: Pool) -> APIRouter:
    """Reading what was learned."""
    router = APIRouter(prefix="/programmes", tags=["programmes"])

    @router.get("/{programme_id}/lessons")
    async def get_lessons(asked: Reading, programme_id: ProgrammePath) -> LessonsOut:
        """Which goals in common went with steady trust in this programme, and how sure that is.

        What goes together need not be the cause. Runs use it where the programme says `learn`.
        """
        return lessons_out(await handler.lessons(pool, asked.ask, programme_id))

    return router


def lessons_out(lift: Lift) -> LessonsOut:
    """What was learned, in words beside the numbers."""
    return LessonsOut(
        used=lift.used,
        words=_words(lift),
        base_rate=lift.base_rate,
        brier=lift.brier,
        brier_base=lift.brier_base,
        goals=tuple(_goal(cell, lift) for cell in lift.cells),
        calibration=tuple(
            CalibrationOut(said=one.said, seen=one.seen, pairs=one.pairs)
            for one in lift.reliability
        ),
    )


def _words(lift: Lift) -> str:
    if lift.base_rate is None:
        return _TOO_FEW
    begin = f"About {round(lift.base_rate * 100)} % of the pairs grew steady both ways."
    if not lift.used:
        return f"{begin} {_NOTHING}"
    more = [each.goal for each in lift.cells if each.permille > 0]
    less = [each.goal for each in lift.cells if each.permille < 0]
    told = [
        f"{word} often so: pairs with {_named(goals)} in common."
        for word, goals in (("More", more), ("Less", less))
        if goals
    ]
    return " ".join((begin, *told))


def _goal(cell: Cell, lift: Lift) -> GoalOut:
    how = "more often than" if cell.permille > 0 else "less often than"
    if not cell.permille:
        how = "about as often as" if lift.used else "not foreseeably more or less often than"
    return GoalOut(
        goal=cell.goal,
        pairs=cell.pairs,
        mentors=cell.mentors,
        mentees=cell.mentees,
        adds_permille=cell.permille,
        words=f"Pairs with {_named([cell.goal])} in common grew steady {how} others.",
    )


def _named(goals: list[str]) -> str:
    return ", ".join(goal.replace("_", " ") for goal in goals)
