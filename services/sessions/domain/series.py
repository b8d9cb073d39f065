"""Sessions that come again: the same time of the clocks in one zone, every so many days. Pure.

A local time that the clocks skip on a day is the one they show instead; of one that comes twice it
is the first. Each is an ordinary session from then on: somebody who moves to another zone meets at
the instants that were booked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_AHEAD, MAX_SCHEDULED_SESSIONS
from services.sessions.domain.session import Slot
from shared.errors import Conflict, Rejected
from shared.ids import PairId, PersonId, TenantId

MAX_OCCURRENCES = 26
DEFAULT_EVERY_DAYS = 14


class NothingFits(Conflict):
    """None of the times can be booked."""

    slug = "nothing-fits"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`first` is a local time without a zone, of the clocks in `zone`, an IANA name."""

    first: datetime
    zone: str
    duration_minutes: int
    count: int
    every_days: int
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A time that was not booked, and why: overlap, too_far, too_many, or the term it breaks."""

    starts_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Series:
    """What was asked for and what was left out of it; the sessions themselves know their series."""

    tenant: TenantId
    pair_id: PairId
    series_id: UUID
    made_by: PersonId
    made_at: datetime
    rhythm: Rhythm
    left_out: tuple[LeftOut, ...] = ()
    called_off_at: datetime | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.series_id

    @property
    def reply(self) -> None:
        """Nobody's word is waited for."""
        return


def occurrences(rhythm: Rhythm) -> Sequence[Slot]:
    """The times, in order, in UTC."""
    zone = ZoneInfo(rhythm.zone)
    days = (rhythm.first + n * timedelta(days=rhythm.every_days) for n in range(rhythm.count))
    starts = (local.replace(tzinfo=zone, fold=0).astimezone(UTC) for local in days)
    return [Slot(each, rhythm.duration_minutes) for each in starts]


def plan(
    series: Series,
    taken: Iterable[Slot],
    ahead: int,
    broken: Callable[[Slot], str | None],
    now: datetime,
) -> tuple[Series, Sequence[Slot]]:
    """Which of the times are booked. `broken` names the term that a time breaks, if it does.

    `taken` are the times of either side in any pair, `ahead` how many sessions the pair has.
    Raises Rejected when the first is past, and NothingFits.
    """
    slots = _ahead(series.rhythm, now)
    busy = list(taken)
    booked: list[Slot] = []
    left_out: list[LeftOut] = []
    for slot in slots:
        reason: str | None = None
        if slot.starts_at > now + MAX_AHEAD:
            reason = "too_far"
        elif any(slot.overlaps(other) for other in busy):
            reason = "overlap"
        elif (reason := broken(slot)) is None and ahead + len(booked) >= MAX_SCHEDULED_SESSIONS:
            reason = "too_many"
        if reason is None:
            booked.append(slot)
            busy.append(slot)
        else:
            left_out.append(LeftOut(slot.starts_at, reason))
    if not booked:
        reasons = Counter(each.reason for each in left_out)
        named = ", ".join(f"{many} {reason}" for reason, many in reasons.items())
        raise NothingFits(f"none of the {len(slots)} times can be booked: {named}", allowed=())
    return replace(series, left_out=tuple(left_out)), booked


def _ahead(rhythm: Rhythm, now: datetime) -> Sequence[Slot]:
    first = rhythm.first.replace(tzinfo=UTC)
    # Roughly, before anything is counted on from it: no calendar goes on for ever.
    if first > now + 2 * MAX_AHEAD:
        raise Rejected("the first can be at most a year ahead", field="starts_at_local")
    if first < now - timedelta(days=2) or (slots := occurrences(rhythm))[0].starts_at <= now:
        raise Rejected("the first can only be ahead", field="starts_at_local")
    return slots


def call_off(pair: Pair, series: Series, by: PersonId, now: datetime) -> Series:
    """The series, called off; doing so again changes nothing. Its sessions are for the caller."""
    pair.side_of(by)
    return series if series.called_off_at else replace(series, called_off_at=now)
