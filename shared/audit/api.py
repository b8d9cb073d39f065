"""Routes on the audit trail. Reading it is on record like everything else; writes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.audit import reading
from shared.audit.line import Link
from shared.audit.queries import Asked
from shared.events.fact import OPAQUE
from shared.http import Authenticated, Caller
from shared.postgres.pool import Pool
from shared.shapes import Instant

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
# Whom a person is told by id: who acts for the organisation. Of others, the role.
_NAMED = ("manager", "hr", "service", "ops")

_Id = Annotated[str, StringConstraints(pattern=OPAQUE.pattern)]


class PageIn(BaseModel):
    """Which page; `cursor` is the last one's `next_cursor`."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[int, Field(ge=1, le=2**62)] | None = None


class WantedIn(PageIn):
    """Which lines: asked by `person`; with `about` among the ids of the path."""

    person: _Id | None = None
    about: _Id | None = None
    since: Instant | None = None
    until: Instant | None = None


class LineOut(BaseModel):
    """One line. `status` is null where a change was about to begin: `request` is the same in the
    line that says how it went. `person` is empty for somebody who did not sign in.
    """

    seq: int
    at: datetime
    request: UUID
    person: str
    role: str
    method: str
    route: str
    ids: dict[str, str]
    status: int | None
    hash: str


class LinesOut(BaseModel):
    """Lines, newest first; `next_cursor` is null on the last page."""

    lines: tuple[LineOut, ...]
    next_cursor: int | None


class SeenOut(BaseModel):
    """Somebody asked about you. `person` is null for another participant."""

    at: datetime
    person: str | None
    role: str
    method: str
    route: str
    status: int | None


class SeenByOut(BaseModel):
    """Who asked, newest first; `next_cursor` is null on the last page."""

    lines: tuple[SeenOut, ...]
    next_cursor: int | None


def audit_router(pool: Pool, prefix: str = "") -> APIRouter:
    """Who read or changed what: for HR; and for everybody, about themselves."""
    router = APIRouter(prefix=prefix, tags=["audit"])

    @router.get("/audit")
    async def page(caller: Authenticated, wanted: Annotated[WantedIn, Query()]) -> LinesOut:
        """What was asked of this service."""
        asked = Asked(wanted.person, wanted.about, wanted.since, wanted.until)
        found, following = await _page(pool, caller, asked, wanted)
        return LinesOut(lines=tuple(map(_line, found)), next_cursor=following)

    @router.get("/me/audit")
    async def mine(caller: Authenticated, wanted: Annotated[PageIn, Query()]) -> SeenByOut:
        """Who asked for something with your id in its path."""
        found, following = await _page(pool, caller, Asked(about=caller.person), wanted)
        return SeenByOut(lines=tuple(map(_seen, found)), next_cursor=following)

    return router


async def _page(
    pool: Pool, caller: Caller, asked: Asked, page: PageIn
) -> tuple[list[Link], int | None]:
    more = await reading.page(pool, caller.tenant, asked, page.cursor, page.limit + 1)
    found = more[: page.limit]
    return found, found[-1].seq if len(more) > page.limit else None


def _line(link: Link) -> LineOut:
    line = link.line
    return LineOut(
        seq=link.seq,
        at=line.at,
        request=line.request,
        person=line.person,
        role=line.role,
        method=line.method,
        route=line.route,
        ids=dict(line.ids),
        status=line.status,
        hash=link.hash.hex(),
    )


def _seen(link: Link) -> SeenOut:
    line = link.line
    return SeenOut(
        at=line.at,
        person=line.person if line.role in _NAMED else None,
        role=line.role,
        method=line.method,
        route=line.route,
        status=line.status,
    )
