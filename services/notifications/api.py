"""The HTTP API of notifications: parse, authorise, call one handler, render. No SQL, no rules.

Words are for their reader alone. Everybody else, services included, sees that something was said.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Path, Query
from pydantic import BaseModel

from services.notifications import handlers
from services.notifications.channels.inbox import Item, item
from services.notifications.queries.reading import START, Count, Page, Place, Record
from services.notifications.rendering import Templates
from shared.clock import Clock
from shared.errors import Forbidden, Rejected
from shared.events.fact import OPAQUE
from shared.http import Authenticated, Caller, new_api
from shared.ids import PersonId
from shared.postgres.pool import Pool

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before")
]
PersonInPath = Annotated[str, Path(pattern=OPAQUE.pattern)]


class InboxPage(BaseModel):
    """A page of an inbox; `unread` counts all of it."""

    items: list[Item]
    unread: int
    next_cursor: str | None


class ReadReceipt(BaseModel):
    """When a message was first read."""

    message_id: UUID
    read_at: datetime


class RecordPage(BaseModel):
    """A page of what was said, without the words."""

    items: list[Record]
    next_cursor: str | None


class Overview(RecordPage):
    """A page of all messages, and the number of them in each state."""

    counts: list[Count]


def build_api(pool: Pool, clock: Clock, templates: Templates) -> FastAPI:
    """The routes of the service."""
    api = new_api("notifications", "What was said to whom, and when.")
    _inbox_routes(api, pool, clock, templates)
    _record_routes(api, pool)
    return api


def _inbox_routes(api: FastAPI, pool: Pool, clock: Clock, templates: Templates) -> None:
    @api.get("/v1/people/{person_id}/inbox", summary="A person's own inbox, newest first")
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
        following = [Place(entry.created_at, entry.message.message_id) for entry in entries]
        # A newer release beside this one may have written what this one has no words for.
        known = [entry for entry in entries if templates.has(entry.message.workflow)]
        items = [item(entry, templates) for entry in known]
        return InboxPage(items=items, unread=waiting, next_cursor=_next(following, limit))

    @api.post("/v1/inbox/{message_id}/read", summary="Mark one's own message as read")
    async def mark_read(caller: Authenticated, message_id: UUID) -> ReadReceipt:
        read_at = await handlers.mark_read(
            pool, caller.tenant, caller.person, message_id, clock.now()
        )
        return ReadReceipt(message_id=message_id, read_at=read_at)


def _record_routes(api: FastAPI, pool: Pool) -> None:
    @api.get("/v1/people/{person_id}/messages", summary="What was said to a person, and why")
    async def timeline(
        caller: Authenticated, person_id: PersonInPath, limit: Limit = 50, cursor: Cursor = None
    ) -> RecordPage:
        if caller.role != "service":
            _require_self(caller, person_id)
        found = await handlers.timeline(
            pool, caller.tenant, PersonId(person_id), _page(limit, cursor)
        )
        return RecordPage(items=found, next_cursor=_next(_places(found), limit))

    @api.get("/v1/messages", summary="All messages of a tenant, without the words")
    async def overview(caller: Authenticated, limit: Limit = 50, cursor: Cursor = None) -> Overview:
        caller.require("service")
        found, counts = await handlers.overview(pool, caller.tenant, _page(limit, cursor))
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
    text = f"{last.created_at.isoformat()} {last.message_id}"
    return urlsafe_b64encode(text.encode()).decode()
