"""Who learns of a private answer, and when: the other side double-blind, a manager in batches."""

from __future__ import annotations

import pytest

from services.insights.domain.answers import matured, next_maturity_us, revealed
from services.insights.domain.evidence import About, Evidence, Kind
from services.insights.domain.model import V1, Facet
from services.insights.domain.trust import fold
from services.insights.domain.weights import Scope
from tests.unit.insights.histories import at_day, on_day

MENTOR, MENTEE = About.MENTOR, About.MENTEE


def answer(
    day: float, about: About = MENTOR, *, session: int = 1, yes: bool = False, shared: bool = False
) -> Evidence:
    kind = Kind.LISTENED_YES if yes else Kind.LISTENED_NO
    return on_day(day, kind, about, ref=session, shared=shared)


def ids(answers: list[Evidence]) -> set[object]:
    return {each.event_id for each in answers}


def test_an_answer_stays_private_until_the_other_side_has_answered_too() -> None:
    about_her, about_him = answer(0), answer(3, MENTEE)
    assert revealed([about_her], V1) == {}
    assert set(revealed([about_her, about_him], V1)) == ids([about_her, about_him])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(answer(1, MENTEE, session=2), id="about another session"),
        pytest.param(answer(14.01, MENTEE), id="more than fourteen days later"),
        pytest.param(answer(1, MENTOR), id="by the same side"),
    ],
)
def test_only_an_answer_of_the_other_side_about_the_same_session_reveals(other: Evidence) -> None:
    assert revealed([answer(0), other], V1) == {}


def test_an_answer_its_giver_shares_is_known_and_reveals_no_other() -> None:
    shared, alone = answer(0, shared=True), answer(0, session=2)
    assert set(revealed([shared, alone], V1)) == ids([shared])


def test_what_the_pair_sees_moves_when_both_have_answered_and_not_before() -> None:
    first = [answer(0)]
    both = [*first, answer(2, MENTEE, yes=True)]

    def listening(history: list[Evidence], day: float) -> float:
        return fold(history, V1, at_day(day), Scope.SHARED).about_mentor.facets[Facet.L].s

    assert listening(first, 1) == 0.0
    assert listening(both, 1) == 0.0
    assert listening(both, 2) > 0.0
    assert fold(both, V1, at_day(2), Scope.OBSERVED).about_mentor.facets[Facet.L].s == 0.0


@pytest.mark.parametrize(
    ("days", "asked", "counted"),
    [
        pytest.param([0, 1], 400, 0, id="two answers never count"),
        pytest.param([0, 1, 2], 13.9, 0, id="three count only after fourteen days"),
        pytest.param([0, 1, 2], 14, 3, id="then all of them at once"),
        pytest.param([0, 1, 20], 19.9, 0, id="fourteen days without a third do not count"),
        pytest.param([0, 1, 20], 20, 3, id="the third closes a batch that is old enough"),
        pytest.param([0, 1, 20.4], 20.9, 0, id="not before the midnight after the third"),
        pytest.param([0, 1, 20.4], 21, 3, id="but then"),
        pytest.param([0.3, 1, 2], 14.9, 0, id="not before the midnight after fourteen days"),
        pytest.param([0, 1, 2, 13], 14, 4, id="what came before it closed is in it"),
        pytest.param([0, 1, 2, 15], 20, 3, id="what came after begins another"),
        pytest.param([0, 1, 2, 15, 16, 17], 29, 6, id="which closes by the same rule"),
    ],
)
def test_a_managers_view_moves_by_whole_batches(
    days: list[float], asked: float, counted: int
) -> None:
    answers = [answer(day) for day in days if day <= asked]
    assert len(matured(answers, V1, at_day(asked))) == counted


def test_each_direction_has_batches_of_its_own() -> None:
    answers = [answer(0), answer(1), answer(2, MENTEE)]
    assert matured(answers, V1, at_day(100)) == {}


def test_when_the_next_batch_closes_is_known() -> None:
    waiting = [answer(0), answer(1), answer(2)]
    assert next_maturity_us(waiting, V1, at_day(3)) == at_day(14)
    assert next_maturity_us(waiting[:2], V1, at_day(3)) is None
    assert next_maturity_us(waiting, V1, at_day(14)) is None
