"""While one side is on leave the clock of the pair stands still."""

from __future__ import annotations

import pytest

from services.insights.domain.evidence import About, Evidence, Kind
from services.insights.domain.pauses import NEVER_ENDS, pauses_of, presence_us
from tests.unit.insights.histories import at_day, every_14_days, kept, on_day, reliability


def away(
    first: float, back: float | None = None, *, ref: int = 1, who: About = About.MENTOR
) -> list[Evidence]:
    """On leave from a day on, and back on another."""
    began = on_day(first, Kind.LEAVE_STARTED, who, ref=ref)
    return [began] if back is None else [began, on_day(back, Kind.LEAVE_ENDED, who, ref=ref)]


def days(*pauses: tuple[float, float | None]) -> tuple[tuple[int, int], ...]:
    return tuple(
        (at_day(start), NEVER_ENDS if end is None else at_day(end)) for start, end in pauses
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([], (), id="nobody was away"),
        pytest.param(away(10), days((10, None)), id="still away"),
        pytest.param(away(10, 20), days((10, 20)), id="back"),
        pytest.param(away(10, 20) + away(15, 30, ref=2, who=About.MENTEE), days((10, 30)),
                     id="both, overlapping, is one pause"),
        pytest.param(away(10, 20) + away(20, 30, ref=2), days((10, 30)), id="one after the other"),
        pytest.param(away(40, 50, ref=2) + away(10, 20), days((10, 20), (40, 50)), id="in order"),
        pytest.param(away(10, 20) + away(12, 18), days((10, 18)), id="told twice: the earlier"),
        pytest.param(away(10, 20)[1:], (), id="an end without a beginning"),
    ],
)  # fmt: skip
def test_leaves_are_pauses(told: list[Evidence], expected: tuple[tuple[int, int], ...]) -> None:
    assert pauses_of(told) == expected


@pytest.mark.parametrize(("day", "present"), [(5, 5), (10, 10), (15, 10), (20, 10), (33, 23)])
def test_presence_stands_still_in_a_pause_and_goes_on_after_it(day: float, present: float) -> None:
    assert presence_us(at_day(day), days((10, 20))) == at_day(present)


def test_a_score_does_not_fade_while_one_side_is_away() -> None:
    history = every_14_days(8)
    on_leave = [*history, *away(112, 172)]
    before = reliability(history, 112)
    assert reliability(on_leave, 172) == before
    assert reliability(on_leave, 172 + 90).score == pytest.approx(0.834, abs=0.0005)


def test_what_happens_during_a_leave_fades_from_its_end_on() -> None:
    """A commitment kept on the second day of a leave is as fresh when the leave ends."""
    history = [*kept([101]), *away(100, 160)]
    assert reliability(history, 160).r == pytest.approx(1.0)
    assert reliability(history, 160 + 90).r == pytest.approx(0.5)


def test_a_leave_of_either_side_stops_the_clock_of_both_directions() -> None:
    history = [*every_14_days(4), *away(56, 100, who=About.MENTEE)]
    assert reliability(history, 100) == reliability(every_14_days(4), 56)


def test_an_instant_does_not_know_of_a_return_that_lies_after_it() -> None:
    """On the seventieth day nobody could know when she would be back."""
    history = every_14_days(4)
    assert reliability([*history, *away(56)], 70) == reliability([*history, *away(56, 100)], 70)
