"""The agreement's versions, signatures and reviews."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.sessions.domain.agreement import (
    Agreement,
    AgreementEdited,
    AgreementSettled,
    AgreementSuperseded,
    Newest,
    NotYourProposal,
    OwnProposal,
    edit,
    possible,
    propose,
    sign,
    state_of,
    withdraw,
)
from services.sessions.domain.member import Member
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.review import ReviewNotOpen, review
from services.sessions.domain.terms import Changed, Terms, Window, changes
from shared.errors import NotFound, Rejected
from shared.events.sessions import AgreementReviewed, AgreementSigned
from shared.ids import PersonId, derived_id
from tests.unit.sessions.given import DAY, ENDED, MENTEE, MENTOR, NOW, PAIR, STRANGER, told

TERMS = Terms(14, 24, ("video",), review_after_days=90)
NONE, ONE, TWO = Newest(), Newest(1), Newest(2)
SIGNED_ONE = Newest(1, 1)


def proposed(newest: Newest = NONE, by: PersonId = MENTOR, terms: Terms = TERMS) -> Agreement:
    made, _ = propose(PAIR, newest, derived_id("agreement"), by, terms, NOW)
    return made


FIRST = proposed()
SECOND = proposed(ONE, MENTEE)


def signed(terms: Terms = TERMS) -> Agreement:
    return sign(PAIR, proposed(terms=terms), ONE, 1, MENTEE, NOW)[0]


def test_a_proposal_is_told_and_is_not_in_force() -> None:
    made, happened = propose(PAIR, NONE, derived_id("x"), MENTOR, TERMS, NOW)

    assert (made.version, made.signed_at, state_of(made, ONE)) == (1, None, "proposed")
    assert told(happened) == [("agreement.proposed", NOW)]


def test_the_other_side_s_signature_puts_it_in_force() -> None:
    it, happened = sign(PAIR, FIRST, ONE, 1, MENTEE, NOW + DAY)

    assert (it.signed_at, state_of(it, SIGNED_ONE)) == (NOW + DAY, "signed")
    assert told(happened) == [("agreement.signed", NOW + DAY)]


def test_what_is_signed_is_told_without_the_pair_s_own_words() -> None:
    window, quiet = Window(MENTOR, 1, 540, 600), Window(MENTEE, 5, 0, 1440)
    terms = replace(
        TERMS,
        hours=(window,),
        off_limits=(quiet,),
        goals=("speak up",),
        topics_off_limits=("salary",),
        feedback="in_writing",
    )

    _, (happened,) = sign(PAIR, proposed(terms=terms), ONE, 1, MENTEE, NOW)

    fact = happened.fact
    assert isinstance(fact, AgreementSigned)
    assert [each.weekday for each in (*fact.hours, *fact.off_limits)] == [1, 5]
    assert (fact.feedback, fact.review_on) == ("in_writing", date(2026, 5, 31))
    assert "speak up" not in fact.model_dump_json()
    assert "salary" not in fact.model_dump_json()


def test_signing_again_changes_nothing() -> None:
    assert sign(PAIR, signed(), SIGNED_ONE, 1, MENTEE, NOW + DAY) == (signed(), ())


def test_a_signature_is_for_the_text_that_was_read() -> None:
    edited, happened = edit(PAIR, FIRST, ONE, MENTOR, replace(TERMS, cadence_days=7))
    edited = replace(edited, revision=2)

    assert happened == ()
    with pytest.raises(AgreementEdited, match="read revision 2") as refused:
        sign(PAIR, edited, ONE, 1, MENTEE, NOW)
    assert refused.value.allowed == ("sign", "propose")
    assert sign(PAIR, edited, ONE, 2, MENTEE, NOW)[0].terms.cadence_days == 7


def test_a_new_proposal_voids_the_one_that_waits() -> None:
    with pytest.raises(AgreementSuperseded, match="newest is version 2"):
        sign(PAIR, FIRST, TWO, 1, MENTEE, NOW)
    with pytest.raises(AgreementSuperseded):
        edit(PAIR, FIRST, TWO, MENTOR, TERMS)
    with pytest.raises(OwnProposal):
        sign(PAIR, SECOND, TWO, 1, MENTEE, NOW)
    assert state_of(FIRST, TWO) == "superseded"
    assert sign(PAIR, SECOND, TWO, 1, MENTOR, NOW)[0].signed_at == NOW


def test_only_who_proposed_it_edits_it_or_takes_it_back() -> None:
    with pytest.raises(NotYourProposal) as refused:
        edit(PAIR, FIRST, ONE, MENTEE, TERMS)
    assert refused.value.allowed == ("sign", "propose")
    with pytest.raises(NotYourProposal):
        withdraw(PAIR, FIRST, ONE, MENTEE, NOW)


def test_what_is_signed_is_neither_edited_nor_taken_back() -> None:
    with pytest.raises(AgreementSettled, match="it is signed"):
        edit(PAIR, signed(), SIGNED_ONE, MENTOR, TERMS)
    with pytest.raises(AgreementSettled):
        withdraw(PAIR, signed(), SIGNED_ONE, MENTOR, NOW)


def test_what_is_taken_back_is_not_signed() -> None:
    back, happened = withdraw(PAIR, FIRST, ONE, MENTOR, NOW)

    assert (state_of(back, ONE), happened) == ("withdrawn", ())
    with pytest.raises(AgreementSettled, match="took this version back"):
        sign(PAIR, back, ONE, 1, MENTEE, NOW)
    with pytest.raises(AgreementSettled, match="propose a new version"):
        edit(PAIR, back, ONE, MENTOR, TERMS)
    assert withdraw(PAIR, back, ONE, MENTOR, NOW + DAY) == (back, ())


def test_the_agreement_before_stays_in_force_until_the_new_one_is_signed() -> None:
    assert state_of(signed(), Newest(2, 1)) == "signed"
    assert state_of(signed(), Newest(2, 2)) == "replaced"


def test_each_side_is_told_what_it_can_do() -> None:
    assert possible(PAIR, FIRST, MENTOR, ONE) == ("edit", "withdraw")
    assert possible(PAIR, FIRST, MENTEE, ONE) == ("sign", "propose")
    assert possible(PAIR, FIRST, MENTEE, TWO) == ("propose",)
    assert possible(PAIR, signed(), MENTOR, SIGNED_ONE) == ("review", "propose")
    assert possible(ENDED, FIRST, MENTEE, ONE) == ()


def test_a_stranger_can_do_nothing() -> None:
    with pytest.raises(NotFound):
        proposed(by=STRANGER)
    with pytest.raises(NotFound):
        edit(PAIR, FIRST, ONE, STRANGER, TERMS)
    with pytest.raises(NotFound):
        withdraw(PAIR, FIRST, ONE, STRANGER, NOW)
    with pytest.raises(NotFound):
        sign(PAIR, FIRST, ONE, 1, STRANGER, NOW)
    with pytest.raises(NotFound):
        review(PAIR, signed(), SIGNED_ONE, STRANGER, NOW)


def test_an_ended_pair_agrees_on_nothing_new() -> None:
    with pytest.raises(PairEnded):
        propose(ENDED, ONE, derived_id("x"), MENTOR, TERMS, NOW)
    with pytest.raises(PairEnded):
        edit(ENDED, FIRST, ONE, MENTOR, TERMS)
    with pytest.raises(PairEnded):
        sign(ENDED, FIRST, ONE, 1, MENTEE, NOW)
    with pytest.raises(PairEnded):
        review(ENDED, signed(), SIGNED_ONE, MENTEE, NOW)


def test_terms_that_cannot_be_are_neither_proposed_nor_edited_in() -> None:
    wrong = replace(TERMS, hours=(Window(STRANGER, 1, 0, 60),))

    with pytest.raises(Rejected, match="in no side"):
        proposed(terms=wrong)
    with pytest.raises(Rejected, match="in no side"):
        edit(PAIR, FIRST, ONE, MENTOR, wrong)


# Signed on 2 March 2026, to be looked at again by 31 May.
DUE = datetime(2026, 5, 31, 12, tzinfo=UTC)


def test_a_review_is_a_fact_once_both_have_looked() -> None:
    half, nothing = review(PAIR, signed(), SIGNED_ONE, MENTEE, DUE - DAY)
    whole, happened = review(PAIR, half, SIGNED_ONE, MENTOR, DUE)

    assert (half.reviewed_by, nothing) == ((MENTEE,), ())
    assert told(happened) == [("agreement.reviewed", DUE)]
    assert isinstance(happened[0].fact, AgreementReviewed)
    assert happened[0].fact.on_time
    assert (whole.reviewed_by, whole.review_on) == ((MENTEE, MENTOR), date(2026, 8, 29))


def test_a_review_is_late_when_the_later_one_is() -> None:
    half, _ = review(PAIR, signed(), SIGNED_ONE, MENTEE, DUE)
    whole, (happened,) = review(PAIR, half, SIGNED_ONE, MENTOR, DUE + DAY)

    assert isinstance(happened.fact, AgreementReviewed)
    assert not happened.fact.on_time
    assert whole.review_on == date(2026, 8, 30)


@pytest.mark.parametrize(
    ("zone", "on_time"),
    [
        pytest.param("Pacific/Honolulu", True, id="it is still that day where they are"),
        pytest.param("Europe/Berlin", False, id="it is the day after where they are"),
    ],
)
def test_on_time_is_by_the_day_where_the_later_one_is(zone: str, on_time: bool) -> None:
    pair = replace(PAIR, mentor=Member(MENTOR, zone))
    night = datetime(2026, 5, 31, 23, tzinfo=UTC)
    half, _ = review(pair, signed(), SIGNED_ONE, MENTEE, DUE)

    _, (happened,) = review(pair, half, SIGNED_ONE, MENTOR, night)

    assert isinstance(happened.fact, AgreementReviewed)
    assert happened.fact.on_time is on_time


def test_a_review_opens_two_weeks_before_its_day() -> None:
    with pytest.raises(ReviewNotOpen, match="from 2026-05-17 on"):
        review(PAIR, signed(), SIGNED_ONE, MENTOR, DUE - 15 * DAY)
    assert review(PAIR, signed(), SIGNED_ONE, MENTOR, DUE - 14 * DAY)[0].reviewed_by == (MENTOR,)


def test_reviewing_again_is_nothing_until_the_next_review_opens() -> None:
    half, _ = review(PAIR, signed(), SIGNED_ONE, MENTEE, DUE)
    assert review(PAIR, half, SIGNED_ONE, MENTEE, DUE) == (half, ())
    whole, _ = review(PAIR, half, SIGNED_ONE, MENTOR, DUE)

    assert review(PAIR, whole, SIGNED_ONE, MENTEE, DUE + DAY) == (whole, ())
    next_time, happened = review(PAIR, whole, SIGNED_ONE, MENTOR, DUE + 80 * DAY)
    assert (next_time.reviewed_by, happened) == ((MENTOR,), ())


def test_only_what_is_in_force_and_has_a_date_is_reviewed() -> None:
    with pytest.raises(AgreementSettled, match="not in force"):
        review(PAIR, FIRST, ONE, MENTOR, DUE)
    with pytest.raises(AgreementSuperseded, match="version 2 is in force"):
        review(PAIR, signed(), Newest(2, 2), MENTOR, DUE)
    with pytest.raises(ReviewNotOpen, match="no review was agreed on"):
        review(PAIR, signed(Terms(14, 24, ("video",))), SIGNED_ONE, MENTOR, DUE)


def test_what_would_change_is_named_field_by_field() -> None:
    after = replace(TERMS, cadence_days=7, goals=("speak up",))

    assert changes(TERMS, after) == [
        Changed("cadence_days", 14, 7),
        Changed("goals", (), ("speak up",)),
    ]


def test_another_order_is_no_change() -> None:
    one, other = Window(MENTOR, 1, 0, 60), Window(MENTEE, 1, 0, 60)
    before = replace(TERMS, channels=("video", "chat"), hours=(one, other))

    assert changes(before, replace(before, channels=("chat", "video"), hours=(other, one))) == []
    assert changes(TERMS, TERMS) == []


def test_where_nothing_was_agreed_nothing_changes() -> None:
    assert changes(None, TERMS) == ()
