"""A bucket lets through what refills, and never more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.rate import Buckets

ASKED = st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), min_size=1, max_size=60)


@given(st.floats(0.5, 100), st.integers(1, 100), ASKED)
def test_never_more_than_a_burst_and_what_refilled(
    per_s: float, burst: int, asked: list[tuple[float, int]]
) -> None:
    buckets, now_s, taken = Buckets(per_s, burst), 0.0, 0
    for pause_s, cost in asked:
        now_s += pause_s
        if buckets.take("acme", cost, now_s) == 0.0:
            taken += cost
        # One that is larger than the bucket is paid for afterwards.
        assert taken <= burst + now_s * per_s + max(0, 50 - burst) + 1e-6


@given(st.floats(0.5, 100), st.integers(1, 20), st.integers(1, 20))
def test_who_waits_as_long_as_told_gets_through(per_s: float, burst: int, cost: int) -> None:
    buckets, now_s = Buckets(per_s, burst), 0.0
    buckets.take("acme", burst, now_s)

    wait_s = buckets.take("acme", cost, now_s)

    assert wait_s > 0
    assert buckets.take("acme", cost, now_s + wait_s + 1e-6) == 0.0


def test_one_cannot_take_what_is_anothers() -> None:
    buckets = Buckets(1, 1)
    assert buckets.take("acme", 1, 0) == 0.0

    assert buckets.take("acme", 1, 0) == 1.0
    assert buckets.take("globex", 1, 0) == 0.0


def test_it_remembers_no_more_than_it_may() -> None:
    buckets = Buckets(1, 1, most=3)
    for name in ("a", "b", "c", "d"):
        buckets.take(name, 1, 0)

    assert buckets.take("d", 1, 0) > 0
    assert buckets.take("a", 1, 0) == 0.0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    buckets = Buckets(1, 1)
    buckets.take("acme", 1, 100)

    assert buckets.take("acme", 1, 50) > 0
