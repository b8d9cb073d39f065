"""What a pair can agree on, and the first of it that a session would break. Pure.

A window is weekly wall-clock time of one person; a session is two instants. So a session is looked
at piece by piece in each one's local time: a piece ends where the clocks change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from services.sessions.domain.member import Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import away
from services.sessions.domain.session import Slot
from shared.errors import Conflict, Rejected
from shared.ids import PersonId

MINUTES_OF_DAY = 24 * 60
MAX_WINDOWS = 100

Term = Literal["channel", "hours", "off_limits", "holiday", "leave"]
_Span: TypeAlias = tuple[datetime, datetime]

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


class BreaksAgreement(Conflict):
    """That is outside what the two of you agreed on."""

    slug = "breaks-agreement"


@dataclass(frozen=True, slots=True)
class Window:
    """Weekly time of one person, in the zone they are in; `weekday` 1 is Monday.

    Minutes of the day from `from_minute` until just before `until_minute`; 1440 is midnight. What
    goes over midnight is two windows.
    """

    person_id: PersonId
    weekday: int
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What the two sides can agree on.

    Somebody without `hours` can be met at any time; `off_limits` is never, inside their hours too.
    `goals` and `topics_off_limits` are the pair's own words and stay between the two. `feedback` is
    a code for how it is given.
    """

    cadence_days: int
    notice_hours: int
    channels: tuple[str, ...]
    hours: tuple[Window, ...] = ()
    off_limits: tuple[Window, ...] = ()
    topics_off_limits: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    feedback: str | None = None
    review_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """What a session would break, and whose it is; None where it is of both."""

    term: Term
    whose: PersonId | None
    words: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One field of the terms, as it was and as it is to be."""

    field: str
    before: object
    after: object


class _Piece(NamedTuple):
    """A part of a session without a change of clocks: its first instant, and its local times."""

    at: datetime
    since: datetime
    until: datetime


_Rule: TypeAlias = Callable[[Member, Sequence[_Piece]], Broken | None]


def require_terms(terms: Terms, pair: Pair) -> None:
    """Raise Rejected, naming the field, for a window that is none or is of somebody else."""
    for field, windows in (("hours", terms.hours), ("off_limits", terms.off_limits)):
        require_windows(windows, field)
        for n, window in enumerate(windows):
            if window.person_id not in pair.members:
                raise Rejected("they are in no side of this pair", field=f"{field}.{n}.person_id")


def require_windows(windows: Sequence[Window], field: str, at_most: int = MAX_WINDOWS) -> None:
    """Raise Rejected, naming the field, for too many windows or one that is none."""
    if len(windows) > at_most:
        raise Rejected(f"at most {at_most} windows", field=field)
    for n, window in enumerate(windows):
        _require_window(window, f"{field}.{n}")


def changes(before: Terms | None, after: Terms) -> Sequence[Changed]:
    """The fields that differ, in the order of the terms; none when there is nothing before.

    The order in which windows, channels and topics are named is no difference.
    """
    if before is None:
        return ()
    pairs = (
        (each.name, getattr(before, each.name), getattr(after, each.name)) for each in fields(Terms)
    )
    return [
        Changed(name, old, new)
        for name, old, new in pairs
        if (set(old) != set(new) if isinstance(old, tuple) else old != new)
    ]


def broken_term(terms: Terms | None, pair: Pair, slot: Slot, channel: str | None) -> Broken | None:
    """The first term that a session would break, or None when it breaks none.

    A channel that is not named breaks nothing. Leaves and holidays count without any agreement.
    """
    if terms and channel is not None and channel not in terms.channels:
        return Broken("channel", None, f"you agreed to meet by {', '.join(terms.channels)}")
    sides = [
        (each, tuple(_pieces(slot, ZoneInfo(each.zone)))) for each in (pair.mentor, pair.mentee)
    ]
    rules: tuple[_Rule, ...] = (_away,)
    if terms:
        rules = (partial(_outside_hours, terms), partial(_off_limits, terms), _away)
    broken = (rule(member, pieces) for rule in rules for member, pieces in sides)
    return next((each for each in broken if each), None)


def require_unbroken(terms: Terms | None, pair: Pair, slot: Slot, channel: str | None) -> None:
    """Raise BreaksAgreement, which names the term, whose it is, and how it can be allowed once."""
    if broken := broken_term(terms, pair, slot, channel):
        raise BreaksAgreement(
            f"{broken.words}; the other side can allow it this once: "
            "propose the time to them, and it is allowed when they accept",
            field="channel" if broken.term == "channel" else "starts_at",
            allowed=("propose",),
        )


def _require_window(window: Window, field: str) -> None:
    if not 1 <= window.weekday <= len(_WEEKDAYS):
        raise Rejected("1 is Monday, 7 is Sunday", field=f"{field}.weekday")
    for name in ("from_minute", "until_minute"):
        if not 0 <= getattr(window, name) <= MINUTES_OF_DAY:
            raise Rejected(f"0 to {MINUTES_OF_DAY}, minutes of the day", field=f"{field}.{name}")
    if window.until_minute <= window.from_minute:
        raise Rejected(
            "it must be after from_minute; a window over midnight is given as two",
            field=f"{field}.until_minute",
        )


def _outside_hours(terms: Terms, member: Member, pieces: Sequence[_Piece]) -> Broken | None:
    hours = _of(terms.hours, member)
    if not hours or all(_within(piece, _on_days(hours, piece)) for piece in pieces):
        return None
    weekday = pieces[0].since.isoweekday()
    that_day = sorted((each for each in hours if each.weekday == weekday), key=_begins)
    named = ", ".join(map(_hours, that_day)) or "none"
    words = (
        f"outside the hours that are agreed for {member.person_id}: "
        f"{_WEEKDAYS[weekday - 1]} {named}, {member.zone}"
    )
    return Broken("hours", member.person_id, words)


def _off_limits(terms: Terms, member: Member, pieces: Sequence[_Piece]) -> Broken | None:
    windows = _of(terms.off_limits, member)
    for piece in pieces if windows else ():
        for window, (since, until) in _on_days(windows, piece):
            if since < piece.until and piece.since < until:
                words = (
                    f"{_WEEKDAYS[window.weekday - 1]} {_hours(window)}, {member.zone}, is off "
                    f"limits for {member.person_id}"
                )
                return Broken("off_limits", member.person_id, words)
    return None


def _away(member: Member, pieces: Sequence[_Piece]) -> Broken | None:
    for piece in pieces:
        for day in _days(piece):
            begins = max(piece.since, datetime.combine(day, time()))
            reason = away(member, piece.at + (begins - piece.since))
            if reason is not None:
                why = "has a public holiday" if reason == "holiday" else "is away"
                words = f"{member.person_id} {why} on {day.isoformat()}"
                return Broken(reason, member.person_id, words)
    return None


def _pieces(slot: Slot, zone: ZoneInfo) -> Iterator[_Piece]:
    """The session in local times. It lasts a day at most, so the clocks change once at most."""
    since, until = slot.starts_at.astimezone(UTC), slot.ends_at.astimezone(UTC)
    before, after = _offset(since, zone), _offset(until - timedelta.resolution, zone)
    if before == after:
        yield _piece(since, until, before)
        return
    change = _change(since, until, zone)
    yield _piece(since, change, before)
    yield _piece(change, until, after)


def _change(since: datetime, until: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two, to the second, at which the clocks of a zone change."""
    before = _offset(since, zone)
    # Clocks change on whole seconds; a session may begin between two.
    start = since.replace(microsecond=0)
    low, high = 0, int((until - start) / _SECOND) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(start + middle * _SECOND, zone) == before:
            low = middle
        else:
            high = middle
    return start + high * _SECOND


def _piece(since: datetime, until: datetime, offset: timedelta) -> _Piece:
    return _Piece(
        since, (since + offset).replace(tzinfo=None), (until + offset).replace(tzinfo=None)
    )


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _days(piece: _Piece) -> Iterator[date]:
    day, last = piece.since.date(), (piece.until - timedelta.resolution).date()
    while day <= last:
        yield day
        day += _DAY


def _of(windows: Iterable[Window], member: Member) -> Sequence[Window]:
    return [each for each in windows if each.person_id == member.person_id]


def _on_days(windows: Sequence[Window], piece: _Piece) -> Sequence[tuple[Window, _Span]]:
    """Every window on every day that the piece touches, as local times of that day."""
    found = []
    for day in _days(piece):
        midnight = datetime.combine(day, time())
        for each in windows:
            if each.weekday == day.isoweekday():
                since = midnight + timedelta(minutes=each.from_minute)
                until = midnight + timedelta(minutes=each.until_minute)
                found.append((each, (since, until)))
    return found


def _within(piece: _Piece, windows: Iterable[tuple[Window, _Span]]) -> bool:
    """Whether windows cover all of the piece. Those that touch are one, over midnight too."""
    covered = piece.since
    for since, until in sorted(span for _, span in windows):
        if since <= covered:
            covered = max(covered, until)
    return covered >= piece.until


def _begins(window: Window) -> int:
    return window.from_minute


def _hours(window: Window) -> str:
    minutes = (window.from_minute, window.until_minute)
    return "-".join(f"{each // 60:02}:{each % 60:02}" for each in minutes)
