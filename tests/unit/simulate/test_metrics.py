"""Measures against cases small enough to be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from deploy.local.simulate.chart import calibration_svg
from deploy.local.simulate.metrics import (
    Bin,
    auc,
    brier,
    brier_skill,
    calibration_error,
    fit,
    interval_score,
    reliability,
)


def floats(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_brier_is_the_mean_squared_error() -> None:
    assert brier(floats(1.0, 0.5, 0.2), floats(1, 0, 0)) == pytest.approx((0 + 0.25 + 0.04) / 3)


@pytest.mark.parametrize(
    ("chance", "skill"),
    [
        pytest.param((1.0, 0.0), 1.0, id="who knows has skill 1"),
        pytest.param((0.5, 0.5), 0.0, id="who says the base rate has none"),
        pytest.param((0.0, 1.0), -3.0, id="who is always wrong has less than none"),
        pytest.param((0.75, 0.25), 0.75, id="half way: a quarter of the error"),
    ],
)
def test_skill_is_against_the_base_rate(chance: tuple[float, float], skill: float) -> None:
    assert brier_skill(floats(*chance), floats(1, 0), 0.5) == pytest.approx(skill)


@pytest.mark.parametrize(
    ("score", "area"),
    [
        pytest.param((0.1, 0.4, 0.35, 0.8), 0.75, id="three of four comparisons are right"),
        pytest.param((0.1, 0.2, 0.3, 0.4), 1.0, id="in order"),
        pytest.param((0.5, 0.5, 0.5, 0.5), 0.5, id="ties count half"),
        pytest.param((0.5, 0.2, 0.5, 0.9), 0.875, id="one tie among four"),
    ],
)
def test_auc_counts_right_comparisons(score: tuple[float, ...], area: float) -> None:
    happened = np.array([False, False, True, True])
    assert auc(floats(*score), happened) == pytest.approx(area)


def test_auc_of_one_kind_of_case_is_no_number() -> None:
    assert np.isnan(auc(floats(0.1, 0.2), np.array([True, True])))


def test_calibration_error_weighs_bins_by_how_often_they_were_said() -> None:
    chance = floats(0.15, 0.15, 0.15, 0.85)
    happened = floats(0, 0, 1, 1)
    first, second = reliability(chance, happened)
    assert first == pytest.approx((0.15, 1 / 3, 3))
    assert second == pytest.approx((0.85, 1.0, 1))
    wanted = (3 * abs(0.15 - 1 / 3) + 0.15) / 4
    assert calibration_error(chance, happened) == pytest.approx(wanted)


def test_certainty_falls_into_the_last_bin() -> None:
    assert reliability(floats(1.0), floats(1)) == [Bin(1.0, 1.0, 1)]


def test_a_curve_rises_and_pools_what_does_not() -> None:
    curve = fit(floats(1, 2, 3, np.nan, np.nan), floats(0, 1, 0, 1, 0))
    # 2 and 3 are in the wrong order: both get their mean. No score: the mean of those without.
    assert curve(floats(1, 2, 3, 9, np.nan)) == pytest.approx([0, 0.5, 0.5, 0.5, 0.5])
    assert curve(floats(1.5)) == pytest.approx([0.25])


def test_an_interval_pays_for_width_and_for_misses() -> None:
    bounds = np.array([[0.4, 0.4, 0.4], [0.6, 0.6, 0.6]])
    score = interval_score(bounds, floats(0.5, 0.3, 0.7))
    assert score == pytest.approx((0.2 * 3 + 20 * 0.1 * 2) / 3)


def test_the_chart_has_a_circle_for_each_bin_and_fits_the_ground() -> None:
    svg = calibration_svg([Bin(0.1, 0.2, 100), Bin(0.9, 0.8, 5)])
    assert svg.count("<circle") == 2
    assert "prefers-color-scheme: dark" in svg
    assert 'cx="96.0" cy="300.0"' in svg
