"""Routes on asking somebody oneself, and on the wait. Nobody is told who avoids whom."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, model_validator

from services.matching import views
from services.matching.api.common import PersonName, ProgrammePath, names_of
from services.matching.domain.ask import Side
from services.matching.domain.waiting import rounded, words_of
from services.matching.engine.waiting import Wait
from services.matching.handlers import asks, waits
from services.matching.handlers.common import actor
from shared.asking import Asked, Reading
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.shapes import Body


class AskIn(Body):
    """Whom to ask: somebody to be your mentor, or somebody to be your mentee. One of the two."""

    mentor_id: PersonName | None = None
    mentee_id: PersonName | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.mentor_id is None) == (self.mentee_id is None):
            raise ValueError("name a mentor_id or a mentee_id, and not both")
        return self

    @property
    def wish(self) -> tuple[PersonName, Side]:
        """Whom, and what they would be."""
        if self.mentor_id is not None:
            return self.mentor_id, "mentor"
        assert self.mentee_id is not None
        return self.mentee_id, "mentee"


class WaitOut(BaseModel):
    """Days until somebody says yes: half wait less than the median, 8 of 10 from low to high.

    Worked out from the programme's last 90 days, and never from one person's. All are null when it
    is too early to say; the median and high are null when they are beyond two years.
    """

    too_early_to_say: bool
    low_days: int | None
    median_days: int | None
    high_days: int | None
    words: str


class MyWaitOut(BaseModel):
    """Your wait; null while you have a pair, a proposal or an ask that is open."""

    wait: WaitOut | None
    open_pair_id: PairId | None


class WaitingOut(BaseModel):
    """A programme's queue. `wait` is that of somebody whom no free place suits today."""

    people_waiting: int
    oldest_since: datetime | None
    oldest_days: int | None
    free_places: int
    wait: WaitOut


def asks_router(pool: Pool) -> APIRouter:
    """Asking somebody, and the wait."""
    router = APIRouter(prefix="/programmes/{programme_id}", tags=["asks"])

    @router.post("/asks", status_code=201)
    async def ask_for(asked: Asked, programme_id: ProgrammePath, body: AskIn) -> views.PairView:
        """Ask somebody yourself. It is a proposal with your yes, open for the programme's time.

        409 `cannot-be-asked` says nothing else of them, whatever the cause.
        """
        ask = asked.ask
        pair = await asks.ask_for(pool, ask, programme_id, *body.wish)
        names = await names_of(pool, ask, [pair])
        return asked.answer(lambda it: views.pair_view(it, actor(ask), names), pair)

    @router.get("/wait")
    async def my_wait(asked: Reading, programme_id: ProgrammePath) -> MyWaitOut:
        """How long until somebody says yes to you, honestly: an interval, or too early to say."""
        found = await waits.expected_for(pool, asked.ask, programme_id)
        if found.open_pair is not None:
            return MyWaitOut(wait=None, open_pair_id=found.open_pair.pair_id)
        return MyWaitOut(wait=wait_out(found.wait), open_pair_id=None)

    @router.get("/waiting")
    async def waiting(asked: Reading, programme_id: ProgrammePath) -> WaitingOut:
        """How many people wait, since when, and how long somebody would."""
        found = await waits.of_programme(pool, asked.ask, programme_id)
        oldest = None if found.since is None else max(0, (asked.ask.now - found.since).days)
        return WaitingOut(
            people_waiting=found.people,
            oldest_since=found.since,
            oldest_days=oldest,
            free_places=found.free_places,
            wait=wait_out(found.wait),
        )

    return router


def wait_out(wait: Wait | None) -> WaitOut:
    """The wait as it is shown."""
    low, median, high = (None, None, None) if wait is None else rounded(wait)
    return WaitOut(
        too_early_to_say=wait is None,
        low_days=low,
        median_days=median,
        high_days=high,
        words=words_of(wait),
    )
