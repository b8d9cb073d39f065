"""The next step: words of the source text, never a number."""

from __future__ import annotations

from typing import get_args

import pytest

from services.sessions.domain.guidance import ADVICE, advice_of, next_step
from shared.events.insights import Facet, PartnerSafe, SharedTrust
from tests.unit.sessions.given import MENTEE, MENTOR, PAIR


def trust(mentor: Facet | None, mentee: Facet | None) -> PartnerSafe:
    def about(weakest: Facet | None) -> SharedTrust:
        return SharedTrust(score=0.5, low=0.4, high=0.6, band="watch", weakest=weakest)

    return PartnerSafe(as_of=None, about_mentor=about(mentor), about_mentee=about(mentee))


def test_every_facet_has_words_and_no_number() -> None:
    assert set(ADVICE) == set(get_args(Facet))
    for each in ADVICE.values():
        assert not any(char.isdigit() for char in each.title + each.words)


@pytest.mark.parametrize(
    ("known", "agreed", "expected"),
    [
        pytest.param(None, False, "E", id="nothing known, nothing agreed: begin at the beginning"),
        pytest.param(None, True, None, id="nothing known, agreed: nothing stands out"),
        pytest.param(trust(None, None), True, None, id="known, nothing weak"),
        pytest.param(trust(None, None), False, "E", id="known, nothing weak, not agreed"),
        pytest.param(trust("L", "R"), False, "L", id="the weakest comes first"),
    ],
)
def test_the_mentor_is_told(
    known: PartnerSafe | None, agreed: bool, expected: Facet | None
) -> None:
    words = ADVICE[expected] if expected else None

    assert next_step(PAIR, MENTOR, known, agreed=agreed) == words


def test_each_side_is_told_about_themselves() -> None:
    known = trust("L", "R")

    assert next_step(PAIR, MENTOR, known, agreed=True) == ADVICE["L"]
    assert next_step(PAIR, MENTEE, known, agreed=True) == ADVICE["R"]


def test_of_honesty_the_text_asks_another_thing_of_each_side() -> None:
    mentor, mentee = advice_of("H", "mentor"), advice_of("H", "mentee")

    assert "constructive feedback and guidance" in mentor.words
    assert "fears and uncertainties" in mentee.words
    assert not {"fears", "uncertainties"} & set(mentor.words.split())
    assert "feedback" not in mentee.words
    assert not any(char.isdigit() for char in mentor.words + mentee.words)
    assert next_step(PAIR, MENTEE, trust(None, "H"), agreed=True) == mentee
