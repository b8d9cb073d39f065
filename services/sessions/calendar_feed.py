"""A person's sessions and promises as iCalendar (RFC 5545). Data in, bytes out; asks nobody.

Instants are written in UTC: every client shows them in its own zone, across a change of clocks and
a move to another country, and none has to be told the rules of a zone. A promise is an event that
takes no time of the day and not a to-do: calendars that subscribe to an address show no to-dos.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from icalendar import Calendar, Event

CONTENT_TYPE = "text/calendar; charset=utf-8"
# How often a client should look again.
REFRESH = timedelta(hours=1)
# A promise is shown as the last quarter of an hour before it is due: an event without a length is
# not shown by every client.
DUE_SHOWN = timedelta(minutes=15)

# What no line of text may hold (RFC 5545 3.3.11), and what would hide or turn round the rest.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Meeting:
    """A session as its calendar shows it. `moved` grows with every change of its time or state."""

    session_id: UUID
    starts_at: datetime
    ends_at: datetime
    state: Literal["confirmed", "cancelled"]
    moved: int
    changed_at: datetime
    partner: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """An open promise of the person whose calendar it is."""

    commitment_id: UUID
    due_at: datetime
    moved: int
    changed_at: datetime
    title: str | None = None
    partner: str | None = None


def render(meetings: Iterable[Meeting], promises: Iterable[Due], zone: str) -> bytes:
    """The whole calendar. The same data gives the same bytes.

    `zone` is where the person is now: a hint for clients that ask for one.
    """
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Trustfold//Sessions//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", "Mentoring")
    calendar.add("x-wr-calname", "Mentoring")
    calendar.add("x-wr-timezone", zone)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for meeting in meetings:
        calendar.add_component(_session(meeting))
    for promise in promises:
        calendar.add_component(_promise(promise))
    rendered: bytes = calendar.to_ical()
    return rendered


def _session(meeting: Meeting) -> Event:
    words = f"Mentoring session with {meeting.partner}" if meeting.partner else "Mentoring session"
    event = _event(meeting.session_id, "SESSION", words, meeting.moved, meeting.changed_at)
    event.add("dtstart", meeting.starts_at)
    event.add("dtend", meeting.ends_at)
    event.add("status", meeting.state.upper())
    event.add("transp", "OPAQUE" if meeting.state == "confirmed" else "TRANSPARENT")
    if meeting.channel:
        event.add("location", _text(meeting.channel))
    return event


def _promise(promise: Due) -> Event:
    to = f" to {promise.partner}" if promise.partner else ""
    words = f"Due: {promise.title}" if promise.title else f"Due: what you promised{to}"
    event = _event(promise.commitment_id, "COMMITMENT", words, promise.moved, promise.changed_at)
    event.add("dtstart", promise.due_at - DUE_SHOWN)
    event.add("dtend", promise.due_at)
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event


def _event(id_: UUID, category: str, words: str, moved: int, changed_at: datetime) -> Event:
    event = Event()
    # The same for ever: a client that sees it again changes what it has.
    event.add("uid", f"{id_}@trustfold")
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("sequence", moved)
    event.add("summary", _text(words))
    event.add("categories", [category])
    return event


def _text(words: str) -> str:
    return _UNPRINTABLE.sub(" ", words.replace("\r\n", "\n").replace("\r", "\n"))
