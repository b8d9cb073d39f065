"""The expected wait: held against programmes made by chance, whose true waits are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from services.matching.domain.waiting import TOO_EARLY, words_of
from services.matching.engine.waiting import (
    MIN_ANSWERS,
    MIN_DAYS,
    MIN_MENTORS,
    MIN_OPENINGS,
    STEP_DAYS,
    Answer,
    Came,
    History,
    Opening,
    Wait,
    answered_by,
    dispersion,
    expected,
)
from tests.unit.matching.queues import Programme, any_traits

PROGRAMMES = 400
COVER_LOW, COVER_HIGH = 0.75, 0.90
MEDIAN_TOLERANCE = 0.07


def steady(**changes: object) -> History:
    """One place a day for 90 days; of 40 asks 30 had a yes after two days, and 10 a no."""
    plain = History(
        days=90.0,
        openings=[Opening(day + 0.5, 1.0) for day in range(90)],
        answers=[Answer(2.0, Came.YES, True, 30), Answer(2.0, Came.NO, True, 10)],
        limit_days=7.0,
        mentors=20,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Held:
    """A wait that was said, and the one that came."""

    said: Wait
    waited: float
    has_place: bool

    @property
    def is_inside(self) -> bool:
        half = STEP_DAYS / 2
        return self.said.low_days - half <= self.waited <= self.said.high_days + half

    @property
    def is_below_median(self) -> bool:
        return self.waited < self.said.median_days + STEP_DAYS / 2


@pytest.fixture(scope="module")
def held() -> list[Held]:
    found = []
    for seed in range(PROGRAMMES):
        seen = Programme(any_traits(seed), seed).look(200.0 + seed % 60)
        said = expected(seen.history, seen.waiting, seen.places)
        if said is not None:
            found.append(Held(said, seen.waited, seen.places > 0))
    return found


def share(held: Sequence[Held], of: str) -> float:
    return float(np.mean([getattr(each, of) for each in held]))


def test_eight_of_ten_waits_lie_in_the_interval_that_was_said(held: list[Held]) -> None:
    assert len(held) > 0.95 * PROGRAMMES
    full = [each for each in held if not each.has_place]
    open_ = [each for each in held if each.has_place]
    assert min(len(full), len(open_)) > 100
    for some in (held, full, open_):
        cover = share(some, "is_inside")
        print(f"{len(some)} waits: {cover:.3f} in the interval")
        assert COVER_LOW <= cover <= COVER_HIGH


def test_half_of_the_waits_are_shorter_than_the_median(held: list[Held]) -> None:
    below = share(held, "is_below_median")
    print(f"{below:.3f} below the median")
    assert abs(below - 0.5) <= MEDIAN_TOLERANCE


def test_a_free_place_is_a_wait_for_answers_alone() -> None:
    wait = expected(steady(), waiting=40, places=5)
    assert wait is not None
    # Three of four say yes, after two days; the tenth asks a third time.
    assert (wait.low_days, wait.median_days, wait.high_days) == (2.0, 2.0, 4.0)


def test_the_queue_counts_when_no_place_is_free() -> None:
    few, many = (expected(steady(), waiting, places=0) for waiting in (4, 40))
    assert few is not None
    assert many is not None
    # 0.75 yeses a day: on average 4 / 0.75 days for one of four, and two days for the answer.
    assert few.median_days == pytest.approx(2 + np.log(2) * 4 / 0.75, abs=0.5)
    assert many.median_days == pytest.approx(2 + np.log(2) * 40 / 0.75, rel=0.05)


def test_more_places_and_more_yeses_never_make_a_wait_longer() -> None:
    half = [Opening(day + 0.5, 0.5) for day in range(90)]
    slower = expected(steady(openings=half), 10, 0)
    reluctant = [Answer(2.0, Came.YES, True, 10), Answer(2.0, Came.NO, True, 30)]
    rarer = expected(steady(answers=reluctant), 10, 0)
    plain = expected(steady(), 10, 0)
    assert plain is not None
    for worse in (slower, rarer):
        assert worse is not None
        assert worse.median_days > plain.median_days
        assert worse.high_days > plain.high_days
    assert [(w := expected(steady(), 10, n)) and w.median_days for n in (1, 2, 8)] == [2.0] * 3


def test_who_does_not_answer_costs_all_of_the_time_there_is() -> None:
    silent = [Answer(2.0, Came.YES, True, 20), Answer(7.0, Came.LOST, True, 20)]
    refusing = [Answer(2.0, Came.YES, True, 20), Answer(2.0, Came.NO, True, 20)]
    waits = [expected(steady(answers=each), 10, 5) for each in (silent, refusing)]
    assert waits[0] is not None
    assert waits[1] is not None
    assert waits[0].high_days > waits[1].high_days + 5


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"days": MIN_DAYS - 1}, id="watched too short"),
        pytest.param({"mentors": MIN_MENTORS - 1}, id="it would be about single people"),
        pytest.param({"openings": [Opening(1.0, MIN_OPENINGS - 1)]}, id="too few places"),
        pytest.param({"openings": []}, id="no place at all"),
        pytest.param({"openings": [Opening(50.0, 1_000.0)]}, id="a thousand places of one day"),
        pytest.param(
            {"answers": [Answer(1.0, Came.YES, True, MIN_ANSWERS - 1)]}, id="too few answers"
        ),
        pytest.param(
            {"answers": [Answer(1.0, Came.YES, False, 500)]}, id="only quick answers are in"
        ),
    ],
)
def test_it_is_too_early_to_say(changes: dict[str, object]) -> None:
    assert expected(steady(**changes), 10, 0) is None
    assert words_of(None) == TOO_EARLY


def test_places_that_open_together_are_one_piece_of_news() -> None:
    together = [Opening(week * 7 + 3.0, 30.0) for week in (1, 5, 9)]
    assert dispersion(steady()) == 1.0
    assert dispersion(steady(openings=together)) > 20


def test_kaplan_and_meiers_estimate_on_their_own_kind_of_example() -> None:
    """Times 1, 2+, 3, 3, 4+, 5 (+ is censored): 5/6, then times 2/4, then times 0."""
    answers = [
        Answer(1, Came.YES, True),
        Answer(2, Came.OPEN, False),
        Answer(3, Came.NO, True),
        Answer(3, Came.YES, True),
        Answer(4, Came.LOST, True),
        Answer(5, Came.YES, True),
    ]
    times, share_answered = answered_by(answers)
    assert times.tolist() == [1, 3, 5]
    assert share_answered.tolist() == pytest.approx([1 - 5 / 6, 1 - 5 / 12, 1.0])
    counted = [*answers[:2], Answer(3, Came.NO, True, 2), *answers[4:]]
    assert answered_by(counted)[1].tolist() == pytest.approx(share_answered.tolist())


def test_the_same_past_is_the_same_wait() -> None:
    assert expected(steady(), 7, 2) == expected(steady(), 7, 2)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        pytest.param(
            Wait(2.2, 9.1, 30.0),
            "Half of those who wait have a yes within 10 days, 8 of 10 after 2 to 30.",
            id="an interval",
        ),
        pytest.param(
            Wait(0.0, 0.2, 3.0),
            "Half of those who wait have a yes within a day, 8 of 10 after 0 to 3.",
            id="at once",
        ),
        pytest.param(
            Wait(40.0, 300.0, float("inf")),
            "Half of those who wait have a yes within 300 days, 8 of 10 after 40 days or more.",
            id="no end is known",
        ),
        pytest.param(
            Wait(200.0, float("inf"), float("inf")),
            "Half of those who wait have a yes later than in two years, 8 of 10 after 200 days or"
            " more.",
            id="very long",
        ),
    ],
)
def test_words(wait: Wait, words: str) -> None:
    assert words_of(wait).startswith(words)
    assert words_of(wait).endswith("It is no promise: who is next depends on whom they suit.")
