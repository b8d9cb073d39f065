"""An alert needs two low days running, and ends when trust is probably not low any more."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insights.domain.alerts import (
    ALERT_ABOVE,
    LAST_ADVICE,
    RESOLVED_BELOW,
    Look,
    Risk,
    decide,
    look_at,
    needs_a_look,
)
from services.insights.domain.bands import Band
from services.insights.domain.evidence import DAY_US, Evidence, Kind
from services.insights.domain.explain import Explanation, NextStep
from services.insights.domain.model import V1
from services.insights.domain.state import refold
from tests.unit.insights.histories import at_day, examples, histories, on_day

TODAY = date(2026, 3, 2)
YESTERDAY, LAST_WEEK = TODAY - timedelta(days=1), TODAY - timedelta(days=7)


def look(probability: float, band: Band = "strained") -> Look:
    return Look(probability, band, Explanation((), (), None, NextStep("session_held", 0.6)))


LOW, BETWEEN, WELL = look(0.9), look(0.7), look(0.2, "watch")
TOO_EARLY = look(0.9, "too_early")
OPEN = Risk(LAST_WEEK, LAST_WEEK)


@pytest.mark.parametrize(
    ("before", "seen", "after", "what"),
    [
        pytest.param(Risk(), LOW, Risk(TODAY), None, id="the first low day is only remembered"),
        pytest.param(Risk(YESTERDAY), LOW, Risk(TODAY, TODAY), "alerted", id="the second alerts"),
        pytest.param(Risk(LAST_WEEK), LOW, Risk(TODAY), None, id="not two days running"),
        pytest.param(Risk(YESTERDAY), BETWEEN, Risk(), None, id="a better day breaks the row"),
        pytest.param(Risk(YESTERDAY), TOO_EARLY, Risk(), None, id="too early never alerts"),
        pytest.param(OPEN, LOW, Risk(TODAY, LAST_WEEK), None, id="one alert is enough"),
        pytest.param(OPEN, BETWEEN, OPEN, None, id="a little better does not resolve it"),
        pytest.param(OPEN, WELL, Risk(), "recovered", id="well again"),
        pytest.param(OPEN, TOO_EARLY, Risk(), "too_early", id="faded until nobody can tell"),
        pytest.param(OPEN, None, Risk(), "ended", id="the pair ended"),
        pytest.param(Risk(YESTERDAY), None, Risk(), None, id="ended before there was an alert"),
        pytest.param(Risk(), WELL, Risk(), None, id="all is well"),
    ],
)
def test_a_daily_look_decides(before: Risk, seen: Look | None, after: Risk, what: str) -> None:
    assert decide(before, seen, TODAY) == (after, what)


@given(st.lists(st.sampled_from([LOW, BETWEEN, WELL, TOO_EARLY]), max_size=30))
def test_alerts_and_resolutions_take_turns(looks: list[Look]) -> None:
    risk, said = Risk(), []
    for day, seen in enumerate(looks):
        risk, what = decide(risk, seen, TODAY + timedelta(days=day))
        if what is not None:
            said.append(what)
    assert all((what == "alerted") == (place % 2 == 0) for place, what in enumerate(said))


def neglected(misses: int) -> list[Evidence]:
    """A mentor who misses one promise after the other, without a word."""
    return [on_day(day * 3, Kind.COMMITMENT_MISSED, ref=day) for day in range(1, misses + 1)]


def test_misses_without_a_word_are_low_with_reasons_and_advice() -> None:
    worst = [*neglected(6), *[on_day(20 + n, Kind.BOUNDARY_BREACHED, ref=n) for n in range(3)]]
    worst += [on_day(24, Kind.COMMITMENT_SHOWN_FALSE, ref=9)]
    mentor, mentee = look_at(worst, V1, at_day(25))
    assert mentor.probability > ALERT_ABOVE
    assert mentor.band == "strained"
    assert {reason.code for reason in mentor.why.down} & {"commitment_missed", "boundary_breached"}
    assert mentor.next_step == "agreement_signed"
    assert (mentee.band, mentee.probability < RESOLVED_BELOW) == ("too_early", True)


def test_where_no_event_would_help_the_advice_is_to_look_at_the_agreement() -> None:
    assert Look(0.9, "strained", Explanation((), (), None, None)).next_step == LAST_ADVICE


def test_private_answers_do_not_alert_before_three_of_them_are_fourteen_days_old() -> None:
    sessions = [on_day(n, Kind.SESSION_HELD_SAID_BOTH) for n in range(2)]
    noes = [
        on_day(10 + n, kind, ref=n)
        for n, kind in enumerate([Kind.HONEST_NO, Kind.LISTENED_NO, Kind.AT_EASE_NO] * 4)
    ]
    early, late = (look_at([*sessions, *noes], V1, at_day(day))[0] for day in (23, 24))
    unanswered = look_at(sessions, V1, at_day(23))[0]
    assert early.probability == unanswered.probability
    assert late.probability > early.probability


@examples(400)
@given(history=histories(), later=st.sampled_from([0, 1, 28, 90, 400]))
def test_no_pair_that_would_alert_is_passed_over(history: list[Evidence], later: int) -> None:
    at_us = max(item.at_us for item in history) + later * DAY_US
    low = [
        seen for seen in look_at(history, V1, at_us)
        if seen.band != "too_early" and seen.probability > ALERT_ABOVE
    ]  # fmt: skip
    assert needs_a_look(refold(history, V1), at_us) or not low
