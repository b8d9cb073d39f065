"""Routes on a person's calendar: its address, and what is there. Holds no rule."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel

from services.sessions.calendar_feed import CONTENT_TYPE
from services.sessions.handlers import calendar
from shared.asking import Asked, Reading
from shared.postgres.pool import Pool


class AddressOut(BaseModel):
    """Where the calendar is, on the host that was asked. It is not told again."""

    path: str
    since: datetime


class CalendarOut(BaseModel):
    """Whether the calendar has an address, and since when."""

    open: bool
    since: datetime | None


def calendar_router(pool: Pool) -> APIRouter:
    """Open, look, close; and read by the secret alone."""
    router = APIRouter(tags=["calendar"])

    @router.post("/me/calendar", status_code=201)
    async def open_address(asked: Asked) -> AddressOut:
        """A new secret address for your calendar; the one before is gone. Told this once.

        A retry makes yet another, and only the newest opens it: keep what the last answer said.
        """
        secret = await calendar.open_address(pool, asked.ask)
        return AddressOut(path=f"/v1/calendar/{secret}.ics", since=asked.ask.now)

    @router.get("/me/calendar")
    async def look(asked: Reading) -> CalendarOut:
        """Whether your calendar has an address. The address itself is not kept."""
        since = await calendar.since(pool, asked.ask)
        return CalendarOut(open=since is not None, since=since)

    @router.delete("/me/calendar", status_code=204)
    async def close_address(asked: Asked) -> None:
        """From now on nothing opens your calendar."""
        await calendar.close_address(pool, asked.ask)

    _serve(router, pool)
    return router


def _serve(router: APIRouter, pool: Pool) -> None:
    """The route of those who know no more than the address."""

    @router.get(
        "/calendar/{secret}.ics",
        response_class=Response,
        responses={200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}},
    )
    async def read(
        secret: str,
        request: Request,
        if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    ) -> Response:
        """Sessions and open promises, for a calendar that subscribes. The secret is enough."""
        shown = await calendar.read(pool, secret, request.app.state.clock.now())
        etag = f'"{sha256(shown).hexdigest()[:32]}"'
        # No cache may answer for us: after a revocation nothing is there.
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if if_none_match is not None and _names(if_none_match, etag):
            return Response(status_code=304, headers=headers)
        return Response(shown, headers={**headers, "Content-Type": CONTENT_TYPE})


def _names(if_none_match: str, etag: str) -> bool:
    seen = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return etag in seen or "*" in seen
