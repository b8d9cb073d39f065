"""A repair gives back a part of what its miss cost; a false claim is never given back."""

from __future__ import annotations

import pytest

from services.insights.domain.evidence import About, Evidence, Kind
from services.insights.domain.explain import explain
from services.insights.domain.model import V1, Facet
from services.insights.domain.trust import fold
from tests.unit.insights.histories import at_day, every_14_days, kept, mentor, on_day, reliability

PROMISED, BROKEN, DELIVERED = Kind.REPAIR_PROMISED, Kind.REPAIR_BROKEN, Kind.REPAIR_DELIVERED


def missed(day: float, ref: int = 1, kind: Kind = Kind.COMMITMENT_MISSED) -> Evidence:
    return on_day(day, kind, ref=ref)


def repaired(*kinds: Kind, day: float = 0.0, ref: int = 1) -> list[Evidence]:
    return [on_day(day, kind, ref=ref) for kind in kinds]


def against(history: list[Evidence], day: float = 0.0) -> float:
    """What speaks against the mentor's reliability."""
    return reliability(history, day).s


@pytest.mark.parametrize(
    ("repairs", "left"),
    [
        pytest.param([], 2.0, id="nothing done, nothing given back"),
        pytest.param([PROMISED], 1.5, id="a promise gives a quarter back"),
        pytest.param([PROMISED, BROKEN], 2.0, id="until it is broken, too"),
        pytest.param([DELIVERED], 1.0, id="a delivery gives half"),
        pytest.param([PROMISED, DELIVERED], 0.5, id="promised and delivered, three quarters"),
        pytest.param([PROMISED, BROKEN, DELIVERED], 1.0, id="broken, then delivered, half"),
        pytest.param([DELIVERED, DELIVERED, PROMISED], 0.5, id="never more than three quarters"),
    ],
)
def test_a_repair_gives_back_its_share(repairs: list[Kind], left: float) -> None:
    assert against([missed(0), *repaired(*repairs)]) == pytest.approx(left)


def test_a_miss_repaired_and_a_kept_one_fourteen_days_later_are_as_worked() -> None:
    history = [*every_14_days(8), missed(113)]
    mended = [*history, *repaired(DELIVERED, day=127), *kept([127])]
    assert reliability(mended, 127).score == pytest.approx(0.810, abs=0.001)


def test_a_repair_touches_only_what_it_repairs() -> None:
    assert against([missed(0), *repaired(DELIVERED, ref=2)]) == pytest.approx(2.0)


def test_the_third_repair_in_ninety_days_gives_nothing_back() -> None:
    misses = [missed(0, ref) for ref in (1, 2, 3)]
    repairs = [on_day(day, DELIVERED, ref=ref) for ref, day in ((1, 0), (2, 0), (3, 0))]
    assert against(misses + repairs) == pytest.approx(1.0 + 1.0 + 2.0)


def test_after_ninety_days_a_side_may_repair_again() -> None:
    misses = [missed(0, ref) for ref in (1, 2, 3)]
    repairs = [on_day(day, DELIVERED, ref=ref) for ref, day in ((1, 0), (2, 0), (3, 90))]
    assert against(misses + repairs, 90) == pytest.approx(3.0 / 2)


def test_one_side_does_not_use_up_the_repairs_of_the_other() -> None:
    theirs = [
        on_day(0, kind, About.MENTEE, ref=ref)
        for ref in (1, 2)
        for kind in (Kind.COMMITMENT_MISSED, DELIVERED)
    ]
    assert against([*theirs, missed(0, 3), *repaired(DELIVERED, ref=3)]) == pytest.approx(1.0)


def test_who_repairs_a_session_that_both_missed_repairs_their_own_part() -> None:
    both = on_day(0, Kind.SESSION_NO_SHOW, About.BOTH, ref=1)
    trust = fold([both, *repaired(DELIVERED)], V1, at_day(0))
    assert trust.about_mentor.facets[Facet.R].s == pytest.approx(1.5)
    assert trust.about_mentee.facets[Facet.R].s == pytest.approx(3.0)


def test_a_false_claim_is_not_given_back_and_fades_half_as_fast() -> None:
    false = missed(0, kind=Kind.COMMITMENT_SHOWN_FALSE)
    history = [false, *repaired(PROMISED, DELIVERED)]
    assert mentor(history, 0).facets[Facet.H].s == pytest.approx(3.0)
    assert mentor(history, 180).facets[Facet.H].s == pytest.approx(1.5)


def test_leaving_a_repair_out_is_leaving_out_what_it_gave_back() -> None:
    history = [*every_14_days(8), missed(113), *repaired(PROMISED, DELIVERED, day=120)]
    for item in history[-2:]:
        why = explain(history, V1, at_day(120), 0)
        without = [other for other in history if other is not item]
        found = next(r for r in (*why.up, *why.down) if r.event_id == item.event_id)
        expected = reliability(history, 120).score - reliability(without, 120).score
        assert found.facet is Facet.R
        assert found.delta == pytest.approx(expected, abs=1e-12)


def test_the_best_next_step_after_a_miss_is_to_repair_it() -> None:
    history = [on_day(0, Kind.AGREEMENT_SIGNED, cadence=15), *every_14_days(8), missed(113)]
    step = explain(history, V1, at_day(114), 0).next_step
    assert step is not None
    assert step.code == "repair_delivered"


def test_no_repair_is_suggested_for_what_is_too_old_or_repaired() -> None:
    history = [on_day(0, Kind.AGREEMENT_SIGNED, cadence=15), *every_14_days(8), missed(113)]
    for told, day in ((history, 128), ([*history, *repaired(DELIVERED, day=114)], 114)):
        step = explain(told, V1, at_day(day), 0).next_step
        assert step is not None
        assert step.code != "repair_delivered"
