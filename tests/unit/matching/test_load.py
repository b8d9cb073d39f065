"""The load guard: which facts take a place up, which give it back, and what is said about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.load import Load, late, settled, words, words_for_others
from shared.events.sessions import (
    CommitmentAcknowledged,
    CommitmentFact,
    CommitmentKept,
    CommitmentMade,
    CommitmentMissed,
    CommitmentMissedTold,
    CommitmentMissedWarned,
    CommitmentReleased,
    CommitmentShownFalse,
    RepairDelivered,
    RepairPromised,
)
from tests.unit.matching.builders import MENTEE, MENTOR, NOW, PAIR

PROMISE = UUID(int=7)
SIDES = {"pair_id": PAIR.pair_id, "mentor_id": MENTOR, "mentee_id": MENTEE}
OF_MENTOR: dict[str, Any] = {**SIDES, "commitment_id": PROMISE, "by": MENTOR, "due_at": NOW}
REPAIR: dict[str, Any] = {**SIDES, "repair_id": UUID(int=8), "by": MENTOR, "repairs": PROMISE}


def test_a_mentors_miss_without_a_word_sets_a_place_aside() -> None:
    opened = late(CommitmentMissed(**OF_MENTOR), NOW)

    assert opened is not None
    assert (opened.commitment_id, opened.person_id, opened.since) == (PROMISE, MENTOR, NOW)


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(CommitmentMissed(**OF_MENTOR | {"by": MENTEE}), id="a mentee's miss"),
        pytest.param(CommitmentMissedTold(**OF_MENTOR, told_at=NOW), id="one that was told of"),
        pytest.param(CommitmentMissedWarned(**OF_MENTOR, warned_at=NOW), id="one that was warned"),
        pytest.param(CommitmentMade(**OF_MENTOR), id="a promise"),
    ],
)
def test_nothing_else_sets_a_place_aside(fact: CommitmentFact) -> None:
    assert late(fact, NOW) is None


@pytest.mark.parametrize(
    ("fact", "was_late"),
    [
        pytest.param(CommitmentKept(**OF_MENTOR, kept_at=NOW), False, id="kept"),
        pytest.param(CommitmentReleased(**OF_MENTOR), False, id="released"),
        pytest.param(
            CommitmentShownFalse(**OF_MENTOR, confirmed_by="both"), False, id="shown false"
        ),
        pytest.param(CommitmentAcknowledged(**OF_MENTOR), True, id="acknowledged"),
        pytest.param(
            RepairDelivered(**REPAIR, missed_due_at=NOW, delivered_at=NOW), True, id="put right"
        ),
    ],
)
def test_what_settles_a_promise_gives_its_place_back(fact: Any, was_late: bool) -> None:
    closing = settled(fact, NOW)

    assert closing is not None
    assert (closing.commitment_id, closing.was_late) == (PROMISE, was_late)
    assert settled(fact.model_copy(update={"by": MENTEE}), NOW) is None


def test_a_promise_to_put_it_right_gives_nothing_back_yet() -> None:
    assert settled(RepairPromised(**REPAIR, due_at=NOW + timedelta(days=3)), NOW) is None


@given(
    st.integers(0, 50),
    st.integers(0, 60),
    st.integers(0, 60),
    st.none() | st.integers(0, 50),
)
def test_places_are_what_pairs_and_late_promises_leave(
    capacity: int, pairs: int, late_ones: int, cap: int | None
) -> None:
    most = capacity if cap is None else min(capacity, cap)
    load = Load(capacity, pairs, late_ones, cap)

    assert load.places == max(0, most - pairs - late_ones)
    assert Load(capacity, pairs, late_ones + 1, cap).places <= load.places
    assert Load(capacity + 1, pairs, late_ones, cap).places >= load.places


def test_the_mentor_is_told_why_and_others_only_that_there_is_no_place() -> None:
    assert words(Load(3, 1, 2)) == (
        "Two promises are waiting: places come back when they are kept."
    )
    assert words(Load(3, 2, 1)) == "One promise is waiting: its place comes back when it is kept."
    assert words(Load(30, 0, 12)).startswith("12 promises are waiting")
    assert words(Load(3, 3, 0)) == words_for_others(has_place=False) == "No free place."
    assert words(Load(3, 1, 0)) == words_for_others(has_place=True)
