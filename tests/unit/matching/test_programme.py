"""A programme's settings: weights as thousandths, and what contradicts itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.programme import Contradiction, Rules, Settings, Weights, check

weight = st.floats(min_value=0, max_value=1000, allow_nan=False)


@given(st.tuples(weight, weight, weight, weight).filter(lambda all_: sum(all_) > 1e-6))
def test_weights_are_thousandths_that_add_up_whatever_their_unit(
    given_: tuple[float, float, float, float],
) -> None:
    parts = Weights(*given_).permille()
    assert sum(parts) == 1000
    assert min(parts) >= 0
    exact = [1000 * each / sum(given_) for each in given_]
    assert all(abs(part - wanted) < 1 for part, wanted in zip(parts, exact, strict=True))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0, 1001.0])
def test_a_weight_is_a_number_in_its_range(bad: float) -> None:
    with pytest.raises(Contradiction) as refused:
        check(Settings(weights=Weights(hours=bad)))
    assert refused.value.field == "settings.weights.hours"


def test_settings_that_hold_together_pass() -> None:
    check(Settings(rules=Rules(min_grade_gap=0, max_grade_gap=0), org_units=("a", "b")))
