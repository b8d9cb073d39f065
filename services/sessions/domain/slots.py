"""Times at which both can meet. Proposes; books nothing and keeps nothing. Pure.

Times begin on a quarter of an hour, in every zone there is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.sessions.domain.member import Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_AHEAD
from services.sessions.domain.session import Slot
from services.sessions.domain.terms import Terms, broken_term
from shared.errors import Rejected

# When people who have agreed on no hours are asked to meet, in local time, Monday to Friday.
OFFICE_OPENS, OFFICE_CLOSES = time(9), time(17)
_FRIDAY = 5
_STEP = timedelta(minutes=15)


def free(
    taken: Iterable[Slot],
    fits: Callable[[Slot], bool],
    duration_minutes: int,
    between: tuple[datetime, datetime],
    limit: int,
) -> Sequence[Slot]:
    """The first `limit` times that begin between two instants, fit, and overlap nothing taken."""
    since, until = between
    busy = _busy(taken)
    starts = [each[0] for each in busy]
    found: list[Slot] = []
    at = _next_quarter(since)
    while at < until and len(found) < limit:
        slot = Slot(at, duration_minutes)
        # Only the last that begins before this one ends can be in its way: they do not overlap.
        before = bisect_right(starts, slot.ends_at - timedelta.resolution) - 1
        if before >= 0 and busy[before][1] > at:
            at = _next_quarter(busy[before][1])
            continue
        if fits(slot):
            found.append(slot)
        at += _STEP
    return found


def within(since: datetime | None, span: timedelta, now: datetime) -> tuple[datetime, datetime]:
    """From when until when to look: nothing that has begun, and nothing over a year ahead.

    Raises Rejected for a beginning that is too far.
    """
    # A session begins after now, not at now.
    since = max(since or now, now + timedelta.resolution)
    if since > now + MAX_AHEAD:
        raise Rejected("a session can be at most a year ahead", field="from")
    return since, min(since + span, now + MAX_AHEAD)


def suits(pair: Pair, terms: Terms | None, slot: Slot) -> bool:
    """Whether the two would meet then: it breaks nothing they agreed, and nobody is away.

    Who has agreed on no hours would meet on weekdays between nine and five, where they are.
    """
    agreed = {window.person_id for window in terms.hours} if terms else set()
    return all(
        member.person_id in agreed or _in_office(member, slot)
        for member in (pair.mentor, pair.mentee)
    ) and not broken_term(terms, pair, slot, None)


def _in_office(member: Member, slot: Slot) -> bool:
    zone = ZoneInfo(member.zone)
    begins, ends = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    return (
        begins.isoweekday() <= _FRIDAY
        and begins.date() == ends.date()
        and begins.time() >= OFFICE_OPENS
        and ends.time() <= OFFICE_CLOSES
    )


def _next_quarter(at: datetime) -> datetime:
    over = (at.astimezone(UTC) - datetime(2000, 1, 1, tzinfo=UTC)) % _STEP
    return at.astimezone(UTC) + (_STEP - over if over else timedelta(0))


def _busy(taken: Iterable[Slot]) -> Sequence[tuple[datetime, datetime]]:
    """What is taken, in order, each time apart from the next."""
    merged: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted((each.starts_at, each.ends_at) for each in taken):
        if merged and begins <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], ends)
        else:
            merged.append((begins, ends))
    return merged
