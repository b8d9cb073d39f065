"""Laws of the fold: the same evidence gives the same trust, however and whenever it came."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insights.domain.answers import revealed
from services.insights.domain.evidence import DAY_US, Evidence, Kind
from services.insights.domain.explain import reasons, strongest
from services.insights.domain.model import V1
from services.insights.domain.packing import pack, unpack
from services.insights.domain.state import PairState, refold
from services.insights.domain.trust import PairTrust, fold, judge
from services.insights.domain.weights import Scope, Tally, tally, weigh
from tests.unit.insights.histories import (
    PRIVATE,
    REPAIRS,
    every_14_days,
    examples,
    histories,
    on_day,
)

AFTER_DAYS = st.sampled_from([0, 1, 28, 90, 400])


def as_it_arrives(arrivals: Sequence[Evidence], ends: Sequence[int]) -> PairState:
    """What the worker makes of batches: new events only, a refold where the state refuses.

    `ends` says where batches end; between two batches a state is packed and unpacked.
    """
    state = PairState(V1)
    stored: dict[Any, Evidence] = {}
    for place, item in enumerate(arrivals):
        if item.event_id not in stored:
            stored[item.event_id] = item
            if not state.absorb(item):
                state = refold(stored.values(), V1)
        if place in ends:
            loaded = unpack(pack(state), V1)
            assert loaded is not None
            state = loaded
    return state


def assert_same(kept: Tally, folded: Tally) -> None:
    assert kept.sums == pytest.approx(folded.sums, abs=1e-9, rel=1e-9)
    assert (kept.at_us, kept.half_life_days) == (folded.at_us, folded.half_life_days)


@examples(1_000)
@given(
    history=histories(),
    chance=st.randoms(use_true_random=False),
    later=AFTER_DAYS,
    ends=st.sets(st.integers(0, 40), max_size=6),
)
def test_any_order_any_duplicates_any_batches_give_the_fold(
    history: list[Evidence], chance: random.Random, later: int, ends: set[int]
) -> None:
    arrivals = history + chance.sample(history, len(history) // 3)
    chance.shuffle(arrivals)
    state = as_it_arrives(arrivals, sorted(ends))
    at_us = max(item.at_us for item in history) + later * DAY_US
    for scope in (Scope.EVERYTHING, Scope.SHARED, Scope.OBSERVED):
        folded = tally(weigh(history, V1, at_us, scope), V1, at_us)
        assert_same(state.tally(at_us, scope), folded)
    assert state.count == len(history)


@examples(150)
@given(history=histories(), chance=st.randoms(use_true_random=False), later=AFTER_DAYS)
def test_the_whole_judgement_is_the_same_in_any_order(
    history: list[Evidence], chance: random.Random, later: int
) -> None:
    at_us = max(item.at_us for item in history) + later * DAY_US
    shuffled = history * 2
    chance.shuffle(shuffled)
    folded = fold(history, V1, at_us)
    assert fold(shuffled, V1, at_us) == folded
    assert_close(judge(refold(shuffled, V1).tally(at_us), V1, shuffled), folded)


def assert_close(one: PairTrust, other: PairTrust) -> None:
    assert one.health == pytest.approx(other.health, abs=1e-9)
    for a, b in ((one.about_mentor, other.about_mentor), (one.about_mentee, other.about_mentee)):
        assert (a.band, a.weakest) == (b.band, b.weakest)
        assert (a.score, a.low, a.high) == pytest.approx((b.score, b.low, b.high), abs=1e-9)
        for seen, expected in zip(a.facets, b.facets, strict=True):
            assert tuple(seen) == pytest.approx(tuple(expected), abs=1e-9)


@examples(150)
@given(history=histories(), day=st.integers(0, 600))
def test_an_instant_knows_nothing_of_what_came_after(history: list[Evidence], day: int) -> None:
    at_us = min(item.at_us for item in history) + day * DAY_US
    until = [item for item in history if item.at_us <= at_us]
    assert fold(history, V1, at_us) == fold(until, V1, at_us)


@examples(300)
@given(history=histories(), chance=st.randoms(use_true_random=False))
def test_the_top_reason_of_a_state_is_the_strongest_that_leaving_one_out_finds(
    history: list[Evidence], chance: random.Random
) -> None:
    chance.shuffle(history)
    state = as_it_arrives(history, ())
    at_us = max(item.at_us for item in history)
    for side in (0, 1):
        weighed = weigh(history, V1, at_us, Scope.SHARED)
        told = [it for it in weighed if not it.effect.private and it.evidence.kind not in REPAIRS]
        found = reasons(told, tally(weighed, V1, at_us), V1, side)
        most = max((abs(reason.delta) for reason in found), default=0.0)
        equals = {reason.code for reason in found if abs(reason.delta) > most - 1e-6}
        first = {reason.code for reason in strongest(state, at_us, side)[:1]}
        assert first <= equals
        assert first or most < 1e-6


@examples(100)
@given(history=histories())
def test_no_private_answer_moves_what_is_observable(history: list[Evidence]) -> None:
    at_us = max(item.at_us for item in history)
    observed = [item for item in history if item.kind not in PRIVATE]
    assert fold(history, V1, at_us, Scope.OBSERVED) == fold(observed, V1, at_us)


def flipped(item: Evidence) -> Evidence:
    """The other answer to the same question: yes and no are neighbours."""
    return item._replace(kind=item.kind + (1 if item.kind % 2 else -1))


@examples(600)
@given(history=histories(), later=AFTER_DAYS)
def test_an_answer_that_was_not_revealed_moves_nothing_the_pair_sees(
    history: list[Evidence], later: int
) -> None:
    at_us = max(item.at_us for item in history) + later * DAY_US
    known = revealed(history, V1)
    hidden = [item for item in history if item.kind in PRIVATE and item.event_id not in known]
    others = [item for item in history if item not in hidden]
    seen = fold(history, V1, at_us, Scope.SHARED)
    assert fold(others, V1, at_us, Scope.SHARED) == seen
    assert fold([*others, *map(flipped, hidden)], V1, at_us, Scope.SHARED) == seen


def test_evidence_in_order_is_never_refused() -> None:
    state = PairState(V1)
    assert state.absorb(on_day(0, Kind.AGREEMENT_SIGNED, cadence=14))
    assert all(map(state.absorb, every_14_days(8)))


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(on_day(3, Kind.COMMITMENT_KEPT), id="an earlier kept commitment"),
        pytest.param(on_day(200, Kind.AGREEMENT_SIGNED, cadence=30), id="another half-life"),
    ],
)
def test_what_does_not_commute_is_refused_and_changes_nothing(late: Evidence) -> None:
    state = refold(every_14_days(8), V1)
    before = pack(state)
    assert not state.absorb(late)
    assert pack(state) == before


def test_evidence_centuries_apart_neither_overflows_nor_is_lost() -> None:
    history = [on_day(day, Kind.SESSION_HELD_SAID_BOTH) for day in (-700_000, 0, 2_000_000)]
    for order in (history, history[::-1]):
        state = as_it_arrives(order, (0, 1, 2))
        at_us = history[-1].at_us
        assert_same(state.tally(at_us), tally(weigh(history, V1, at_us), V1, at_us))


def test_a_state_of_another_format_or_model_is_not_read() -> None:
    packed = pack(refold(every_14_days(2), V1))
    assert unpack(b"\x00" + packed[1:], V1) is None
    assert unpack(packed[:1] + b"\x63" + packed[2:], V1) is None


def test_evidence_of_a_kind_from_a_newer_release_weighs_nothing() -> None:
    unknown = on_day(1, Kind.COMMITMENT_KEPT)._replace(kind=99)
    known = every_14_days(2)
    at_us = known[-1].at_us
    assert fold([*known, unknown], V1, at_us) == fold(known, V1, at_us)
    assert refold([*known, unknown], V1).count == len(known) + 1


def test_late_unknown_evidence_does_not_move_what_the_pair_sees() -> None:
    known = every_14_days(2)
    unknown = on_day(99, Kind.COMMITMENT_KEPT)._replace(kind=99)
    assert refold([*known, unknown], V1).newest(Scope.SHARED) == known[-1].at_us
