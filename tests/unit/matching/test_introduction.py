"""Introductions: who may offer one, what makes it, and that a no cannot be told from silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain import introduction as rules
from services.matching.domain.decision import Decision
from services.matching.domain.guidance import PairTrust, Standing
from services.matching.domain.introduction import (
    ANSWER_WITHIN,
    NOT_YET,
    REST,
    Introduction,
    IntroductionClosed,
    Known,
    NotYet,
    Offer,
    OfferedAlready,
    PairNotRunning,
    TooManyIntroductions,
)
from services.matching.domain.pair import Pair
from shared.errors import Forbidden, NotFound, Rejected
from shared.events.insights import Band
from shared.events.matching import IntroductionMade, IntroductionOffered
from shared.ids import IntroductionId, PersonId
from tests.unit.matching.builders import MENTEE, MENTOR, NOW, PAIR

CONTACT, STRANGER = PersonId("carla"), PersonId("eve")
RUNNING = replace(PAIR, state="started", started_at=NOW)
WISH = Offer(IntroductionId(UUID(int=9)), CONTACT, "data")
HOUR = timedelta(hours=1)


def trust(mentor: Band = "steady", mentee: Band = "steady") -> PairTrust:
    return PairTrust(Standing(mentor, None), Standing(mentee, None))


STEADY = Known(trust())
NOT_BOTH: tuple[tuple[Band, Band], ...] = (
    ("steady", "watch"),
    ("strained", "steady"),
    ("too_early", "steady"),
    ("steady", "too_early"),
)


def offered(by: PersonId = MENTOR) -> Introduction:
    return rules.offer(RUNNING, by, WISH, STEADY, NOW).thing


def test_either_member_may_offer_once_both_directions_are_steady() -> None:
    for by, partner in ((MENTOR, MENTEE), (MENTEE, MENTOR)):
        decision = rules.offer(RUNNING, by, WISH, STEADY, NOW)

        assert (decision.thing.partner, decision.thing.until) == (partner, NOW + ANSWER_WITHIN)
        (fact,) = decision.facts
        assert isinstance(fact, IntroductionOffered)
        assert (fact.by, fact.contact) == (by, CONTACT)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(Known(None), id="nothing is known yet"),
        *(
            pytest.param(Known(trust(mentor, mentee)), id=f"{mentor} and {mentee}")
            for mentor, mentee in NOT_BOTH
        ),
    ],
)
def test_otherwise_it_is_not_yet_in_the_same_words_whoever_it_is(known: Known) -> None:
    for by in (MENTOR, MENTEE):
        with pytest.raises(NotYet) as refused:
            rules.offer(RUNNING, by, WISH, known, NOW)

        assert str(refused.value) == NOT_YET
        assert not {"mentor", "mentee", "score", "steady"} & set(str(refused.value).split())


@pytest.mark.parametrize(
    ("pair", "by", "contact", "known", "error"),
    [
        pytest.param(RUNNING, STRANGER, CONTACT, STEADY, NotFound, id="a stranger"),
        pytest.param(PAIR, MENTOR, CONTACT, STEADY, PairNotRunning, id="not started"),
        pytest.param(
            replace(RUNNING, state="ended"), MENTOR, CONTACT, STEADY, PairNotRunning, id="ended"
        ),
        pytest.param(RUNNING, MENTOR, MENTEE, STEADY, Rejected, id="to one of the two"),
        pytest.param(
            RUNNING,
            MENTOR,
            CONTACT,
            Known(trust(), 3),
            TooManyIntroductions,
            id="three are waiting",
        ),
        pytest.param(
            RUNNING,
            MENTOR,
            CONTACT,
            Known(trust(), 0, NOW - REST + HOUR),
            OfferedAlready,
            id="asked not long ago",
        ),
    ],
)
def test_what_is_no_offer(
    pair: Pair, by: PersonId, contact: PersonId, known: Known, error: type[Exception]
) -> None:
    with pytest.raises(error):
        rules.offer(pair, by, replace(WISH, contact=contact), known, NOW)


def test_a_contact_can_be_asked_again_after_a_rest() -> None:
    known = Known(trust(), 2, NOW - REST)

    assert rules.offer(RUNNING, MENTOR, WISH, known, NOW).thing.state == "offered"


@pytest.mark.parametrize("order", [(MENTEE, CONTACT), (CONTACT, MENTEE)])
def test_it_is_made_with_the_second_yes_in_either_order(order: tuple[PersonId, PersonId]) -> None:
    first = rules.accept(offered(), order[0], NOW + HOUR, can_be=True)
    second = rules.accept(first.thing, order[1], NOW + 2 * HOUR, can_be=True)
    again = rules.accept(second.thing, order[0], NOW + 3 * HOUR, can_be=True)

    assert (first.thing.state, first.facts) == ("offered", ())
    assert second.thing.state == "made"
    assert [type(fact) for fact in second.facts] == [IntroductionMade]
    assert again == Decision(second.thing)


def test_a_no_may_become_a_yes_while_there_is_time() -> None:
    no = rules.decline(offered(), CONTACT, NOW + HOUR).thing
    one = rules.accept(no, MENTEE, NOW + 2 * HOUR, can_be=True).thing
    made = rules.accept(one, CONTACT, NOW + 3 * HOUR, can_be=True).thing

    assert (no.state, one.state, made.state) == ("offered", "offered", "made")


def test_where_it_cannot_be_it_lapses_as_if_nobody_had_answered() -> None:
    one = rules.accept(offered(), MENTEE, NOW + HOUR, can_be=True).thing
    both = rules.accept(one, CONTACT, NOW + 2 * HOUR, can_be=False)
    later = rules.accept(both.thing, MENTEE, NOW + 3 * HOUR, can_be=True)

    assert (both.thing.state, both.facts) == ("offered", ())
    assert (later.thing.state, later.facts) == ("offered", ())
    assert visible(rules.lapse(later.thing, later.thing.until).thing) == visible(
        rules.lapse(offered(), offered().until).thing
    )


def visible(it: Introduction) -> object:
    """What somebody who did not answer sees of it, and can do, at any time."""
    times = (NOW, NOW + HOUR, it.until - HOUR, it.until, it.until + HOUR)
    seen = [rules.by_now(it, None, at) for at in times]
    return [
        (one.state, one.closed_at, one.outcome, rules.possible(one, who, at), one.said_by(STRANGER))
        for one, at in zip(seen, times, strict=True)
        for who in (MENTOR, MENTEE, CONTACT)
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(["yes", "no"]), st.sampled_from([MENTEE, CONTACT])), max_size=6
    )
)
def test_whatever_is_said_short_of_two_yeses_is_as_silence(
    said: list[tuple[str, PersonId]],
) -> None:
    it = offered()
    for number, (word, by) in enumerate(said):
        at = NOW + number * HOUR
        if word == "yes":
            it = rules.accept(it, by, at, can_be=False).thing
        else:
            it = rules.decline(it, by, at).thing

    assert visible(it) == visible(offered())
    lapsed, silent = rules.lapse(it, it.until), rules.lapse(offered(), it.until)
    assert lapsed.facts == silent.facts
    assert replace(lapsed.thing, stopped=False) == silent.thing, "what was said is forgotten"


def test_after_its_time_or_its_pairs_nobody_can_answer() -> None:
    it = offered()

    for lapsed in (
        rules.by_now(it, None, it.until),
        rules.by_now(it, NOW + HOUR, NOW + 2 * HOUR),
    ):
        assert lapsed.state == "lapsed"
        for say in (partial(rules.accept, can_be=True), rules.decline):
            with pytest.raises(IntroductionClosed) as refused:
                say(lapsed, CONTACT, it.until)
            assert refused.value.allowed == ()


def test_only_the_two_answer_and_strangers_know_of_nothing() -> None:
    with pytest.raises(Forbidden):
        rules.accept(offered(), MENTOR, NOW, can_be=True)
    with pytest.raises(NotFound):
        rules.decline(offered(), STRANGER, NOW)


def test_what_became_of_it_is_said_once_by_either() -> None:
    for first, second in permutations((MENTEE, CONTACT)):
        made = replace(offered(), state="made", partner_says="yes", contact_says="yes")
        said = rules.conclude(made, first, "useful", NOW)

        assert (said.thing.state, said.thing.outcome) == ("concluded", "useful")
        assert len(said.facts) == 1
        assert rules.conclude(said.thing, second, "useful", NOW) == Decision(said.thing)
        with pytest.raises(IntroductionClosed):
            rules.conclude(said.thing, second, "not_met", NOW)


def test_nothing_became_yet_of_what_was_not_made() -> None:
    with pytest.raises(IntroductionClosed) as refused:
        rules.conclude(offered(), CONTACT, "met", NOW)
    assert refused.value.allowed == ("accept", "decline")
