"""The session's states, and which times are free."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sessions.domain import session as rules_of
from services.sessions.domain.afterwards import confirm
from services.sessions.domain.possible import SessionClosed, SessionNotStarted
from services.sessions.domain.rules import MAX_AHEAD, MAX_SCHEDULED_SESSIONS, Rules
from services.sessions.domain.session import SessionOverlaps, Slot, TooManySessions
from shared.errors import Conflict, NotFound, Rejected
from shared.events.sessions import SessionHeld
from shared.ids import PersonId
from tests.unit.sessions.given import (
    DAY,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    STRANGER,
    scheduled,
    told,
)

START = NOW + DAY
END = START + HOUR
CLOSES = END + Rules().confirm_within


@pytest.mark.parametrize(
    "starts_at",
    [
        pytest.param(NOW - DAY, id="yesterday"),
        pytest.param(NOW, id="now"),
        pytest.param(NOW + MAX_AHEAD + INSTANT, id="in more than a year"),
    ],
)
def test_a_session_is_set_ahead_within_a_year(starts_at: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        scheduled(starts_at)
    assert refused.value.field == "starts_at"


minutes = st.integers(0, 300)
slots = st.builds(lambda at, long: (at, long), minutes, st.integers(5, 90))


@given(slots, st.lists(slots, max_size=5))
@settings(deadline=None)
def test_a_time_is_free_when_it_shares_no_minute_with_another(
    wanted: tuple[int, int], others: list[tuple[int, int]]
) -> None:
    def slot(at: int, long: int) -> Slot:
        return Slot(NOW + at * HOUR / 60, long)

    taken = {minute for at, long in others for minute in range(at, at + long)}
    at, long = wanted
    free = not taken & set(range(at, at + long))
    try:
        rules_of.require_free(slot(at, long), [slot(*other) for other in others])
        assert free
    except SessionOverlaps:
        assert not free


def test_a_pair_has_room_for_so_many_sessions_ahead() -> None:
    rules_of.require_room(MAX_SCHEDULED_SESSIONS - 1)
    with pytest.raises(TooManySessions):
        rules_of.require_room(MAX_SCHEDULED_SESSIONS)


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        pytest.param(START - INSTANT, SessionNotStarted, id="before it starts"),
        pytest.param(START, None, id="as it starts"),
        pytest.param(CLOSES - INSTANT, None, id="until it can no longer be confirmed"),
        pytest.param(CLOSES, SessionClosed, id="then no more"),
    ],
)
def test_confirming(now: datetime, refused: type[Conflict] | None) -> None:
    if refused:
        with pytest.raises(refused):
            confirm(PAIR, scheduled(START), MENTOR, now)
    else:
        confirmed, happened = confirm(PAIR, scheduled(START), MENTOR, now)
        assert (confirmed.state, confirmed.confirmed_by) == ("scheduled", (MENTOR,))
        assert happened == ()


@pytest.mark.parametrize(
    ("second_at", "held_at"),
    [
        pytest.param(END + DAY, END, id="as of its end"),
        pytest.param(END - INSTANT, END - INSTANT, id="or of when both said so, if that is sooner"),
    ],
)
def test_a_session_both_confirmed_is_held(second_at: datetime, held_at: datetime) -> None:
    one, _ = confirm(PAIR, scheduled(START), MENTEE, START)
    again, nothing = confirm(PAIR, one, MENTEE, second_at)
    both, happened = confirm(PAIR, again, MENTOR, second_at)

    assert (again, nothing) == (one, ())
    assert (both.state, told(happened)) == ("held", [("session.held", held_at)])
    assert confirm(PAIR, both, MENTOR, CLOSES + DAY) == (both, ())
    assert rules_of.close(PAIR, both) == (both, ())


@pytest.mark.parametrize(
    ("confirmed_by", "state", "facts"),
    [
        pytest.param(None, "lapsed", [], id="nobody confirmed: no evidence"),
        pytest.param(MENTEE, "held", [("session.held", END)], id="one did: held"),
    ],
)
def test_closing(
    confirmed_by: PersonId | None, state: str, facts: list[tuple[str, datetime]]
) -> None:
    session = scheduled(START)
    if confirmed_by:
        session, _ = confirm(PAIR, session, confirmed_by, END)

    closed, happened = rules_of.close(PAIR, session)

    assert (closed.state, told(happened)) == (state, facts)
    for each in happened:
        assert isinstance(each.fact, SessionHeld)
        assert each.fact.confirmed_by == (confirmed_by,)


def test_a_stranger_confirms_nothing() -> None:
    with pytest.raises(NotFound):
        confirm(PAIR, scheduled(START), STRANGER, START)
