"""Where a page of things in time goes on, as text. Knows no route."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.sessions.queries.history import After, Entry
from shared.errors import Rejected


def write_cursor(entry: Entry | After) -> str:
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
