"""What is measured of a pair and of a cell: trust as the fold says it, the benefits, rounding."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insights.domain.evidence import About, Evidence, Kind
from services.insights.domain.measures import (
    BENEFITS,
    BILLION,
    PairMeasure,
    Span,
    Sums,
    counted_down,
    measure,
    rounded,
    values_of,
)
from services.insights.domain.model import V1
from services.insights.domain.trust import fold
from tests.unit.insights.histories import at_day, examples, histories, on_day

MARCH = Span(at_day(59), at_day(90))
MENTOR, MENTEE = About.MENTOR, About.MENTEE


def about(day: float, kind: Kind, ref: int, side: About = MENTOR) -> Evidence:
    return on_day(day, kind, side)._replace(ref=ref)


@examples(100)
@given(histories(), st.integers(0, 600))
def test_a_pair_is_measured_as_the_fold_judges_it(evidence: list[Evidence], day: int) -> None:
    seen = measure(evidence, V1, Span(0, at_day(day)))
    trust = fold(evidence, V1, at_day(day))
    sides = (trust.about_mentor, trust.about_mentee)
    assert seen.health == round(trust.health * BILLION)
    assert seen.band in {side.band for side in sides if side.score == trust.health}
    means = [sum(side.facets[n].score for side in sides) / 2 for n in range(6)]
    assert [each / BILLION for each in seen.facets] == pytest.approx(means, abs=1e-9)


@examples(50)
@given(histories(), st.integers(0, 10**6))
def test_the_order_of_arrival_moves_nothing(evidence: list[Evidence], seed: int) -> None:
    shuffled = Random(seed).sample(evidence * 2, len(evidence) * 2)
    assert measure(shuffled, V1, MARCH) == measure(evidence, V1, MARCH)


def test_a_pair_without_evidence_is_counted_too() -> None:
    seen = measure([], V1, MARCH)
    assert (seen.health, seen.band, seen.benefits) == (600_000_000, "too_early", frozenset())


@pytest.mark.parametrize(
    ("evidence", "benefits"),
    [
        pytest.param([on_day(70, Kind.GOAL_SET)], {"clarity"}, id="a goal was set"),
        pytest.param([on_day(70, Kind.GOAL_PROGRESSED)], {"clarity"}, id="a goal was moved"),
        pytest.param([on_day(59, Kind.GOAL_PROGRESSED)], set(), id="in the epoch before"),
        pytest.param([on_day(90, Kind.GOAL_PROGRESSED)], {"clarity"}, id="in its last instant"),
        pytest.param([on_day(91, Kind.GOAL_PROGRESSED)], set(), id="in the epoch after"),
        pytest.param(
            [on_day(10, Kind.LISTENED_NO), on_day(70, Kind.LISTENED_YES)], {"growth"},
            id="a no became a yes",
        ),
        pytest.param(
            [
                on_day(10, Kind.LISTENED_NO),
                on_day(50, Kind.LISTENED_YES),
                on_day(70, Kind.LISTENED_YES),
            ],
            set(), id="it had become one before",
        ),
        pytest.param(
            [on_day(10, Kind.LISTENED_NO), on_day(70, Kind.HONEST_YES)], set(),
            id="another question",
        ),
        pytest.param(
            [on_day(10, Kind.LISTENED_NO), on_day(70, Kind.LISTENED_YES, MENTEE)], set(),
            id="about the other side",
        ),
        pytest.param(
            [on_day(70, Kind.LISTENED_YES), on_day(80, Kind.LISTENED_NO)], set(), id="the other way"
        ),
        pytest.param(
            [about(50, Kind.COMMITMENT_MISSED, 7), about(61, Kind.REPAIR_DELIVERED, 7)],
            {"problem_solving"}, id="a miss was put right",
        ),
        pytest.param(
            [about(60, Kind.SESSION_NO_SHOW, 8), about(61, Kind.REPAIR_DELIVERED, 8)],
            {"problem_solving"}, id="an absence was put right",
        ),
        pytest.param(
            [about(50, Kind.COMMITMENT_MISSED, 7), about(61, Kind.REPAIR_DELIVERED, 9)], set(),
            id="of something nobody missed",
        ),
        pytest.param([about(61, Kind.REPAIR_PROMISED, 7)], set(), id="a promise alone"),
        pytest.param([on_day(70, Kind.INTRODUCTION_MADE)], {"network"}, id="an introduction"),
    ],
)  # fmt: skip
def test_benefits(evidence: list[Evidence], benefits: set[str]) -> None:
    assert measure(evidence[::-1], V1, MARCH).benefits == benefits


def test_a_pair_that_ended_stands_still() -> None:
    evidence = [on_day(65, Kind.COMMITMENT_MISSED), on_day(80, Kind.INTRODUCTION_MADE)]
    ended_us = at_day(70)
    march = measure(evidence, V1, Span(MARCH.start_us, ended_us))
    april = measure(evidence, V1, Span(MARCH.end_us, ended_us))
    assert march.benefits == frozenset()
    assert april == march


def one(health: float, *, band: str = "steady", growth: bool = False) -> PairMeasure:
    score = round(health * BILLION)
    benefits = frozenset(BENEFITS[1:2]) if growth else frozenset()
    return PairMeasure(score, band, (score,) * 6, benefits)  # type: ignore[arg-type]


def sums(pairs: list[PairMeasure]) -> Sums:
    found = Sums()
    for each in pairs:
        found.add(each)
    return found


@examples(50)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.integers(1, 29), st.randoms())
def test_sums_do_not_depend_on_order_or_grouping(
    scores: list[float], cut: int, chance: Random
) -> None:
    pairs = [one(score, growth=score > 0.5) for score in scores]
    mixed = chance.sample(pairs, len(pairs))
    assert sums(pairs) == sums(mixed[:cut]) + sums(mixed[cut:])


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 5, 0.0), (1, 5, 0.2), (2, 7, 0.3), (21, 40, 0.55), (1, 41, 0.0), (40, 41, 1.0)],
)  # fmt: skip
def test_shares_are_told_in_twentieths(part: int, whole: int, told: float) -> None:
    assert rounded(part, whole) == told


@pytest.mark.parametrize(("number", "told"), [(5, 5), (9, 5), (10, 10), (44, 40)])
def test_counts_are_told_in_fives(number: int, told: int) -> None:
    assert counted_down(number) == told


def test_values_are_shares_of_all_pairs() -> None:
    pairs = [one(0.8, growth=True), one(0.4, band="watch"), one(0.6), one(0.6, band="too_early")]
    seen = values_of(sums(pairs))
    assert seen.health == 0.6
    assert seen.bands == {"too_early": 0.25, "steady": 0.5, "watch": 0.25, "strained": 0.0}
    assert seen.facets == dict.fromkeys("ELHRBP", 0.6)
    assert seen.benefits["growth"] == 0.25


def test_nothing_that_could_be_held_against_each_is_told_of_all() -> None:
    """Five of five that grew would tell of each pair that somebody had said no."""
    all_of_them = sums([one(0.3, band="strained", growth=True)] * 5)
    all_but_one = sums([one(0.3, band="strained", growth=True)] * 4 + [one(0.3, band="watch")])
    other = sums([one(0.9)] * 5)
    for cell in (Sums(), other):
        told = values_of(all_of_them.veiled() + cell.veiled())
        assert told == values_of(all_but_one.veiled() + cell.veiled())
    assert all_but_one.veiled() == all_but_one
    assert other.veiled() == other
