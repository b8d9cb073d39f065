"""Simulated facts through a real broker and the insights service: served equals folded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.local.foreground import Foreground
from deploy.local.simulate import TOLERANCE
from deploy.local.simulate.drive import UTTERLY, difference, run
from deploy.local.simulate.world import evidence_of, stories
from services.insights.domain.evidence import to_us
from services.insights.domain.model import V1
from services.insights.domain.projections import Subject, trust_changed
from services.insights.domain.state import refold
from shared.events.insights import TrustChanged

pytestmark = pytest.mark.stack

PAIRS, DAYS, SEED = 8, 120, 3


def test_what_the_service_serves_is_the_fold_of_the_facts_that_were_sent() -> None:
    found = run(PAIRS, DAYS, SEED, Foreground())
    assert (found.pairs, found.days, found.seed) == (PAIRS, DAYS, SEED)
    assert found.evidence > 20 * PAIRS
    assert found.facts > found.evidence
    assert found.max_difference <= TOLERANCE
    assert 0.5 < found.coverage <= 1.0


def served() -> list[TrustChanged]:
    """What the service would serve, without it."""
    found = []
    for story in stories(SEED, PAIRS, DAYS):
        evidence = evidence_of(story.events)[story.pair.pair_id]
        subject = Subject(story.pair.pair_id, *story.pair.people)
        found.append(trust_changed(subject, refold(evidence, V1), evidence))
    return found


def test_a_wrong_number_a_missing_pair_or_another_instant_is_seen() -> None:
    evidence = evidence_of(event for s in stories(SEED, PAIRS, DAYS) for event in s.events)
    right = served()
    assert difference(right, evidence) <= TOLERANCE
    assert difference(right[1:], evidence) == UTTERLY
    first = right[0]
    side = first.about_mentor.model_copy(update={"score": first.about_mentor.score + 0.01})
    wrong = first.model_copy(update={"about_mentor": side})
    assert difference([wrong, *right[1:]], evidence) == pytest.approx(0.01, abs=1e-5)
    later = first.model_copy(update={"as_of": first.as_of + timedelta(days=30)})
    assert difference([later, *right[1:]], evidence) > TOLERANCE
    assert to_us(later.as_of) > to_us(first.as_of)
