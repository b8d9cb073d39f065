"""The Beta quantile: equal to scipy's, whatever the evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc, betaincinv

from services.insights.bulk import intervals
from services.insights.domain import beta
from tests.unit.insights.histories import examples

# What priors and evidence can make: 0.8 is the least, 5,000 a flood of 5,000 sessions.
PARAMETERS = st.floats(0.8, 60) | st.floats(0.8, 5_000)


@examples(300)
@given(alpha=PARAMETERS, against=PARAMETERS, p=st.sampled_from([beta.LOW, beta.HIGH]))
def test_the_quantile_is_scipys(alpha: float, against: float, p: float) -> None:
    assert beta.quantile(p, alpha, against) == pytest.approx(
        float(betaincinv(alpha, against, p)), abs=1e-9
    )


@examples(300)
@given(alpha=PARAMETERS, against=PARAMETERS, x=st.floats(0, 1))
def test_the_distribution_function_is_scipys(alpha: float, against: float, x: float) -> None:
    assert beta.cdf(x, alpha, against) == pytest.approx(float(betainc(alpha, against, x)), abs=1e-9)


@examples(50)
@given(wanted=st.lists(st.tuples(PARAMETERS, PARAMETERS), max_size=8))
def test_many_at_once_are_the_same_as_one_by_one(wanted: list[beta.Parameters]) -> None:
    for found, each in zip(intervals(wanted * 2), wanted * 2, strict=True):
        assert found == pytest.approx(beta.interval(each), abs=1e-9)
