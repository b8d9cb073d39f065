"""What is said once a session has started, and what becomes of a claim that somebody was away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.sessions.domain import afterwards as say
from services.sessions.domain.afterwards import ANSWER_WITHIN, SETTLE_WITHIN, Outcome
from services.sessions.domain.member import Away
from services.sessions.domain.possible import (
    SessionClaimed,
    SessionClosed,
    SessionConfirmed,
    SessionNotStarted,
)
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Session, close
from services.sessions.domain.thing import Reply
from shared.errors import Conflict, Rejected
from shared.events.sessions import SessionHeld, SessionMissed
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
CLAIMED_AT = START + HOUR / 4
MISSED = [("session.missed", START)]


def claimed() -> Session:
    """The mentor says that the mentee was not there."""
    return say.claim(PAIR, scheduled(START), MENTOR, CLAIMED_AT)[0]


def disputed() -> Session:
    return say.dispute(PAIR, claimed(), MENTEE, END)[0]


def test_who_says_that_they_were_not_there_themselves_settles_it() -> None:
    missed, happened = say.was_not_there(PAIR, scheduled(START), MENTEE, END)

    assert (missed.state, missed.missed_by, missed.reply) == ("missed", (MENTEE,), None)
    assert told(happened) == MISSED
    fact = happened[0].fact
    assert isinstance(fact, SessionMissed)
    assert (fact.missed_by, fact.excused) == ((MENTEE,), None)
    assert say.was_not_there(PAIR, missed, MENTEE, END) == (missed, ())


def test_both_can_say_that_they_were_not_there() -> None:
    one, _ = say.was_not_there(PAIR, scheduled(START), MENTEE, END)
    both, happened = say.was_not_there(PAIR, one, MENTOR, END)

    assert both.missed_by == (MENTEE, MENTOR)
    (fact,) = (each.fact for each in happened)
    assert isinstance(fact, SessionMissed)
    assert fact.missed_by == (MENTOR,)


def test_a_claim_about_the_other_is_no_fact_and_waits_for_their_word() -> None:
    session, happened = say.claim(PAIR, scheduled(START), MENTOR, CLAIMED_AT)

    assert happened == ()
    assert session.state == "claimed"
    assert session.reply == Reply(MENTEE, "session", CLAIMED_AT + ANSWER_WITHIN)
    assert say.claim(PAIR, session, MENTOR, END) == (session, ())


def test_the_accused_has_three_days_of_their_presence_to_answer() -> None:
    leave = Away((CLAIMED_AT + DAY).date(), (CLAIMED_AT + 8 * DAY).date())
    away = replace(PAIR, mentee=replace(PAIR.mentee, away=(leave,)))

    session, _ = say.claim(away, scheduled(START), MENTOR, CLAIMED_AT)

    assert session.sweep_at == CLAIMED_AT + ANSWER_WITHIN + 7 * DAY


def test_who_is_on_leave_without_end_is_waited_for_without_end() -> None:
    away = replace(PAIR, mentee=replace(PAIR.mentee, away=(Away(NOW.date(), None),)))

    session, _ = say.claim(away, scheduled(START), MENTOR, CLAIMED_AT)

    assert session.reply == Reply(MENTEE, "session", None)


def test_a_claim_that_is_admitted_is_a_miss_as_of_the_start() -> None:
    missed, happened = say.was_not_there(PAIR, claimed(), MENTEE, END + DAY)

    assert (missed.state, missed.missed_by, missed.reply) == ("missed", (MENTEE,), None)
    assert told(happened) == MISSED


def test_a_claim_that_nobody_answers_stands() -> None:
    missed, happened = close(PAIR, claimed())

    assert (missed.state, missed.missed_by) == ("missed", (MENTEE,))
    assert told(happened) == MISSED


def test_an_answer_that_comes_too_late_changes_nothing_swept_or_not() -> None:
    late = CLAIMED_AT + ANSWER_WITHIN
    for session in (claimed(), close(PAIR, claimed())[0]):
        for rule in (say.dispute, say.was_not_there):
            with pytest.raises(SessionClosed) as refused:
                rule(PAIR, session, MENTEE, late)
            assert refused.value.allowed == ("repair",)
            assert str(refused.value) == "it is missed; you can repair it"


def test_a_disputed_claim_is_not_published_and_waits_for_nobody_in_particular() -> None:
    session, happened = say.dispute(PAIR, claimed(), MENTEE, END)

    assert happened == ()
    assert (session.state, session.reply) == ("disputed", None)
    assert session.sweep_at == END + SETTLE_WITHIN
    assert say.dispute(PAIR, session, MENTEE, END + HOUR) == (session, ())


def test_a_dispute_that_nobody_settles_is_no_evidence() -> None:
    session, happened = close(PAIR, disputed())

    assert (session.state, happened) == ("lapsed", ())


def test_who_has_confirmed_has_answered_the_claim_before_it_came() -> None:
    session, _ = say.confirm(PAIR, scheduled(START), MENTEE, END)
    session, happened = say.claim(PAIR, session, MENTOR, END)

    assert (session.state, session.reply, happened) == ("disputed", None, ())


def test_two_who_say_the_same_of_each_other_disagree() -> None:
    session, happened = say.claim(PAIR, claimed(), MENTEE, END)

    assert (session.state, session.confirmed_by, happened) == ("disputed", (), ())


def test_a_claim_taken_back_in_time_leaves_the_session_as_it_was() -> None:
    assert say.withdraw(PAIR, claimed(), MENTOR, END) == (scheduled(START), ())


@pytest.mark.parametrize("now", [END + DAY, CLOSES, CLOSES + DAY])
def test_a_disputed_claim_taken_back_leaves_the_word_of_the_accused(now: object) -> None:
    assert isinstance(now, type(NOW))
    session, happened = say.withdraw(PAIR, disputed(), MENTOR, now)
    if session.state == "scheduled":
        session, happened = close(PAIR, session)

    assert session.state == "held"
    assert told(happened) == [("session.held", END)]
    (fact,) = (each.fact for each in happened)
    assert isinstance(fact, SessionHeld)
    assert fact.confirmed_by == (MENTEE,)


def test_a_claim_taken_back_after_the_time_to_confirm_is_no_evidence() -> None:
    late = say.claim(PAIR, scheduled(START), MENTOR, CLOSES - INSTANT)[0]

    session, happened = say.withdraw(PAIR, late, MENTOR, CLOSES)

    assert (session.state, happened) == ("lapsed", ())


@pytest.mark.parametrize(
    ("outcome", "missed_by", "state", "facts"),
    [
        pytest.param("held", (), "held", [("session.held", END)], id="held"),
        pytest.param("missed", (), "missed", MISSED, id="missed by the accused"),
        pytest.param("missed", (MENTOR,), "missed", MISSED, id="missed by who claimed"),
        pytest.param("missed", (MENTEE, MENTOR), "missed", MISSED, id="missed by both"),
        pytest.param("nothing", (), "lapsed", [], id="nobody can tell"),
    ],
)
def test_a_manager_settles_it(
    outcome: Outcome, missed_by: tuple[PersonId, ...], state: str, facts: list[object]
) -> None:
    session, happened = say.resolve(PAIR, disputed(), outcome, missed_by, END + DAY)

    assert (session.state, told(happened)) == (state, facts)
    for each in happened:
        if isinstance(each.fact, SessionMissed):
            assert each.fact.missed_by == (missed_by or (MENTEE,))
        if isinstance(each.fact, SessionHeld):
            assert each.fact.confirmed_by == (MENTEE,)


def test_what_is_settled_before_the_planned_end_is_no_fact_about_the_future() -> None:
    both = say.claim(PAIR, claimed(), MENTEE, CLAIMED_AT)[0]

    _, happened = say.resolve(PAIR, both, "held", (), CLAIMED_AT)

    assert told(happened) == [("session.held", CLAIMED_AT)]


@pytest.mark.parametrize(
    ("outcome", "missed_by"), [("missed", (STRANGER,)), ("held", (MENTEE,)), ("nothing", (MENTEE,))]
)
def test_a_judgement_that_makes_no_sense_names_its_field(
    outcome: Outcome, missed_by: tuple[PersonId, ...]
) -> None:
    with pytest.raises(Rejected) as refused:
        say.resolve(PAIR, disputed(), outcome, missed_by, END + DAY)
    assert refused.value.field == "missed_by"


def test_there_is_nothing_to_settle_without_a_dispute_or_once_it_has_lapsed() -> None:
    for session, now in ((claimed(), END), (disputed(), END + SETTLE_WITHIN)):
        with pytest.raises(SessionClosed):
            say.resolve(PAIR, session, "held", (), now)


def test_who_was_on_leave_or_had_a_holiday_is_excused_and_the_other_is_not() -> None:
    leave = Away(START.date(), (START + DAY).date())
    pair = replace(
        PAIR,
        mentee=replace(PAIR.mentee, away=(leave,)),
        mentor=replace(PAIR.mentor, holidays=frozenset({START.date()})),
    )
    _, happened = say.resolve(pair, disputed(), "missed", (MENTEE, MENTOR), END + DAY)

    excused = {
        each.fact.missed_by: each.fact.excused
        for each in happened
        if isinstance(each.fact, SessionMissed)
    }
    assert excused == {(MENTEE,): "leave", (MENTOR,): "holiday"}


def test_an_outage_excuses_who_was_there_for_none_of_it() -> None:
    own, of_own = say.was_not_there(PAIR, scheduled(START), MENTEE, END, outage=True)
    other, _ = say.claim(PAIR, scheduled(START), MENTOR, END, outage=True)
    _, of_other = close(PAIR, other)

    assert own.state == "missed"
    for happened in (of_own, of_other):
        (fact,) = (each.fact for each in happened)
        assert isinstance(fact, SessionMissed)
        assert fact.excused == "outage"


@pytest.mark.parametrize(
    ("by", "session", "now", "refused", "allowed"),
    [
        pytest.param(
            MENTOR,
            scheduled(START),
            START - INSTANT,
            SessionNotStarted,
            ("reschedule", "cancel"),
            id="nobody was away before it starts",
        ),
        pytest.param(
            MENTOR,
            say.confirm(PAIR, scheduled(START), MENTOR, END)[0],
            END,
            SessionConfirmed,
            (),
            id="not after saying that it took place",
        ),
        pytest.param(
            MENTOR, scheduled(START), CLOSES, SessionClosed, (), id="not once it has closed"
        ),
        pytest.param(
            MENTOR, claimed(), END, SessionClaimed, ("withdraw",), id="who claims takes it back"
        ),
    ],
)
def test_saying_that_one_was_not_there_is_refused_with_what_is_allowed(
    by: PersonId,
    session: Session,
    now: object,
    refused: type[Conflict],
    allowed: tuple[str, ...],
) -> None:
    assert isinstance(now, type(NOW))
    with pytest.raises(refused) as said:
        say.was_not_there(PAIR, session, by, now)
    assert said.value.allowed == allowed


def test_the_claim_of_the_last_moment_leaves_all_the_time_to_answer() -> None:
    late = CLOSES - timedelta(microseconds=1)
    session, _ = say.claim(PAIR, scheduled(START), MENTOR, late)

    assert session.sweep_at == late + ANSWER_WITHIN
    assert say.dispute(PAIR, session, MENTEE, CLOSES + DAY)[0].state == "disputed"
