"""Bands: decided by evidence, slow to change their mind, and a function of the evidence alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insights.domain.bands import LOOK_BACK, Band
from services.insights.domain.evidence import DAY_US, About, Evidence, Kind
from services.insights.domain.model import V1
from services.insights.domain.trust import fold
from services.insights.domain.weights import Scope, earlier, tally, weigh
from tests.unit.insights.histories import (
    at_day,
    every_14_days,
    examples,
    histories,
    kept,
    mentor,
    on_day,
)

GOOD = [
    on_day(0, Kind.AGREEMENT_SIGNED, cadence=14),
    *[on_day(day, Kind.SESSION_HELD_SAID_BOTH) for day in (7, 21, 35)],
    *kept([14, 28]),
]
NO_WORD = on_day(36, Kind.COMMITMENT_MISSED)


@pytest.mark.parametrize(
    ("history", "day", "band"),
    [
        pytest.param([], 0, "too_early", id="nothing"),
        pytest.param(GOOD[:2], 7, "too_early", id="an agreement and a session: 2.3"),
        pytest.param(GOOD, 36, "steady", id="two good months"),
        pytest.param([NO_WORD], 36, "too_early", id="a first miss alone is no verdict"),
        pytest.param([*GOOD, NO_WORD], 36, "steady", id="one miss does not turn a good pair"),
        pytest.param(
            [*GOOD, NO_WORD, on_day(37, Kind.COMMITMENT_MISSED)], 37, "watch", id="a second does",
        ),
        pytest.param(
            [NO_WORD, on_day(40, Kind.COMMITMENT_MISSED), on_day(44, Kind.COMMITMENT_MISSED)],
            44, "strained", id="three misses, no word",
        ),
        pytest.param(GOOD, 36 + 500, "too_early", id="long silence is unknown, not bad"),
    ],
)  # fmt: skip
def test_a_history_has_a_band(history: list[Evidence], day: float, band: Band) -> None:
    assert mentor(history, day).band == band


def wobbling() -> list[Evidence]:
    """From good to doubtful: kept and missed in turn, so that the score goes down in a zigzag."""
    weeks = range(6, 30)
    odd_kept = (Kind.COMMITMENT_MISSED_TOLD, Kind.COMMITMENT_KEPT)
    return [*GOOD, *[on_day(7 * week, odd_kept[week % 2]) for week in weeks]]


def test_a_pair_that_wobbles_at_a_limit_does_not_flap() -> None:
    history, days = wobbling(), [half / 2 for half in range(80, 406)]
    seen = [mentor(history, day) for day in days]
    for limit in V1.bands.steady:
        assert changes([direction.score < limit for direction in seen]) > 1
    assert changes([direction.band for direction in seen]) == 1


def changes(seen: Sequence[object]) -> int:
    return sum(a != b for a, b in pairwise(seen))


FALLING = [*GOOD, NO_WORD]
RISING = [
    *[on_day(0, Kind.COMMITMENT_MISSED) for _ in range(2)],
    *[on_day(20 + day, Kind.SESSION_HELD_SAID_BOTH) for day in range(7)],
]


@pytest.mark.parametrize(
    ("history", "band"),
    [
        pytest.param(FALLING, "steady", id="it comes from above"),
        pytest.param(RISING, "watch", id="it comes from below"),
    ],
)
def test_a_score_between_two_bands_keeps_the_one_it_had(
    history: list[Evidence], band: Band
) -> None:
    """Both lie in the zone between watch and steady, .01 apart; where they come from decides."""
    seen = mentor(history, 37)
    low, high = V1.bands.steady
    assert low < seen.score < high
    assert seen.band == band


def test_nothing_to_remember_gives_the_benefit_of_the_doubt() -> None:
    """The first time there is enough evidence, and the score lies between two bands."""
    sessions = [on_day(day, Kind.SESSION_HELD_SAID_BOTH) for day in (0.5, 0.6)]
    history = [*sessions, on_day(1, Kind.COMMITMENT_MISSED_TOLD)]
    assert mentor(history, 0.9).band == "too_early"
    assert V1.bands.steady[0] < mentor(history, 1).score < V1.bands.steady[1]
    assert mentor(history, 1).band == "steady"


def test_the_gap_is_told_only_when_both_sides_are_known() -> None:
    one_sided = fold(every_14_days(8), V1, at_day(112))
    assert one_sided.about_mentor.known
    assert not one_sided.about_mentee.known
    assert one_sided.gap is None
    both = fold([*every_14_days(8), *kept([50, 60, 70, 80, 90], About.MENTEE)], V1, at_day(112))
    assert both.gap == pytest.approx(both.about_mentor.score - both.about_mentee.score)
    assert both.health == both.about_mentee.score


def test_the_weakest_live_facet_pulls_the_score_down() -> None:
    history = [*every_14_days(8), *[on_day(112, Kind.LISTENED_NO) for _ in range(3)]]
    seen = mentor(history, 112)
    assert seen.weakest is not None
    assert seen.weakest.name == "L"
    mean = sum(facet.score for facet in seen.facets) / 6
    assert seen.score == pytest.approx(0.75 * mean + 0.25 * seen.facets[1].score)


def test_without_a_live_facet_the_score_is_the_mean() -> None:
    seen = mentor([on_day(0, Kind.SESSION_HELD_SAID_BOTH)], 0)
    assert seen.weakest is None
    assert seen.score == pytest.approx(sum(facet.score for facet in seen.facets) / 6)


@pytest.mark.parametrize(
    ("cadence", "days"),
    [(1, 60), (10, 60), (14, 84), (15, 90), (30, 180), (40, 240), (366, 240)],
)
def test_the_half_life_follows_the_agreed_cadence(cadence: int, days: int) -> None:
    history = [on_day(0, Kind.AGREEMENT_SIGNED, cadence=cadence), on_day(1, Kind.LISTENED_YES)]
    trust = fold(history, V1, at_day(1 + days))
    assert trust.half_life_days == days
    assert trust.about_mentor.facets[1].r == pytest.approx(0.35)


def test_the_latest_agreement_is_in_force_from_its_own_instant() -> None:
    history = [
        on_day(0, Kind.AGREEMENT_SIGNED, cadence=14),
        on_day(50, Kind.AGREEMENT_SIGNED, cadence=30),
    ]
    assert fold(history, V1, at_day(49)).half_life_days == 84
    assert fold(history, V1, at_day(50)).half_life_days == 180


@examples(300)
@given(history=histories(), later=st.sampled_from([0, 1, 28, 90]), scope=st.sampled_from(Scope))
def test_going_back_finds_what_a_fold_of_that_instant_says(
    history: list[Evidence], later: int, scope: Scope
) -> None:
    at_us = max(item.at_us for item in history) + later * DAY_US
    for then in earlier(history, V1, at_us, scope, LOOK_BACK):
        folded = tally(weigh(history, V1, then.at_us, scope), V1, then.at_us)
        assert then.half_life_days == folded.half_life_days
        assert then.sums == pytest.approx(folded.sums, abs=1e-9, rel=1e-9)
