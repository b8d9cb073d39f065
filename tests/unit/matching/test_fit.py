"""The rules for two people, one by one, and what the parts of their fit come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.fit import (
    LENGTH,
    NOBODY_APART,
    Barrier,
    Candidate,
    barrier,
    cosine_permille,
    parts,
    shares,
)
from services.matching.domain.hours import WEEK_SLOTS, minutes_to_meet
from services.matching.domain.programme import Rules, Settings, Weights
from shared.ids import PersonId

MONDAY = 0b1111 << 36
WHOLE_WEEK = (1 << WEEK_SLOTS) - 1


def someone(person_id: str, **changes: Any) -> Candidate:
    """English, into Python, nothing else said."""
    said: dict[str, Any] = {"languages": frozenset({"en"}), "topics": frozenset({"python"})}
    return Candidate(PersonId(person_id), **(said | changes))


@pytest.mark.parametrize(
    ("mentor", "mentee", "rules", "expected"),
    [
        pytest.param({}, {}, {}, None, id="nothing in the way"),
        pytest.param({"person_id": "n"}, {}, {}, Barrier.NO_MENTORS, id="oneself"),
        pytest.param({}, {"manager_id": "m"}, {}, Barrier.ONLY_MANAGER, id="one's manager"),
        pytest.param({"manager_id": "n"}, {}, {}, Barrier.ONLY_MANAGER, id="whom one manages"),
        pytest.param(
            {}, {"line": ("x", "m")}, {"report_line": True}, Barrier.REPORT_LINE, id="far above"
        ),
        pytest.param(
            {"line": ("x", "n")}, {}, {"report_line": True}, Barrier.REPORT_LINE, id="far below"
        ),
        pytest.param({}, {"line": ("x", "m")}, {}, None, id="the line, where nobody asks"),
        pytest.param(
            {"languages": frozenset({"de"})}, {}, {}, Barrier.NO_COMMON_LANGUAGE, id="languages"
        ),
        pytest.param(
            {"languages": frozenset({"de"})}, {}, {"common_language": False}, None, id="none asked"
        ),
        pytest.param({"topics": frozenset()}, {}, {}, Barrier.NO_SHARED_GOAL, id="goals"),
        pytest.param({}, {"topics": frozenset()}, {}, None, id="no goal is open to any"),
        pytest.param(
            {"slots": 0b11}, {"slots": 0b1100}, {}, Barrier.NO_OVERLAPPING_HOURS, id="hours"
        ),
        pytest.param(
            {"slots": 0b10101}, {"slots": 0b11111}, {}, Barrier.NO_OVERLAPPING_HOURS, id="quarters"
        ),
        pytest.param(
            {"slots": 0b11},
            {"slots": 0b11},
            {"min_overlap_minutes": 31},
            Barrier.NO_OVERLAPPING_HOURS,
            id="too little in common",
        ),
        pytest.param({"slots": 0b11}, {}, {}, None, id="hours of only one"),
        pytest.param(
            {"unit": "a"}, {"unit": "b"}, {"org_units": "same"}, Barrier.ORG_UNIT, id="other unit"
        ),
        pytest.param(
            {"unit": "a"}, {"unit": "a"}, {"org_units": "different"}, Barrier.ORG_UNIT, id="same"
        ),
        pytest.param({}, {"unit": "b"}, {"org_units": "same"}, None, id="a unit of only one"),
        pytest.param(
            {"grade": 4}, {"grade": 3}, {"min_grade_gap": 2}, Barrier.GRADE_GAP, id="too near"
        ),
        pytest.param(
            {"grade": 9}, {"grade": 3}, {"max_grade_gap": 5}, Barrier.GRADE_GAP, id="too far"
        ),
        pytest.param({"grade": 9}, {}, {"max_grade_gap": 5}, None, id="a grade of only one"),
    ],
)
def test_hard_rules(
    mentor: dict[str, Any],
    mentee: dict[str, Any],
    rules: dict[str, Any],
    expected: Barrier | None,
) -> None:
    one = someone(mentor.pop("person_id", "m"), **mentor)
    assert barrier(one, someone("n", **mentee), Rules(**rules), NOBODY_APART) == expected


def test_two_who_are_kept_apart_are_not_told_why() -> None:
    apart = frozenset({(PersonId("m"), PersonId("n"))})
    assert barrier(someone("m"), someone("n"), Rules(), apart) is Barrier.KEPT_APART
    assert barrier(someone("n"), someone("m"), Rules(), apart) is None


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        pytest.param(0, 0, id="none"),
        pytest.param(0b1, 0, id="a quarter is too short to meet"),
        pytest.param(0b10111, 45, id="three quarters, and one that stands alone"),
        pytest.param(1 | 1 << (WEEK_SLOTS - 1), 30, id="around the end of the week"),
        pytest.param(WHOLE_WEEK, 7 * 24 * 60, id="always"),
    ],
)
def test_time_to_meet_is_in_pieces_of_half_an_hour(slots: int, expected: int) -> None:
    assert minutes_to_meet(slots) == expected


@given(
    st.tuples(*[st.floats(0, 1000, allow_nan=False)] * 4).filter(any), st.booleans(), st.booleans()
)
def test_the_most_that_parts_can_add_is_a_thousand(
    weights: tuple[float, float, float, float], learn: bool, learned: bool
) -> None:
    most = shares(Settings(weights=Weights(*weights), learn=learn), learned=learned)
    assert sum(most) == 1000
    assert min(most) >= 0
    assert most[4] == (100 if learn and learned else 0)


def test_everything_in_common_is_a_full_fit() -> None:
    vector = (LENGTH, 0)
    one, other = (someone(each, slots=0xFFFF, vector=vector) for each in ("m", "n"))
    assert parts(one, other, shares(Settings(), learned=False), {}) == (400, 100, 200, 300, 0)


def test_earlier_pairs_tip_the_balance_by_a_hundred_at_most() -> None:
    most = shares(Settings(learn=True), learned=True)
    one, other = someone("m"), someone("n")
    found = [parts(one, other, most, {"python": lift})[4] for lift in (-100, 0, 100)]
    assert found == [0, 50, 100]
    assert parts(one, someone("n", topics=frozenset()), most, {"python": 100})[4] == 50


def test_a_mentee_without_goals_gets_no_part_for_them() -> None:
    most = shares(Settings(), learned=False)
    assert parts(someone("m"), someone("n", topics=frozenset()), most, {})[0] == 0


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param((LENGTH, 0), (LENGTH, 0), 1000, id="the same"),
        pytest.param((LENGTH, 0), (0, LENGTH), 0, id="nothing in common"),
        pytest.param((LENGTH, 0), (-LENGTH, 0), 0, id="the opposite is no less than nothing"),
        pytest.param((LENGTH, 0), (2000, 3464), 500, id="half"),
        pytest.param((), (LENGTH, 0), 0, id="nothing said"),
    ],
)
def test_cosine(one: tuple[int, ...], other: tuple[int, ...], expected: int) -> None:
    assert cosine_permille(one, other) == expected
