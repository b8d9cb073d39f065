"""What every route begins with: who asks and when, and the cursor of a page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Header

from services.sessions.handlers.common import Ask
from services.sessions.queries.history import After, Entry
from shared.clock import Clock
from shared.errors import Rejected
from shared.http import Caller

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="the same key for a retry: it gets what the first request created",
    ),
]


class Asking:
    """Reads the clock once per request and passes it on with the caller."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def by(self, caller: Caller, key: str | None = None) -> Ask:
        return Ask(caller.tenant, caller.person, self._clock.now(), key)


def write_cursor(entry: Entry) -> str:
    """The cursor of the page after `entry`."""
    return f"{entry.occurred_at.isoformat().replace('+00:00', 'Z')}_{entry.event_id}"


def read_cursor(cursor: str | None) -> After | None:
    """Where a page goes on. Raises Rejected for what is no cursor of ours."""
    if cursor is None:
        return None
    at, _, event_id = cursor.partition("_")
    try:
        after = After(datetime.fromisoformat(at), UUID(event_id))
    except ValueError:
        raise Rejected("not a cursor of this history", field="cursor") from None
    if after.occurred_at.tzinfo is None:
        raise Rejected("not a cursor of this history", field="cursor")
    return after
