"""The demo's people can be read by the network, and matching finds exactly the pairs asked for."""

from __future__ import annotations

import pytest

from deploy.local.demo.population import CONTENT_TYPE, key_of, ndjson, population
from deploy.local.demo.size import FULL, START, DemoSize
from services.matching import solver
from services.matching.domain.matching import Barrier, as_mentee, as_mentor, propose
from services.matching.domain.person import from_fact
from shared.events.envelope import decode
from shared.ids import TenantId

TENANT = TenantId("northwind")
SMALL = DemoSize(people=20, pairs=6, weeks=6)


def test_the_same_seed_makes_the_same_people() -> None:
    assert ndjson(population(FULL, 7, TENANT)) == ndjson(population(FULL, 7, TENANT))
    assert ndjson(population(FULL, 7, TENANT)) != ndjson(population(FULL, 8, TENANT))


def test_every_line_is_an_event_that_the_network_can_read() -> None:
    for one in population(FULL, 7, TENANT):
        event = decode(key_of(one, TENANT), one.line, [("content-type", CONTENT_TYPE)])
        assert event.fact == one.fact
        assert event.occurred_at < START


def test_nobody_shares_an_id_or_an_address() -> None:
    people = [one.fact for one in population(FULL, 7, TENANT)]
    assert len(people) == FULL.people
    assert len({person.person_id for person in people}) == FULL.people
    assert len({person.email for person in people}) == FULL.people


def test_managers_are_people_of_the_company_and_nobody_is_their_own() -> None:
    people = [one.fact for one in population(FULL, 7, TENANT)]
    ids = {person.person_id for person in people}
    assert all(person.manager_id in {*ids, None} for person in people)
    assert all(person.manager_id != person.person_id for person in people)


@pytest.mark.parametrize(
    ("size", "seed"), [*((SMALL, seed) for seed in range(20)), (FULL, 7), (FULL, 8)]
)
def test_there_is_a_mentor_for_each_pair_and_a_reason_for_everybody_else(
    size: DemoSize, seed: int
) -> None:
    people = [from_fact(one.fact) for one in population(size, seed, TENANT)]
    mentors = [as_mentor(one, one.capacity, START) for one in people if "mentor" in one.roles]
    mentees = [as_mentee(one, START) for one in people if "mentee" in one.roles]
    found = propose(mentors, mentees, frozenset(), solver.assign, size.pairs)
    assert len(found.proposals) == size.pairs
    reasons = {one.reason for one in found.unmatched}
    assert len(found.unmatched) == size.unplaced
    assert reasons <= {Barrier.NO_COMMON_LANGUAGE, Barrier.NO_SHARED_GOAL}
