"""The worked figures of the trust model: facet R of a pair without an agreement."""

from __future__ import annotations

import pytest

from services.insights.domain.evidence import Evidence, Kind
from tests.unit.insights.histories import every_14_days, kept, on_day, reliability

DAY_113 = 113.0


def then(kind: Kind) -> list[Evidence]:
    """Eight commitments kept, and something else on the day after the last."""
    return [*every_14_days(8), on_day(DAY_113, kind)]


NO_WORD = then(Kind.COMMITMENT_MISSED)


@pytest.mark.parametrize(
    ("history", "day", "score", "low", "high"),
    [
        pytest.param([], 0, 0.600, 0.10, 0.98, id="nothing"),
        pytest.param(every_14_days(1), 14, 0.733, 0.29, 0.99, id="1 kept"),
        pytest.param(every_14_days(4), 56, 0.853, 0.56, 1.00, id="4 kept"),
        pytest.param(every_14_days(8), 112, 0.895, 0.68, 1.00, id="8 kept"),
        pytest.param(
            then(Kind.COMMITMENT_MISSED_WARNED), 113, 0.840, 0.60, 0.98, id="missed, warned"
        ),
        pytest.param(
            then(Kind.COMMITMENT_MISSED_TOLD), 113, 0.791, 0.54, 0.96, id="missed, told after"
        ),
        pytest.param(NO_WORD, 113, 0.709, 0.46, 0.91, id="missed, no word"),
        pytest.param(then(Kind.SESSION_NO_SHOW), 113, 0.642, 0.39, 0.86, id="no-show"),
    ],
)
def test_a_history_gives_the_worked_score_and_interval(
    history: list[Evidence], day: float, score: float, low: float, high: float
) -> None:
    seen = reliability(history, day)
    assert seen.score == pytest.approx(score, abs=0.0005)
    assert [seen.low, seen.high] == pytest.approx([low, high], abs=0.005)


@pytest.mark.parametrize(
    ("history", "day", "score"),
    [
        pytest.param([*NO_WORD, *kept([127, 141])], 141, 0.760, id="no word, then 2 kept"),
        pytest.param(
            [*NO_WORD, *kept([127, 141, 155, 169, 183])], 183, 0.813, id="no word, then 5 kept"
        ),
        pytest.param(every_14_days(8), 112 + 90, 0.834, id="silence of 90 days"),
        pytest.param(every_14_days(8), 112 + 180, 0.766, id="silence of 180 days"),
        pytest.param(every_14_days(8), 112 + 360, 0.660, id="silence of 360 days"),
    ],
)
def test_recovery_and_silence_go_as_worked(
    history: list[Evidence], day: float, score: float
) -> None:
    assert reliability(history, day).score == pytest.approx(score, abs=0.0005)


@pytest.mark.parametrize("first_day", range(7))
def test_thirty_trivial_tasks_in_thirty_days_stay_below_90_percent(first_day: int) -> None:
    days = [first_day + n for n in range(30)]
    assert reliability(kept(days), days[-1]).score < 0.90


def test_two_kept_a_week_all_count_fully() -> None:
    days = [7 * week + day for week in range(5) for day in (1, 3)]
    assert reliability(kept(days), 31).r == pytest.approx(sum(2 ** ((d - 31) / 90) for d in days))


@pytest.mark.parametrize(
    ("in_one_week", "weight"),
    [
        pytest.param(1, 1.0, id="one counts fully"),
        pytest.param(2, 2.0, id="two count fully"),
        pytest.param(3, 2.5, id="the third counts half"),
        pytest.param(4, 2.75, id="the fourth a quarter"),
        pytest.param(7, 2.96875, id="and so on"),
    ],
)
def test_a_busy_week_counts_less_and_less(in_one_week: int, weight: float) -> None:
    """All at one instant, so that only the cap tells them apart."""
    assert reliability(kept([2.0] * in_one_week), 2.0).r == pytest.approx(weight)


def test_what_a_week_had_too_many_the_next_week_has_too_few() -> None:
    flood, after = kept([0.0] * 4), kept([7.0] * 2)
    alone = 2 ** (-7 / 90) * 2.75
    assert reliability([*flood, *after], 7.0).r == pytest.approx(alone + 0.5 + 0.25)


def test_a_week_between_clears_the_debt() -> None:
    flood, after = kept([0.0] * 7), kept([14.0] * 2)
    assert reliability([*flood, *after], 14.0).r == pytest.approx(2 ** (-14 / 90) * 2.96875 + 2)
