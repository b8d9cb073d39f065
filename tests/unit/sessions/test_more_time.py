"""Asking for more time before a promise is due: a warning, and a new time if the other agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from services.sessions.domain import promises
from services.sessions.domain.commitment import Commitment, CommitmentDue, NotNow
from services.sessions.domain.member import Away
from services.sessions.domain.rules import MAX_AHEAD, Rules
from services.sessions.domain.thing import Reply
from shared.errors import Forbidden, Rejected
from shared.events.sessions import CommitmentRenegotiated
from tests.unit.sessions.given import (
    DAY,
    DUE,
    GRACE,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    promised,
    told,
)

NOTICE = 24 * HOUR
AWAY = replace(PAIR, mentor=replace(PAIR.mentor, away=(Away(date(2026, 3, 4), date(2026, 3, 6)),)))


def asked(now: datetime = NOW + HOUR, due_at: datetime = DUE + 3 * DAY) -> Commitment:
    return promises.ask_for_time(PAIR, promised(), MENTEE, now, due_at, NOTICE)[0]


def test_to_ask_for_time_is_a_warning_and_waits_for_a_word_until_due() -> None:
    it, happened = promises.ask_for_time(
        PAIR, promised(), MENTEE, NOW + HOUR, DUE + 3 * DAY, NOTICE
    )

    assert (it.state, it.due_at, it.reply) == ("open", DUE, Reply(MENTOR, "commitment", DUE))
    assert told(happened) == [("commitment.warned", NOW + HOUR)]


def test_who_has_warned_already_warns_once() -> None:
    warned, _ = promises.warn(PAIR, promised(), MENTEE, NOW)
    it, happened = promises.ask_for_time(PAIR, warned, MENTEE, NOW + HOUR, DUE + DAY, NOTICE)

    assert (it.warned_at, happened) == (NOW, ())


@pytest.mark.parametrize("due_at", [DUE, NOW, NOW + MAX_AHEAD + 2 * DAY])
def test_more_time_is_later_and_within_a_year(due_at: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        promises.ask_for_time(PAIR, promised(), MENTEE, NOW + HOUR, due_at, NOTICE)
    assert refused.value.field == "due_at"


@pytest.mark.parametrize(
    ("asked_at", "with_notice"),
    [
        pytest.param(DUE - NOTICE, True, id="as long before as was agreed"),
        pytest.param(DUE - NOTICE + INSTANT, False, id="an instant later"),
    ],
)
def test_who_agrees_moves_it_and_says_whether_it_was_asked_in_time(
    asked_at: datetime, with_notice: bool
) -> None:
    it, happened = promises.agree_time(PAIR, asked(asked_at), MENTOR, DUE - INSTANT, Rules())

    assert (it.due_at, it.sweep_at) == (DUE + 3 * DAY, DUE + 3 * DAY + GRACE)
    assert (it.warned_at, it.reply, it.dated_at) == (None, None, DUE - INSTANT)
    assert told(happened) == [("commitment.renegotiated", DUE - INSTANT)]
    fact = happened[0].fact
    assert isinstance(fact, CommitmentRenegotiated)
    assert (fact.previous_due_at, fact.due_at, fact.with_notice) == (
        DUE,
        DUE + 3 * DAY,
        with_notice,
    )


def test_a_leave_during_the_time_that_was_agreed_on_moves_that() -> None:
    it, _ = promises.agree_time(AWAY, asked(), MENTOR, NOW + 2 * HOUR, Rules())

    assert (it.due_at, it.promised_for) == (DUE + 5 * DAY, DUE + 3 * DAY)


def test_who_refuses_leaves_it_as_it_was_and_warned_of() -> None:
    it, happened = promises.refuse_time(PAIR, asked(), MENTOR, NOW + 2 * HOUR)

    assert (it.due_at, it.asked, it.reply, it.warned_at) == (DUE, None, None, NOW + HOUR)
    assert happened == ()


@pytest.mark.parametrize("verb", ["agree_time", "refuse_time"])
def test_more_time_is_answered_before_due_and_only_when_it_was_asked_for(verb: str) -> None:
    rule, rest = getattr(promises, verb), [Rules()] if verb == "agree_time" else []

    with pytest.raises(CommitmentDue):
        rule(PAIR, asked(), MENTOR, DUE, *rest)
    with pytest.raises(NotNow):
        rule(PAIR, promised(), MENTOR, NOW + HOUR, *rest)
    with pytest.raises(Forbidden):
        rule(PAIR, asked(), MENTEE, NOW + HOUR, *rest)


def test_who_waits_for_a_word_does_not_ask_again() -> None:
    with pytest.raises(NotNow):
        promises.ask_for_time(PAIR, asked(), MENTEE, NOW + 2 * HOUR, DUE + 9 * DAY, NOTICE)


def test_the_receiver_may_let_go_instead_and_is_waited_for_no_longer() -> None:
    it, _ = promises.release(PAIR, asked(), MENTOR, NOW + 2 * HOUR)

    assert (it.state, it.asked, it.reply) == ("released", None, None)
