"""Routes of the preference centre: one's own, and for managers those of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.notifications.domain.hours import Week
from services.notifications.domain.message import Channel
from services.notifications.domain.preferences import Choices, Digest, Hours
from services.notifications.domain.workflow import Category, Mode
from services.notifications.domain.workflows import WORKFLOWS
from services.notifications.handlers import preferences
from services.notifications.handlers.preferences import LATEST, Chosen
from services.notifications.queries.preferences import EVERYBODY, Change
from shared.asking import Asked, Reading
from shared.ids import PersonId
from shared.postgres.pool import Pool

Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[
    int, Query(ge=1, le=LATEST, description="the last `revision` of the page before")
]


class Kind(BaseModel):
    """A kind of message and how it comes: `now`, in the `digest`, or not at all."""

    category: Category
    ways: dict[Channel, Mode]
    can_change: bool = Field(description="what nobody can go without cannot be changed")


class ChosenOut(BaseModel):
    """What was chosen, and under it what comes of it with everybody's choices and our own."""

    revision: int
    choices: Choices
    hours: Sequence[Hours] = Field(description="when messages may come, on the reader's own clock")
    budget_per_day: int = Field(description="how many messages may call for attention on a day")
    digest: Digest
    kinds: dict[str, Kind]


class ChangeOut(BaseModel):
    """A change: what was chosen from then on."""

    revision: int
    changed_at: datetime
    changed_by: PersonId
    how: str = Field(description="chosen, unsubscribed (by the link in a mail) or complained")
    choices: Choices


class ChangesOut(BaseModel):
    """Changes, the newest first."""

    items: Sequence[ChangeOut]


def build_router(pool: Pool) -> APIRouter:
    """Each PUT replaces everything and needs the ETag that was read; `"0"` for the first."""
    router = APIRouter()
    _own(router, pool)
    _everybodys(router, pool)
    return router


def _own(router: APIRouter, pool: Pool) -> None:
    @router.get("/v1/me/preferences", summary="What I have chosen, and what comes of it")
    async def look(asked: Reading) -> ChosenOut:
        found = await preferences.look(pool, asked.ask, asked.ask.person)
        return asked.answer(_out, found)

    @router.put("/v1/me/preferences", summary="Choose ways, hours, how much, and when to gather")
    async def choose(asked: Asked, body: Choices) -> ChosenOut:
        ask = asked.require_match()
        return asked.answer(_out, await preferences.choose(pool, ask, ask.person, body))

    @router.get("/v1/me/preferences/changes", summary="What I have changed, and when")
    async def changes(asked: Reading, limit: Limit = 50, before: Before = LATEST) -> ChangesOut:
        found = await preferences.changes(
            pool, asked.ask, asked.ask.person, before=before, limit=limit
        )
        return ChangesOut(items=[_change(each) for each in found])


def _everybodys(router: APIRouter, pool: Pool) -> None:
    @router.get("/v1/preferences", summary="What holds for everybody who has not chosen")
    async def look(asked: Reading) -> ChosenOut:
        return asked.answer(_out, await preferences.look(pool, asked.ask, EVERYBODY))

    @router.put("/v1/preferences", summary="Choose for everybody who has not chosen")
    async def choose(asked: Asked, body: Choices) -> ChosenOut:
        ask = asked.require_match()
        return asked.answer(_out, await preferences.choose(pool, ask, EVERYBODY, body))

    @router.get("/v1/preferences/changes", summary="Who chose what for everybody, and when")
    async def changes(asked: Reading, limit: Limit = 50, before: Before = LATEST) -> ChangesOut:
        found = await preferences.changes(pool, asked.ask, EVERYBODY, before=before, limit=limit)
        return ChangesOut(items=[_change(each) for each in found])


def _out(chosen: Chosen) -> ChosenOut:
    wishes = chosen.wishes
    return ChosenOut(
        revision=chosen.revision,
        choices=chosen.kept.choices,
        hours=_hours(wishes.hours),
        budget_per_day=wishes.budget_per_day,
        digest=wishes.digest,
        kinds={
            name: Kind(
                category=WORKFLOWS[name].category,
                ways=ways,
                can_change=not WORKFLOWS[name].is_critical,
            )
            for name, ways in preferences.modes(wishes).items()
        },
    )


def _hours(week: Week) -> list[Hours]:
    return [
        Hours(weekday=each.weekday, from_minute=each.from_minute, until_minute=each.until_minute)
        for each in week
    ]


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        revision=change.revision,
        changed_at=change.changed_at,
        changed_by=change.changed_by,
        how=change.how,
        choices=change.choices,
    )
