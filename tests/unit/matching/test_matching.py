"""Who is proposed to whom: hard rules, fit, and what an unmatched mentee is told."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.matching import (
    Barrier,
    Candidate,
    Outcome,
    Together,
    as_mentee,
    as_mentor,
    barrier,
    fit,
    propose,
)
from services.matching.solver import assign
from shared.ids import PersonId
from tests.unit.matching.builders import NOW, candidate, person, window

NOBODY_TRIED: frozenset[Together] = frozenset()
TRIED = frozenset({(PersonId("mentor"), PersonId("mentee"))})
MONDAY_MORNING = 0b1111 << 36
FRIDAY = 0b1111 << 420
TOPICS = ("python", "speaking", "data", "leading")


def run(mentors: Sequence[Candidate], mentees: Sequence[Candidate], limit: int = 1000) -> Outcome:
    return propose(mentors, mentees, NOBODY_TRIED, assign, limit)


def couples(outcome: Outcome) -> list[tuple[str, str]]:
    return [(proposal.mentor_id, proposal.mentee_id) for proposal in outcome.proposals]


@pytest.mark.parametrize(
    ("mentor", "mentee", "tried", "expected"),
    [
        pytest.param(
            candidate("mentor"), candidate("mentee"), NOBODY_TRIED, None, id="nothing in the way"
        ),
        pytest.param(
            candidate("mentor"),
            candidate("mentee", manager="mentor"),
            NOBODY_TRIED,
            Barrier.ONLY_MANAGER,
            id="never one's manager",
        ),
        pytest.param(
            candidate("mentor", manager="mentee"),
            candidate("mentee"),
            NOBODY_TRIED,
            Barrier.ONLY_MANAGER,
            id="never the one whom one manages",
        ),
        pytest.param(
            candidate("mentor"),
            candidate("mentee"),
            TRIED,
            Barrier.ALREADY_TRIED,
            id="never the same two again",
        ),
        pytest.param(
            candidate("mentor", languages=["de"]),
            candidate("mentee"),
            NOBODY_TRIED,
            Barrier.NO_COMMON_LANGUAGE,
            id="a common language is needed",
        ),
        pytest.param(
            candidate("mentor", languages=[]),
            candidate("mentee", languages=[]),
            NOBODY_TRIED,
            Barrier.NO_COMMON_LANGUAGE,
            id="two who named no language have none in common",
        ),
        pytest.param(
            candidate("mentor", topics=["data"]),
            candidate("mentee"),
            NOBODY_TRIED,
            Barrier.NO_SHARED_GOAL,
            id="one of the goals has to be offered",
        ),
        pytest.param(
            candidate("mentor", topics=["data"]),
            candidate("mentee", topics=[]),
            NOBODY_TRIED,
            None,
            id="who named no goal is open to any",
        ),
        pytest.param(
            candidate("mentor", slots=MONDAY_MORNING),
            candidate("mentee", slots=FRIDAY),
            NOBODY_TRIED,
            Barrier.NO_OVERLAPPING_HOURS,
            id="hours that never meet",
        ),
        pytest.param(
            candidate("mentor", slots=MONDAY_MORNING),
            candidate("mentee"),
            NOBODY_TRIED,
            None,
            id="hours are asked only of two who gave them",
        ),
    ],
)
def test_hard_rules(
    mentor: Candidate, mentee: Candidate, tried: frozenset[Together], expected: Barrier | None
) -> None:
    assert barrier(mentor, mentee, tried) == expected
    assert (fit(mentor, mentee, tried) > 0) == (expected is None)


@pytest.mark.parametrize(
    ("mentor", "mentee", "expected"),
    [
        pytest.param(
            candidate("mentor", topics=TOPICS, slots=0xFFFF),
            candidate("mentee", topics=TOPICS, slots=0xFFFF),
            1000,
            id="everything in common is a full fit",
        ),
        pytest.param(candidate("mentor"), candidate("mentee"), 700, id="no hours, no part of them"),
        pytest.param(
            candidate("mentor"),
            candidate("mentee", topics=["python", "data"]),
            450,
            id="one goal of two is half the goals",
        ),
        pytest.param(
            candidate("mentor", languages=["en", "de"]),
            candidate("mentee", languages=["en", "fr"]),
            600,
            id="one language of two is half the languages",
        ),
        pytest.param(
            candidate("mentor", slots=0xFF),
            candidate("mentee", slots=0xFF),
            850,
            id="two hours a week are half of enough",
        ),
    ],
)
def test_fit_is_the_weighted_overlap(mentor: Candidate, mentee: Candidate, expected: int) -> None:
    assert fit(mentor, mentee, NOBODY_TRIED) == expected


def test_the_reasons_say_what_is_shared_and_add_up_to_the_fit() -> None:
    mentor = candidate("mentor", topics=["python", "data"], slots=0xFF)
    mentee = candidate("mentee", topics=["python", "data", "speaking"], slots=0xFF)
    (proposal,) = run([mentor], [mentee]).proposals
    assert [(reason.code, reason.detail) for reason in proposal.grounds] == [
        ("shared_goals", ("data", "python")),
        ("shared_languages", ("en",)),
        ("shared_hours", ("120",)),
    ]
    weights = sum(round(reason.weight * 1000) for reason in proposal.grounds)
    assert weights == proposal.fit_permille


@pytest.mark.parametrize(
    ("mentors", "expected"),
    [
        pytest.param([], Barrier.NO_MENTORS, id="there is nobody"),
        pytest.param([candidate("mentee")], Barrier.NO_MENTORS, id="the only mentor is oneself"),
        pytest.param([candidate("boss")], Barrier.ONLY_MANAGER, id="only the manager is there"),
        pytest.param(
            [candidate("boss"), candidate("hans", languages=["de"])],
            Barrier.NO_COMMON_LANGUAGE,
            id="the rule that came last is the one to name",
        ),
        pytest.param(
            [candidate("full", free=0), candidate("hans", languages=["de"])],
            Barrier.NO_MENTOR_CAPACITY,
            id="somebody would suit, but is full",
        ),
    ],
)
def test_an_unmatched_mentee_is_told_what_would_have_helped(
    mentors: list[Candidate], expected: Barrier
) -> None:
    outcome = run(mentors, [candidate("mentee", manager="boss")])
    assert [(one.person_id, one.reason) for one in outcome.unmatched] == [("mentee", expected)]


def test_a_mentor_takes_no_more_than_there_are_places() -> None:
    outcome = run([candidate("mentor", free=2)], [candidate(name) for name in ("a", "b", "c")])
    assert couples(outcome) == [("mentor", "a"), ("mentor", "b")]
    assert outcome.unmatched[0].reason == Barrier.NO_MENTOR_CAPACITY


def test_nobody_is_left_out_so_that_another_fits_better() -> None:
    # "a" fits "m1" best, but then "b", who fits nobody else, would get no one.
    m1 = candidate("m1", topics=["python", "data"])
    m2 = candidate("m2", topics=["python"])
    a = candidate("a", topics=["python", "data"])
    b = candidate("b", topics=["data"])
    assert sorted(couples(run([m1, m2], [a, b]))) == [("m1", "b"), ("m2", "a")]


def test_equal_fits_go_to_the_smaller_ids() -> None:
    mentors = [candidate("m2"), candidate("m1"), candidate("m3")]
    assert couples(run(mentors, [candidate("b"), candidate("a")]))[0][0] == "m1"
    assert couples(run(mentors, [candidate("a")])) == [("m1", "a")]


def test_a_limit_keeps_the_best_and_says_who_was_cut() -> None:
    mentors = [candidate("m1"), candidate("m2", topics=["python", "data"])]
    mentees = [candidate("a", topics=["python", "data"]), candidate("b")]
    outcome = run(mentors, mentees, limit=1)
    assert len(outcome.proposals) == 1
    assert [one.reason for one in outcome.unmatched] == [Barrier.OVER_LIMIT]


def test_regional_languages_understand_each_other() -> None:
    mentor = as_mentor(person("m", languages=("pt-BR",)), 1, NOW)
    mentee = as_mentee(person("n", languages=("pt",)), NOW)
    assert barrier(mentor, mentee, NOBODY_TRIED) is None


def test_a_mentor_in_tokyo_and_a_mentee_in_lisbon_meet_in_real_time() -> None:
    mentor = person("m", timezone="Asia/Tokyo", hours=(window(1, 17, 19),))
    near = person("near", timezone="Europe/Lisbon", hours=(window(1, 8, 10),))
    same_clock = person("far", timezone="Europe/Lisbon", hours=(window(1, 17, 19),))
    tokyo = as_mentor(mentor, 1, NOW)
    assert barrier(tokyo, as_mentee(near, NOW), NOBODY_TRIED) is None
    far = as_mentee(same_clock, NOW)
    assert barrier(tokyo, far, NOBODY_TRIED) == Barrier.NO_OVERLAPPING_HOURS


PEOPLE = st.lists(
    st.tuples(st.sets(st.sampled_from(TOPICS)), st.integers(0, 3), st.sampled_from(["en", "de"])),
    max_size=7,
)


@settings(deadline=None, max_examples=60)
@given(PEOPLE, PEOPLE, st.randoms(use_true_random=False))
def test_the_same_people_in_any_order_give_the_same_fair_outcome(
    mentors: list[tuple[set[str], int, str]],
    mentees: list[tuple[set[str], int, str]],
    order: random.Random,
) -> None:
    ones = [
        candidate(f"m{n}", topics=t, free=f, languages=[x]) for n, (t, f, x) in enumerate(mentors)
    ]
    others = [candidate(f"n{n}", topics=t, languages=[x]) for n, (t, _, x) in enumerate(mentees)]
    outcome = run(ones, others)

    order.shuffle(ones)
    order.shuffle(others)
    assert run(ones, others) == outcome

    by_id = {one.person_id: one for one in (*ones, *others)}
    for proposal in outcome.proposals:
        assert barrier(by_id[proposal.mentor_id], by_id[proposal.mentee_id], NOBODY_TRIED) is None
    placed = [proposal.mentee_id for proposal in outcome.proposals]
    told = [one.person_id for one in outcome.unmatched]
    assert sorted([*placed, *told]) == sorted(other.person_id for other in others)
    for one in ones:
        taken = sum(proposal.mentor_id == one.person_id for proposal in outcome.proposals)
        assert taken <= one.free_places


def test_two_hundred_people_are_matched_within_a_second() -> None:
    draw = random.Random(7)
    everyone = [
        candidate(f"p{n:03}", topics=draw.sample(TOPICS, 2), slots=draw.getrandbits(672), free=2)
        for n in range(200)
    ]
    began = time.perf_counter()
    outcome = run(everyone[:80], everyone[80:])
    assert time.perf_counter() - began < 1
    assert len(outcome.proposals) == 120
