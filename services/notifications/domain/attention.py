"""Whether a message may call for its reader's attention now. Pure: time is an argument.

Asked when a message is made and again each time it is about to be handed over: what was right in
the evening may be wrong in the morning. The inbox calls for nobody's attention, so it is always
open. Who has used up their attention for a day is counted when messages are handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from services.notifications.domain.hours import ALWAYS, Week, instant, is_open, next_open, within
from services.notifications.domain.message import DELIVERED_BY_ROW, Channel, Message, Standing
from services.notifications.domain.preferences import NO_WISHES, Wishes
from services.notifications.domain.workflow import Workflow

# Channels that people may agree on to write to each other over: then others are not used.
_WRITTEN: Mapping[str, Channel] = {"email": "email", "chat": "chat"}
# A calendar entry is no talk: it comes wherever mail may come.
_AGREED_AS: Mapping[Channel, str] = {"email": "email", "calendar": "email", "chat": "chat"}

# Who is away and has not said until when is asked about again after so long.
_OPEN_LEAVE = timedelta(days=7)

HeldBy: TypeAlias = Literal["not_yet", "leave", "quiet_hours", "pair_hours", "budget"]
DroppedBy: TypeAlias = Literal[
    "person_left",
    "too_late",
    "preference",
    "not_agreed",
    "never_open",
    "over",
    "no_address",
    "bounced",
]


@dataclass(frozen=True, slots=True)
class Leave:
    """Away from the first day to before the day they are back; None for not known yet."""

    started_on: date
    back_on: date | None


@dataclass(frozen=True, slots=True)
class Attention:
    """A person, as far as it matters when and how they may be written to."""

    standing: Standing
    zone: ZoneInfo
    wishes: Wishes = NO_WISHES
    leaves: tuple[Leave, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What the reader's pair has agreed: hours of this side, on its own clock, and channels."""

    hours: Week = ALWAYS
    channels: frozenset[str] = frozenset()


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Say:
    """It may be said now. `counts` is whether it takes one of the day's places."""

    counts: bool


@dataclass(frozen=True, slots=True)
class Gather:
    """It goes into the next digest, which is due then."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before then; why not yet."""

    until: datetime
    reason: HeldBy


@dataclass(frozen=True, slots=True)
class Drop:
    """Never; why."""

    reason: DroppedBy


Decision: TypeAlias = Say | Gather | Hold | Drop


def decide(
    message: Message, workflow: Workflow, reader: Attention, terms: Terms, now: datetime
) -> Decision:
    """What becomes of the message now, as its reader and the pair have asked."""
    if (pointless := _pointless(message, workflow, reader, terms, now)) is not None:
        return Drop(pointless)
    if message.not_before > now:
        return Hold(message.not_before, "not_yet")
    if message.channel in DELIVERED_BY_ROW:
        return Say(counts=False)
    if workflow.is_critical:
        return Say(counts=False)
    if (back := _back_from_leave(reader, now)) is not None:
        return Hold(back, "leave")
    if message.is_urgent:
        return Say(counts=False)
    if reader.wishes.mode(workflow, message.channel) == "digest":
        return Gather(next_digest(reader, now))
    return _in_hours(reader, terms, now)


def _pointless(
    message: Message, workflow: Workflow, reader: Attention, terms: Terms, now: datetime
) -> DroppedBy | None:
    if reader.standing == "left":
        return "person_left"
    if message.expires_at <= now:
        return "too_late"
    if reader.wishes.mode(workflow, message.channel) == "off":
        return "preference"
    if not (workflow.is_critical or _is_agreed(message.channel, terms)):
        return "not_agreed"
    return None


def _is_agreed(channel: Channel, terms: Terms) -> bool:
    """A pair that agreed on ways to write is written to in these; any way is fine for others."""
    agreed = terms.channels & _WRITTEN.keys()
    return channel in DELIVERED_BY_ROW or not agreed or _AGREED_AS[channel] in agreed


def _in_hours(reader: Attention, terms: Terms, now: datetime) -> Decision:
    hours = within(reader.wishes.hours, terms.hours)
    begins = _first_open(hours, reader, now)
    if begins is None:
        return Drop("never_open")
    if begins == now:
        return Say(counts=True)
    quiet = not is_open(reader.wishes.hours, reader.zone, now)
    return Hold(begins, "quiet_hours" if quiet else "pair_hours")


def next_day(reader: Attention, terms: Terms, now: datetime) -> datetime:
    """When one whose attention is used up for today may next be written to."""
    tomorrow = instant(local_day(reader, now) + timedelta(days=1), 0, reader.zone)
    hours = within(reader.wishes.hours, terms.hours)
    return _first_open(hours, reader, tomorrow) or tomorrow


def decide_digest(reader: Attention, now: datetime) -> Say | Hold | Drop:
    """What becomes of a digest that is due now."""
    if reader.standing == "left":
        return Drop("person_left")
    if (back := _back_from_leave(reader, now)) is not None:
        return Hold(back, "leave")
    begins = _first_open(reader.wishes.hours, reader, now)
    if begins is None:
        return Drop("never_open")
    return Say(counts=True) if begins == now else Hold(begins, "quiet_hours")


def next_digest(reader: Attention, now: datetime) -> datetime:
    """When what is put aside now is due: the next time they have named, after now."""
    wanted = reader.wishes.digest
    day = local_day(reader, now)
    for ahead in range(8):
        at = instant(day + timedelta(days=ahead), wanted.at_minute, reader.zone)
        if at > now and at.astimezone(reader.zone).isoweekday() in wanted.weekdays:
            return at
    raise AssertionError("a digest has a weekday")  # pragma: no cover


def local_day(reader: Attention, now: datetime) -> date:
    """The day it is where the reader is: the day their attention is counted on."""
    return now.astimezone(reader.zone).date()


def _first_open(hours: Week, reader: Attention, at: datetime) -> datetime | None:
    """The first instant in the hours at which they are not away either."""
    begins = next_open(hours, reader.zone, at)
    while begins is not None and (back := _back_from_leave(reader, begins)) is not None:
        if back == begins + _OPEN_LEAVE:
            return back
        begins = next_open(hours, reader.zone, back)
    return begins


def _back_from_leave(reader: Attention, at: datetime) -> datetime | None:
    """When somebody who is away at that instant is back; None for who is not away."""
    today = local_day(reader, at)
    away = [
        leave
        for leave in reader.leaves
        if leave.started_on <= today and (leave.back_on is None or today < leave.back_on)
    ]
    if not away:
        return None
    if any(leave.back_on is None for leave in away):
        return at + _OPEN_LEAVE
    return instant(max(leave.back_on for leave in away if leave.back_on), 0, reader.zone)
