"""Who may see what, tested as an attacker would: histories that differ in one private answer."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.insights.domain.answers import revealed
from services.insights.domain.evidence import DAY_US, About, Evidence, Kind, from_us
from services.insights.domain.model import V1
from services.insights.domain.projections import Subject, trust_changed
from services.insights.domain.state import refold
from services.insights.domain.trust import fold
from shared.events.insights import TrustChanged
from tests.unit.insights.facts import ANN, BEN, PAIR
from tests.unit.insights.histories import (
    LEAVES,
    PRIVATE,
    every_14_days,
    examples,
    histories,
    mentor,
    on_day,
)

US = Subject(PAIR, ANN, BEN)
OBSERVED = [on_day(0, Kind.AGREEMENT_SIGNED, cadence=14), *every_14_days(4)]


def published(history: list[Evidence]) -> TrustChanged:
    return trust_changed(US, refold(history, V1), history)


def safe(history: list[Evidence]) -> bytes:
    return published(history).partner_safe.model_dump_json().encode()


@examples(200)
@given(
    history=histories(),
    kind=st.sampled_from(PRIVATE),
    about=st.sampled_from([About.MENTOR, About.MENTEE]),
    days=st.integers(-400, 400),
    session=st.integers(0, 4),
)
def test_the_pair_cannot_read_a_private_answer_nor_that_there_is_one(
    history: list[Evidence], kind: Kind, about: About, days: int, session: int
) -> None:
    """Unless both have answered: an answer that meets another is no longer private."""
    at_us = history[0].at_us + days * DAY_US
    answer = on_day(0, kind, about, ref=session)._replace(at_us=at_us)
    assume(revealed([*history, answer], V1) == revealed(history, V1))
    assume(any(item.kind not in LEAVES for item in history))
    assert safe([*history, answer]) == safe(history)


@pytest.mark.parametrize(
    ("yes", "no"),
    [(kind, Kind(kind + 1)) for kind in PRIVATE if kind.name.endswith("_YES")],
)
def test_yes_and_no_look_the_same_to_the_pair_and_differ_for_services(yes: Kind, no: Kind) -> None:
    said_yes, said_no = ([*OBSERVED, on_day(60, kind, id=7)] for kind in (yes, no))
    assert safe(said_yes) == safe(said_no)
    assert published(said_yes).about_mentor != published(said_no).about_mentor


def test_answers_alone_leave_the_pair_looking_like_nothing_happened() -> None:
    for about, kind in product((About.MENTOR, About.MENTEE), PRIVATE):
        seen = published([on_day(3, kind, about)]).partner_safe
        assert seen.as_of is None
        assert seen.about_mentor == seen.about_mentee
        assert (seen.about_mentor.score, seen.about_mentor.top_reason) == (0.6, None)


def test_not_even_the_day_of_an_answer_moves_a_band() -> None:
    """On that day alone the score stood outside the zone in which a band remembers."""
    history = [
        *[on_day(day, Kind.COMMITMENT_MISSED) for day in (0, 1, 2)],
        *[on_day(day, Kind.SESSION_HELD_SAID_ONE) for day in (10, 11, 12)],
        on_day(43, Kind.COMMITMENT_MISSED_TOLD),
    ]
    low, high = V1.bands.strained
    assert low < mentor(history, 12).score < high < mentor(history, 42).score
    assert low < mentor(history, 43).score < high
    answer = on_day(42, Kind.LISTENED_YES, About.MENTEE)
    assert safe([*history, answer]) == safe(history)


@examples(100)
@given(history=histories(), chance=st.randoms(use_true_random=False))
def test_the_fact_is_a_function_of_the_evidence(
    history: list[Evidence], chance: random.Random
) -> None:
    assume(any(item.kind not in LEAVES for item in history))
    fact = published(history)
    shuffled = history * 2
    chance.shuffle(shuffled)
    assert published(shuffled) == fact
    newest = max(item.at_us for item in history if item.kind not in LEAVES)
    assert (fact.revision, fact.as_of) == (len(history), from_us(newest))
    folded = fold(history, V1, newest)
    assert fact.health == pytest.approx(folded.health, abs=1e-6)
