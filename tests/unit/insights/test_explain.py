"""Explanations: each point traced to an event, and checked by really leaving the event out."""

from __future__ import annotations

import pytest
from hypothesis import given

from services.insights.domain.evidence import DAY_US, Evidence, Kind
from services.insights.domain.explain import explain
from services.insights.domain.model import V1
from services.insights.domain.trust import fold
from services.insights.domain.weights import Scope
from tests.unit.insights.histories import (
    at_day,
    every_14_days,
    examples,
    histories,
    kept,
    mentor,
    on_day,
)

MISS = on_day(113, Kind.COMMITMENT_MISSED)
HISTORY = [on_day(0, Kind.AGREEMENT_SIGNED, cadence=15), *every_14_days(8), MISS]


def test_a_reason_is_the_difference_that_leaving_the_event_out_makes() -> None:
    why = explain(HISTORY, V1, at_day(113), 0)
    for reason in (*why.up, *why.down):
        without = [item for item in HISTORY if item.event_id != reason.event_id]
        # The agreement sets the half-life too, to what holds without one: only its weight counts.
        difference = (
            mentor(HISTORY, 113).facets[reason.facet].score
            - mentor(without, 113).facets[reason.facet].score
        )
        assert reason.delta == pytest.approx(difference, abs=1e-9)


def test_the_miss_comes_first_among_what_pulls_down() -> None:
    why = explain(HISTORY, V1, at_day(113), 0)
    assert [(reason.code, reason.event_id) for reason in why.down] == [
        ("commitment_missed", MISS.event_id)
    ]
    assert why.down[0].delta == pytest.approx(0.709 - 0.895, abs=0.002)
    assert len(why.up) == 3


@pytest.mark.parametrize("side", [0, 1])
def test_nobody_is_told_the_other_ones_reasons_as_their_own(side: int) -> None:
    why = explain(HISTORY, V1, at_day(113), side)
    codes = {reason.code for reason in (*why.up, *why.down)}
    assert ("commitment_missed" in codes) == (side == 0)


@examples(200)
@given(history=histories())
def test_reasons_are_observable_unless_everything_is_asked_for(history: list[Evidence]) -> None:
    at_us = max(item.at_us for item in history)
    private = {item.event_id for item in history if V1.rows[Kind(item.kind)].private}
    for side in (0, 1):
        why = explain(history, V1, at_us, side)
        assert not private & {reason.event_id for reason in (*why.up, *why.down)}


def test_a_private_answer_is_a_reason_for_those_who_may_see_everything() -> None:
    history = [*every_14_days(2), on_day(30, Kind.HONEST_NO)]
    why = explain(history, V1, at_day(30), 0, Scope.EVERYTHING)
    assert [reason.code for reason in why.down] == ["honest_no"]


def test_what_fades_fastest_is_the_steepest_slope_in_time() -> None:
    why = explain(HISTORY, V1, at_day(113), 0)
    assert why.fading is not None
    now, soon = (fold(HISTORY, V1, at_day(113) + days * DAY_US) for days in (0, 1))
    slopes = [
        after.score - before.score
        for before, after in zip(now.about_mentor.facets, soon.about_mentor.facets, strict=True)
    ]
    steepest = max(range(6), key=lambda facet: abs(slopes[facet]))
    assert why.fading.facet == steepest
    assert why.fading.per_day == pytest.approx(slopes[steepest], rel=0.02)


def test_the_next_step_is_what_would_help_most_and_it_does() -> None:
    history = every_14_days(8)
    why = explain(history, V1, at_day(120), 0)
    assert why.next_step is not None
    assert why.next_step.code == "agreement_signed"
    done = [*history, on_day(120, Kind.AGREEMENT_SIGNED, cadence=15)]
    assert mentor(done, 120).score == pytest.approx(why.next_step.score)


def test_an_agreement_that_is_there_is_not_suggested_again() -> None:
    why = explain(HISTORY, V1, at_day(130), 0)
    assert why.next_step is not None
    assert why.next_step.code == "session_held"
    assert why.next_step.score > mentor(HISTORY, 120).score


def test_nothing_is_explained_by_nothing() -> None:
    why = explain([], V1, at_day(0), 0)
    assert (why.up, why.down, why.fading) == ((), (), None)


def test_a_capped_week_offers_less_for_one_more() -> None:
    """The suggestion knows that the week's full ones are used up."""
    busy = [*HISTORY, *kept([133.1, 133.2, 133.3])]
    why = explain(busy, V1, at_day(133.5), 0)
    assert why.next_step is not None
    assert why.next_step.code == "session_held"
