"""Moving a session and calling it off: when that can be done, and what counts as notice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.sessions.domain import moving
from services.sessions.domain.member import Away
from services.sessions.domain.moving import NOTICE, Wish
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.possible import SessionClosed, SessionStarted
from services.sessions.domain.rules import MAX_AHEAD, Rules
from services.sessions.domain.session import Booking, Session, Slot
from services.sessions.domain.thing import Decision
from shared.errors import Rejected
from shared.events.sessions import SessionCancelled, SessionRescheduled
from tests.unit.sessions.given import (
    DAY,
    ENDED,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    scheduled,
    told,
)

START = NOW + 3 * DAY


def move(wish: Wish, now: datetime = NOW, session: Session | None = None) -> Decision[Session]:
    session = session or scheduled(START)
    return moving.reschedule(PAIR, session, MENTEE, wish.of(session, NOTICE), now, Rules())


def test_a_moved_session_is_another_time_of_the_same_session() -> None:
    moved, happened = move(Wish(START + DAY, 30, "video"))

    assert (moved.slot, moved.sequence) == (Slot(START + DAY, 30), 1)
    assert moved.confirm_until == START + DAY + HOUR / 2 + Rules().confirm_within
    assert told(happened) == [("session.rescheduled", NOW)]
    (fact,) = (each.fact for each in happened)
    assert isinstance(fact, SessionRescheduled)
    assert (fact.previous_starts_at, fact.starts_at, fact.by) == (START, START + DAY, MENTEE)
    assert (fact.duration_minutes, fact.channel, fact.with_notice) == (30, "video", True)


def test_to_where_it_is_is_no_move() -> None:
    assert move(Wish(START)) == (scheduled(START), ())


def test_what_was_allowed_for_the_old_time_is_not_for_the_new_one() -> None:
    allowed = replace(
        scheduled(START), booking=Booking("video", None, allowed_by=MENTOR, term="hours")
    )
    moved, _ = move(Wish(START + DAY), session=allowed)

    assert moved.booking == Booking("video")


@pytest.mark.parametrize(
    ("now", "with_notice"),
    [
        pytest.param(START - NOTICE, True, id="as long before as agreed"),
        pytest.param(START - NOTICE + INSTANT, False, id="later"),
    ],
)
def test_notice_is_counted_to_the_start_it_had(now: datetime, with_notice: bool) -> None:
    _, moved = move(Wish(START + 5 * DAY), now)
    _, cancelled = moving.cancel(PAIR, scheduled(START), MENTOR, NOTICE, now)

    for happened in (moved, cancelled):
        (fact,) = (each.fact for each in happened)
        assert isinstance(fact, SessionRescheduled | SessionCancelled)
        assert fact.with_notice is with_notice


@pytest.mark.parametrize("free", ["leave", "holiday"])
def test_who_is_away_that_day_could_not_have_said_so_early_enough(free: str) -> None:
    day = START.date()
    mentee = (
        replace(PAIR.mentee, away=(Away(day, day + DAY),))
        if free == "leave"
        else replace(PAIR.mentee, holidays=frozenset({day}))
    )
    pair = replace(PAIR, mentee=mentee)
    noticed = {}
    for by in (MENTEE, MENTOR):
        _, happened = moving.cancel(pair, scheduled(START), by, NOTICE, START - HOUR)
        (fact,) = (each.fact for each in happened)
        assert isinstance(fact, SessionCancelled)
        noticed[by] = fact.with_notice

    assert noticed == {MENTEE: True, MENTOR: False}


def test_what_is_called_off_is_called_off_once() -> None:
    cancelled, happened = moving.cancel(PAIR, scheduled(START), MENTOR, NOTICE, NOW)

    assert cancelled.state == "cancelled"
    assert told(happened) == [("session.cancelled", NOW)]
    assert moving.cancel(PAIR, cancelled, MENTEE, NOTICE, START + DAY) == (cancelled, ())
    with pytest.raises(SessionClosed) as refused:
        move(Wish(START + DAY), session=cancelled)
    assert refused.value.allowed == ()


def test_what_has_started_is_neither_moved_nor_called_off() -> None:
    with pytest.raises(SessionStarted) as moved:
        move(Wish(START + DAY), START)
    with pytest.raises(SessionStarted) as cancelled:
        moving.cancel(PAIR, scheduled(START), MENTOR, NOTICE, START)

    assert moved.value.allowed == cancelled.value.allowed == ("confirm", "no-show")


@pytest.mark.parametrize("to", [NOW - DAY, NOW, NOW + MAX_AHEAD + timedelta(minutes=1)])
def test_a_session_is_moved_ahead_within_a_year(to: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        move(Wish(to))
    assert refused.value.field == "starts_at"


def test_an_ended_pair_moves_nothing_and_can_still_call_off() -> None:
    session = scheduled(START)
    to = Wish(START + DAY).of(session, NOTICE)
    with pytest.raises(PairEnded):
        moving.reschedule(ENDED, session, MENTEE, to, NOW, Rules())
    assert moving.cancel(ENDED, session, MENTEE, NOTICE, NOW)[0].state == "cancelled"
