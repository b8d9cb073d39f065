"""Routes on programmes: who may meet whom in each, and what counts. For those who oversee them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter

from services.matching.api.common import ProgrammeName, ProgrammePath
from services.matching.domain.programme import (
    WHOLE,
    Policy,
    Programme,
    Rules,
    Settings,
    Stages,
    Weights,
)
from services.matching.handlers import programmes
from shared.asking import Asked, Reading
from shared.postgres.pool import Pool
from shared.shapes import Body, Line

Unit = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Grade = Annotated[int, Field(ge=-100, le=100)]
Weight = Annotated[float, Field(ge=0, le=WHOLE, allow_inf_nan=False)]
Span = Annotated[timedelta, Field(ge=timedelta(hours=1), le=timedelta(days=90))]
_PLAIN = TypeAdapter(Settings)

# As large as a column of them.
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


class RulesIn(Body):
    """Hard rules: a pair that breaks one is never proposed. One's manager is always excluded."""

    common_language: bool = True
    shared_goal: bool = True
    min_overlap_minutes: Annotated[int, Field(ge=0)] = 30
    report_line: bool = False
    org_units: Literal["any", "same", "different"] = "any"
    min_grade_gap: Grade | None = None
    max_grade_gap: Grade | None = None


class WeightsIn(Body):
    """How much each part of a fit counts: only the ratios matter."""

    goals: Weight = Weights().goals
    related: Weight = Weights().related
    languages: Weight = Weights().languages
    hours: Weight = Weights().hours


class SettingsIn(Body):
    """Everything a run needs to know beside the people. Spans are ISO 8601, as in `P14D`."""

    org_units: Annotated[tuple[Unit, ...], Field(max_length=200)] = ()
    rules: RulesIn = RulesIn()
    weights: WeightsIn = WeightsIn()
    policy: Policy = "flow"
    stages: Stages = "direct"
    candidates: Annotated[int, Field(ge=1, le=100)] = Settings().candidates
    max_capacity: Annotated[int, Field(ge=0, le=50)] | None = None
    churn_permille: Annotated[int, Field(ge=0, le=WHOLE)] = Settings().churn_permille
    learn: bool = False
    answer_within: Span = Settings().answer_within
    ask_within: Span = Settings().ask_within
    rank_within: Span = Settings().rank_within

    def plain(self) -> Settings:
        """As the rules read them."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        given["rules"] = Rules(**self.rules.model_dump())
        given["weights"] = Weights(**self.weights.model_dump())
        return Settings(**given)


class ProgrammeIn(Body):
    """A programme as it is to be: what is left out is as the defaults have it."""

    name: Line
    is_open: bool = True
    settings: SettingsIn = SettingsIn()


class ProgrammeOut(BaseModel):
    """A programme; `version` is what a run names, and the ETag."""

    programme_id: ProgrammeName
    name: str
    is_open: bool
    version: int
    changed_at: datetime
    settings: SettingsIn


class ProgrammesOut(BaseModel):
    """The programmes of the tenant, by id."""

    programmes: tuple[ProgrammeOut, ...]


def settings_out(settings: Settings) -> SettingsIn:
    """Settings as they go in, with all that was left out."""
    return SettingsIn.model_validate(_PLAIN.dump_python(settings))


def programme_out(it: Programme) -> ProgrammeOut:
    """The programme for those who oversee it."""
    return ProgrammeOut(
        programme_id=it.programme_id,
        name=it.name,
        is_open=it.is_open,
        version=it.revision,
        changed_at=it.changed_at,
        settings=settings_out(it.settings),
    )


def programmes_router(pool: Pool) -> APIRouter:
    """Making, changing and reading programmes."""
    router = APIRouter(prefix="/programmes", tags=["programmes"])

    @router.put("/{programme_id}")
    async def put(asked: Asked, programme_id: ProgrammePath, body: ProgrammeIn) -> ProgrammeOut:
        """Make a programme, or change it under `If-Match`: a new version. Runs keep theirs."""
        wish = programmes.Wish(body.name, body.settings.plain(), body.is_open)
        kept = await programmes.put(pool, asked.ask, programme_id, wish)
        return asked.answer(programme_out, kept)

    @router.get("/{programme_id}")
    async def get(
        asked: Reading, programme_id: ProgrammePath, version: Version = None
    ) -> ProgrammeOut:
        """A programme as it is, or as it was at a version."""
        return asked.answer(
            programme_out, await programmes.find(pool, asked.ask, programme_id, version)
        )

    @router.get("")
    async def all_programmes(asked: Reading) -> ProgrammesOut:
        """The tenant's programmes."""
        found = await programmes.find_all(pool, asked.ask)
        return ProgrammesOut(programmes=tuple(programme_out(each) for each in found))

    return router
