"""What each reader is shown: help for a member, both bands for a manager, a number for nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from services.matching.domain.guidance import ADVICE, PairTrust, Standing, standing
from services.matching.domain.pair import Actor
from services.matching.views import pair_detail
from shared.events.insights import Band, Facet, SharedTrust
from shared.events.matching import Ground
from tests.unit.matching.builders import MENTEE, MENTOR, PAIR, manager, member

TRUST = PairTrust(about_mentor=Standing("watch", "R"), about_mentee=Standing("steady", None))


@pytest.mark.parametrize(
    ("reader", "shown"),
    [
        pytest.param(member(MENTOR), {"mentor": "watch"}, id="a mentor sees their own side"),
        pytest.param(member(MENTEE), {"mentee": "steady"}, id="a mentee sees their own side"),
        pytest.param(manager(), {"mentor": "watch", "mentee": "steady"}, id="a manager sees both"),
    ],
)
def test_trust_is_shown_where_it_helps(reader: Actor, shown: dict[str, str]) -> None:
    view = pair_detail(PAIR, reader, {}, TRUST)
    assert {one.about: one.band for one in view.trust} == shown


def test_the_weakest_side_of_trust_becomes_a_next_step_in_words() -> None:
    (one,) = pair_detail(PAIR, member(MENTOR), {}, TRUST).trust
    assert one.next_step is not None
    assert one.next_step.title == "Be reliable"
    assert "Follow through on commitments" in one.next_step.words


def test_where_nothing_is_known_the_first_step_is_expectations() -> None:
    step = Standing("too_early", None).next_step
    assert step is not None
    assert step.facet == "E"


def test_a_steady_pair_is_told_so_and_left_alone() -> None:
    assert Standing("steady", None).next_step is None


def test_no_number_survives_in_our_copy_of_trust() -> None:
    shared = SharedTrust(score=0.41, low=0.2, high=0.6, band="watch", weakest="H")
    assert standing(shared) == Standing("watch", "H")


def test_a_participant_sees_neither_fit_nor_the_other_sides_first_yes() -> None:
    waiting = replace(PAIR, mentor_accepted=True)
    view = pair_detail(waiting, member(MENTEE), {}, None)
    assert (view.fit, view.accepted_by, view.you_accepted) == (None, None, False)
    seen = pair_detail(waiting, manager(), {}, None)
    assert (seen.fit, seen.accepted_by) == (0.7, (MENTOR,))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        pytest.param(
            Ground(code="shared_goals", detail=("data", "public_speaking"), weight=0.5),
            "The mentor offers what the mentee is looking for: data, public speaking.",
            id="goals",
        ),
        pytest.param(
            Ground(code="shared_languages", detail=("en",), weight=0.2),
            "They have a language in common: en.",
            id="languages",
        ),
        pytest.param(
            Ground(code="shared_hours", detail=("150",), weight=0.1),
            "They have 2 h 30 min a week free at the same time.",
            id="hours",
        ),
        pytest.param(
            Ground(code="shared_hours", detail=("45",), weight=0.1),
            "They have 45 min a week free at the same time.",
            id="less than an hour",
        ),
    ],
)
def test_reasons_are_put_into_words(reason: Ground, words: str) -> None:
    (shown,) = pair_detail(replace(PAIR, grounds=(reason,)), manager(), {}, None).reasons
    assert shown.words == words


def test_every_band_and_facet_has_words() -> None:
    assert all(Standing(band, None).words for band in get_args(Band))
    assert all(ADVICE[facet].words for facet in get_args(Facet))
