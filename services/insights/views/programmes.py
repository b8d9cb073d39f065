"""What HR and managers get to see of programmes: releases, exactly as they were published.

A cell that was withheld and one that never was are answered alike: asking tells nothing of a unit.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel

from services.insights.domain.epochs import epoch_named, name_of
from services.insights.queries import programmes
from services.insights.queries.programmes import Asked, Known, Release
from shared.errors import NotFound
from shared.events import insights as wire
from shared.ids import ProgrammeId, TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

TOO_FEW = "too few people to show"
NOT_YET = "not measured yet"


class ProgrammeMeasure(BaseModel):
    """One cell at the end of one epoch. `unit` null is the programme as a whole.

    Counts are rounded down to fives, shares and means to 0.05; every share is of all pairs.
    """

    unit: str | None
    epoch: str
    as_of: AwareDatetime
    model: str
    pairs: int
    mentors: int
    mentees: int
    health: float
    bands: dict[wire.Band, float]
    facets: dict[wire.Facet, float]
    benefits: dict[wire.Benefit, float]


class ProgrammeMeasures(BaseModel):
    """Cells, the newest epoch first, the programme before its units.

    `next` is the `after` of the next page, if there is one. `note` says why nothing is shown.
    """

    programme_id: str
    items: list[ProgrammeMeasure]
    next: str | None
    note: str | None


class Programme(BaseModel):
    """A programme; `measured` is the newest epoch it was measured for, if it ever was."""

    programme_id: str
    measured: str | None


class Programmes(BaseModel):
    """Programmes in the order of their ids; `next` is the `after` of the next page."""

    items: list[Programme]
    next: str | None


class Seen(NamedTuple):
    """An answer, and whether it can ever become another."""

    page: ProgrammeMeasures
    final: bool


async def measures(pool: Pool, of: tuple[TenantId, ProgrammeId], asked: Asked, limit: int) -> Seen:
    """Released cells of a programme. Raises NotFound for a programme that no pair was ever in."""
    async with reading_for(pool, of[0]) as conn:
        known = await programmes.find_programme(conn, *of)
        if known is None:
            raise NotFound("there is no such programme")
        found = await programmes.releases(conn, of, asked, limit + 1)
    shown = found[:limit]
    page = ProgrammeMeasures(
        programme_id=known.programme_id,
        items=[_measure(each) for each in shown],
        next=_cursor(shown[-1]) if len(found) > limit else None,
        note=None if shown or asked.after else _why_nothing(known, asked.epoch),
    )
    return Seen(page, asked.epoch is not None and _measured(known, asked.epoch))


async def listed(pool: Pool, tenant: TenantId, after: str, limit: int) -> Programmes:
    """Programmes of a tenant, after the programme `after`."""
    async with reading_for(pool, tenant) as conn:
        found = await programmes.programmes_page(conn, tenant, after, limit + 1)
    items = [
        Programme(
            programme_id=each.programme_id,
            measured=None if each.measured is None else name_of(each.measured),
        )
        for each in found[:limit]
    ]
    return Programmes(items=items, next=items[-1].programme_id if len(found) > limit else None)


def cursor(text: str) -> tuple[int, str]:
    """Where a page ended, from `next`: yyyy-mm:unit."""
    epoch, _, unit = text.partition(":")
    return epoch_named(epoch), unit


def _cursor(last: Release) -> str:
    return f"{name_of(last.epoch)}:{last.unit}"


def _measure(release: Release) -> ProgrammeMeasure:
    fact = wire.ProgrammeMeasured.model_validate_json(release.fact)
    told = fact.model_dump(exclude={"programme_id", "org_unit"})
    return ProgrammeMeasure(unit=fact.org_unit, **told)


def _measured(known: Known, epoch: int) -> bool:
    return known.measured is not None and epoch <= known.measured


def _why_nothing(known: Known, epoch: int | None) -> str:
    # By the programme alone, never by the unit that was asked for.
    over = known.measured is not None if epoch is None else _measured(known, epoch)
    return TOO_FEW if over else NOT_YET
