"""The simulated world: the same for the same seed, and true to the contracts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from deploy.local.simulate.cast import Attack
from deploy.local.simulate.nature import DEFAULT, SIDES
from deploy.local.simulate.story import Story
from deploy.local.simulate.world import evidence_of, stories
from services.insights.domain.evidence import to_us
from services.insights.domain.model import V1
from services.insights.domain.trust import fold
from shared.events.envelope import decode, encode
from shared.events.people import LeaveFact
from shared.events.sessions import CommitmentKept, FeedbackGiven, SessionMissed

SEED, PAIRS, DAYS = 5, 30, 180


@pytest.fixture(scope="module")
def world() -> list[Story]:
    return list(stories(SEED, PAIRS, DAYS))


def test_the_same_seed_tells_the_same_facts_and_another_one_others(world: list[Story]) -> None:
    again = list(stories(SEED, PAIRS, DAYS))
    assert [story.events for story in again] == [story.events for story in world]
    assert all(np.array_equal(a.facets, b.facets) for a, b in zip(again, world, strict=True))
    other = list(stories(SEED + 1, PAIRS, DAYS))
    assert not {e.event_id for s in other for e in s.events} & {
        e.event_id for s in world for e in s.events
    }


def test_every_fact_survives_the_wire(world: list[Story]) -> None:
    for story in world:
        for event in story.events:
            again = decode(*encode(event))
            assert (again.event_id, again.fact, again.occurred_at) == (
                event.event_id,
                event.fact,
                event.occurred_at,
            )


def test_ids_are_unique_and_times_lie_within_the_life_of_the_pair(world: list[Story]) -> None:
    ids = [event.event_id for story in world for event in story.events]
    assert len(ids) == len(set(ids))
    for story in world:
        times = [event.occurred_at for event in story.events]
        assert times == sorted(times)
        assert (times[-1] - times[0]).days <= story.last <= DAYS


def test_every_kind_of_fact_that_can_be_evidence_is_told() -> None:
    told = Counter(event.fact.type for story in stories(SEED, 150, 365) for event in story.events)
    missing = {
        *("agreement.signed", "agreement.reviewed", "session.held", "session.missed"),
        *("session.cancelled", "commitment.made", "commitment.kept", "commitment.warned"),
        *("commitment.missed", "commitment.missed_told", "commitment.missed_warned"),
        *("commitment.renegotiated", "commitment.shown_false", "feedback.given"),
        *("boundary.reminded", "boundary.breached", "repair.promised", "repair.broken"),
        *("repair.delivered", "introduction.made", "goal.set", "goal.progressed"),
        *("pair.started", "pair.ended", "person.leave_started", "person.leave_ended"),
    } - set(told)
    assert not missing


def test_leave_and_outages_are_told_as_excuses(world: list[Story]) -> None:
    facts = [event.fact for story in world for event in story.events]
    assert any(isinstance(fact, LeaveFact) for fact in facts)
    excuses = {fact.excused for fact in facts if isinstance(fact, SessionMissed)}
    assert {"leave", "outage", None} <= excuses


def test_a_higher_latent_gives_a_higher_score_on_average() -> None:
    """The same people, the same chance, better in every facet."""
    scores = []
    for mean in (-1.0, 0.0, 1.0, 2.0):
        nature = replace(DEFAULT, mean=mean, attackers=0.0, ends_per_year=0.0)
        found = []
        for story in stories(SEED, PAIRS, DAYS, nature):
            evidence = evidence_of(story.events)[story.pair.pair_id]
            trust = fold(evidence, V1, to_us(story.events[-1].occurred_at))
            found += [trust.about_mentor.score, trust.about_mentee.score]
        scores.append(float(np.mean(found)))
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 0.15


def test_the_two_groups_are_as_trustworthy_and_meet_less_often() -> None:
    told = list(stories(SEED, 400, 30))
    by_group = [[s for s in told if s.pair.group == group] for group in (0, 1)]
    means = [np.mean([s.truth[:, 0].mean() for s in group]) for group in by_group]
    assert abs(means[0] - means[1]) < 0.04
    cadences = [{s.pair.cadence_days for s in group} for group in by_group]
    assert cadences == [{14}, {28}]


def test_pairs_with_less_trust_end_early_more_often() -> None:
    told = list(stories(SEED, 400, 365))
    early = np.mean([s.truth.min(axis=0)[: s.last + 1].mean() for s in told if s.early])
    stayed = np.mean([s.truth.min(axis=0).mean() for s in told if not s.early])
    assert early < stayed - 0.05


@pytest.mark.parametrize("attack", [attack for attack in Attack if attack is not Attack.NONE])
def test_attackers_do_what_they_are_named_for(attack: Attack) -> None:
    nature = replace(DEFAULT, attackers=1.0, ends_per_year=0.0, leaves_company_per_year=0.0)
    mine = [s for s in stories(SEED, 60, DAYS, nature) if s.pair.attack is attack]
    assert mine
    for story in mine:
        facts = [event.fact for event in story.events]
        about = [f for f in facts if isinstance(f, FeedbackGiven) and f.about == f.mentor_id]
        if attack is Attack.STUFFING:
            kept = Counter(f.by for f in facts if isinstance(f, CommitmentKept))
            assert kept[story.pair.people[1]] >= 30
        elif attack is Attack.COLLUSION:
            assert not [f for f in facts if f.type.startswith("commitment.missed")]
        elif attack is Attack.BAD_MOUTHING:
            assert not any(fact.answer for fact in about)
        else:
            reliability = story.facets[0, 3]
            assert reliability[:45].min() > 0.9 > 0.2 > reliability[45:65].max()


def test_the_truth_is_between_none_and_all(world: list[Story]) -> None:
    for story in world:
        assert story.facets.shape[0] == SIDES
        assert (story.facets > 0).all()
        assert (story.facets < 1).all()
        assert (story.truth <= story.facets.mean(axis=1) + 1e-12).all()
