"""Routes of what is read: one's inbox, its live stream, and what is on record.

Words are for their reader alone. Everybody else, services included, sees that something was said.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from services.notifications.channels.inbox import Item, item
from services.notifications.handlers import reading as handlers
from services.notifications.live import Live
from services.notifications.queries.reading import START, Count, Page, Place, Record
from services.notifications.rendering import Templates
from shared.clock import Clock
from shared.errors import Forbidden, Rejected
from shared.events.fact import OPAQUE
from shared.http import Authenticated, Caller
from shared.ids import PersonId
from shared.postgres.pool import Pool
from shared.shapes import Instant

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before")
]
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
PersonInPath = Annotated[str, Path(pattern=OPAQUE.pattern)]


class InboxPage(BaseModel):
    """A page of an inbox; `unread` counts all of it."""

    items: list[Item]
    unread: int
    next_cursor: str | None


class ReadReceipt(BaseModel):
    """When a message was first read."""

    message_id: UUID
    read_at: datetime | None


class ReadUntil(BaseModel):
    """Up to where an inbox has been read: the `sent_at` of the newest that was seen."""

    until: Instant


class AllRead(BaseModel):
    """How many messages were unread until then."""

    marked: int


class RecordPage(BaseModel):
    """A page of what was said, without the words."""

    items: list[Record]
    next_cursor: str | None


class Overview(RecordPage):
    """A page of all messages, and the number of them in each state."""

    counts: list[Count]


def build_router(pool: Pool, clock: Clock, templates: Templates, live: Live) -> APIRouter:
    """The routes of what was said."""
    router = APIRouter()
    _inbox_routes(router, pool, clock, templates)
    _stream_route(router, live)
    _record_routes(router, pool, clock)
    return router


def _inbox_routes(router: APIRouter, pool: Pool, clock: Clock, templates: Templates) -> None:
    @router.get("/v1/people/{person_id}/inbox", summary="A person's own inbox, newest first")
    async def read_inbox(
        caller: Authenticated,
        person_id: PersonInPath,
        limit: Limit = 50,
        cursor: Cursor = None,
        unread: bool = False,
    ) -> InboxPage:
        _require_self(caller, person_id)
        entries, waiting = await handlers.read_inbox(
            pool, caller.tenant, caller.person, _page(limit, cursor), unread=unread
        )
        following = [Place(entry.sent_at, entry.message.message_id) for entry in entries]
        # A newer release beside this one may have written what this one has no words for.
        known = [entry for entry in entries if templates.has(entry.message.workflow)]
        items = [item(entry, templates) for entry in known]
        return InboxPage(items=items, unread=waiting, next_cursor=_next(following, limit))

    @router.post("/v1/inbox/{message_id}/read", summary="Mark one's own message as read")
    async def mark_read(caller: Authenticated, message_id: UUID) -> ReadReceipt:
        read_at = await handlers.mark_read(
            pool, caller.tenant, caller.person, message_id, clock.now()
        )
        return ReadReceipt(message_id=message_id, read_at=read_at)

    @router.post("/v1/inbox/{message_id}/unread", summary="Mark one's own message as unread")
    async def mark_unread(caller: Authenticated, message_id: UUID) -> ReadReceipt:
        await handlers.mark_read(pool, caller.tenant, caller.person, message_id, None)
        return ReadReceipt(message_id=message_id, read_at=None)

    @router.post("/v1/inbox/read", summary="Mark as read what came until then")
    async def mark_all_read(caller: Authenticated, body: ReadUntil) -> AllRead:
        marked = await handlers.mark_all_read(
            pool, caller.tenant, caller.person, body.until, clock.now()
        )
        return AllRead(marked=marked)


def _stream_route(router: APIRouter, live: Live) -> None:
    @router.get(
        "/v1/people/{person_id}/inbox/stream", summary="One's inbox, live", responses=_STREAM
    )
    async def stream(caller: Authenticated, person_id: PersonInPath) -> StreamingResponse:
        """What is unread at first, and then whatever comes. After a break it begins anew."""
        _require_self(caller, person_id)
        return StreamingResponse(
            live.stream(caller.tenant, caller.person),
            media_type="text/event-stream; charset=utf-8",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _record_routes(router: APIRouter, pool: Pool, clock: Clock) -> None:
    @router.get("/v1/people/{person_id}/messages", summary="What was said to a person, and why")
    async def timeline(
        caller: Authenticated, person_id: PersonInPath, limit: Limit = 50, cursor: Cursor = None
    ) -> RecordPage:
        """Also what was not said, or not yet, and the reason."""
        if caller.role != "service":
            _require_self(caller, person_id)
        found = await handlers.timeline(
            pool, caller.tenant, PersonId(person_id), _page(limit, cursor)
        )
        return RecordPage(items=found, next_cursor=_next(_places(found), limit))

    @router.get("/v1/messages", summary="All messages of a tenant, without the words")
    async def overview(caller: Authenticated, limit: Limit = 50, cursor: Cursor = None) -> Overview:
        found, counts = await handlers.overview(
            pool, caller.tenant, _page(limit, cursor), clock.now()
        )
        return Overview(items=found, counts=list(counts), next_cursor=_next(_places(found), limit))


def _require_self(caller: Caller, person_id: str) -> None:
    if caller.person != person_id:
        raise Forbidden("this is for the person alone", field="person_id")


def _places(records: list[Record]) -> list[Place]:
    return [Place(record.created_at, record.message_id) for record in records]


def _page(limit: int, cursor: str | None) -> Page:
    if cursor is None:
        return Page(limit, START)
    try:
        at, message_id = urlsafe_b64decode(cursor.encode()).decode("ascii").split(" ")
        # asyncpg takes the machine's zone for a time without one, so ours always have one.
        return Page(limit, Place(datetime.fromisoformat(at).astimezone(UTC), UUID(message_id)))
    except (ValueError, OverflowError):
        raise Rejected("not a cursor that this list has given", field="cursor") from None


def _next(places: list[Place], limit: int) -> str | None:
    if len(places) < limit:
        return None
    last = places[-1]
    text = f"{last.at.isoformat()} {last.message_id}"
    return urlsafe_b64encode(text.encode()).decode()
