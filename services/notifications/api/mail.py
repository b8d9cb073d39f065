"""Routes of what comes back of mails: the link that stops them, reports, who gets none.

The link needs no caller: its signature says whom it is for. Looking at it changes nothing, since
mail scanners open every link; only a POST does, by the button or by the reader's mail program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.responses import HTMLResponse

from services.notifications.api.unsubscribe_page import STYLE_HASH, page
from services.notifications.handlers import mailing
from services.notifications.handlers.mailing import Stopping, Taken
from services.notifications.links import Links, Stop
from services.notifications.reports import LARGEST, Kind, Report, read
from shared.asking import Reading
from shared.clock import Clock
from shared.errors import NotFound, Rejected
from shared.events.fact import OPAQUE
from shared.ids import PersonId
from shared.postgres.pool import Pool

Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[str, Query(max_length=200, description="`person_id` of the last on the page")]
PersonInPath = Annotated[str, Path(pattern=OPAQUE.pattern)]
_PAGE = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept-Language",
}


class ReportIn(BaseModel):
    """A report as a provider's webhook tells it: of a mail of ours, or of an address."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    message_id: UUID | None = None
    address: Annotated[str, Field(min_length=3, max_length=320, pattern=r"^\S+@\S+$")] | None = None
    report_id: Annotated[str, Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _of_something(self) -> ReportIn:
        if (self.message_id is None) == (self.address is None):
            raise ValueError("exactly one of message_id and address")
        return self


class TakenOut(BaseModel):
    """What came of a report."""

    outcome: Taken | Literal["ignored"] = Field(description="ignored: a mail that reports nothing")


class SuppressedOut(BaseModel):
    """Somebody to whom no mail goes, and why."""

    person_id: PersonId
    kind: Kind
    since: datetime
    is_current: bool = Field(description="false: HR has told another address, mail goes there")


class SuppressedPage(BaseModel):
    """In the order of their ids."""

    items: Sequence[SuppressedOut]


def build_router(pool: Pool, clock: Clock, links: Links | None, stopping: Stopping) -> APIRouter:
    """The routes of mail; without `links` no token is ours."""
    router = APIRouter()
    _link_routes(router, pool, clock, links, stopping)
    _report_routes(router, pool, stopping)
    return router


def _link_routes(
    router: APIRouter, pool: Pool, clock: Clock, links: Links | None, stopping: Stopping
) -> None:
    def stop_of(token: str) -> Stop:
        stop = links.read(token) if links else None
        if stop is None:
            raise NotFound("not a link of ours", field="token")
        return stop

    @router.get(
        "/v1/unsubscribe/{token}",
        summary="The page of an unsubscribe link",
        response_class=HTMLResponse,
    )
    async def look(request: Request, token: str) -> HTMLResponse:
        """Changes nothing."""
        stop = stop_of(token)
        return _html(request, stop, is_done=False)

    @router.post(
        "/v1/unsubscribe/{token}",
        summary="Stop mails of a kind, as the link says (RFC 8058)",
        response_class=HTMLResponse,
    )
    async def unsubscribe(request: Request, token: str) -> HTMLResponse:
        """Needs no body. A second time changes nothing."""
        stop = stop_of(token)
        await mailing.unsubscribe(pool, stop, clock.now(), stopping)
        return _html(request, stop, is_done=True)


def _report_routes(router: APIRouter, pool: Pool, stopping: Stopping) -> None:
    @router.post("/v1/bounces", summary="Report a mail that came back, or a complaint")
    async def report(request: Request, asked: Reading) -> TakenOut:
        """A `message/rfc822` as it came to the bounce address, or JSON as `ReportIn`."""
        told = _report(request.headers.get("content-type", ""), await _body(request))
        if told is None:
            return TakenOut(outcome="ignored")
        return TakenOut(outcome=await mailing.take_report(pool, asked.ask, told, stopping))

    @router.get("/v1/suppressions", summary="To whom no mail goes, and why")
    async def suppressions(asked: Reading, limit: Limit = 50, after: After = "") -> SuppressedPage:
        found = await mailing.suppressions(pool, asked.ask, after, limit)
        return SuppressedPage(
            items=[
                SuppressedOut(
                    person_id=each.person,
                    kind=each.kind,
                    since=each.since,
                    is_current=each.is_current,
                )
                for each in found
            ]
        )

    @router.delete("/v1/suppressions/{person_id}", summary="Mail to them again", status_code=204)
    async def lift(asked: Reading, person_id: PersonInPath) -> None:
        await mailing.lift(pool, asked.ask, PersonId(person_id))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Rejected(f"more than {LARGEST} bytes", field="body")
    return bytes(body)


def _report(content_type: str, body: bytes) -> Report | None:
    match content_type.partition(";")[0].strip().lower():
        case "message/rfc822":
            return read(body)
        case "application/json":
            return _told(body)
        case _:
            raise Rejected("message/rfc822 or application/json", field="content-type")


def _told(body: bytes) -> Report:
    try:
        told = ReportIn.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise Rejected(str(first["msg"]), field=field) from None
    addresses = frozenset({told.address.lower()}) if told.address else frozenset[str]()
    # Hashed like those of mails, so that a provider's id cannot be taken for one of them.
    report_id = hashlib.sha256(f"told\n{told.report_id}".encode()).hexdigest()
    return Report(report_id, told.kind, told.message_id, addresses)


def _html(request: Request, stop: Stop, *, is_done: bool) -> HTMLResponse:
    language, text = page(
        request.headers.get("accept-language", ""), stop.category, is_done=is_done
    )
    return HTMLResponse(text, headers={**_PAGE, "Content-Language": language})
