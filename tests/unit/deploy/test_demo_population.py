"""The demo's people can be read by the network, and matching finds exactly the pairs asked for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson
import pytest

from deploy.local.demo.population import CONTENT_TYPE, key_of, ndjson, population
from deploy.local.demo.size import FULL, START, DemoSize
from services.matching.computing import mentees_side, mentors_side
from services.matching.domain.fit import Barrier
from services.matching.domain.programme import Settings
from services.matching.domain.run import Result, Run
from services.matching.engine.lift import NOTHING
from services.matching.engine.matchmaking import Crowd, work_out
from services.matching.queries.crowd import One
from shared.events.envelope import decode
from shared.events.people import PersonState
from shared.ids import ProgrammeId, TenantId

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
    found = matched([one.fact for one in population(size, seed, TENANT)], size.pairs)
    assert len(found.pairs) == size.pairs
    reasons = {one.reason for one in found.left_out}
    assert len(found.left_out) == size.unplaced
    assert reasons <= {Barrier.NO_COMMON_LANGUAGE, Barrier.NO_SHARED_GOAL}


def matched(people: Sequence[PersonState], at_most: int) -> Result:
    """What a run of a programme as it is at first would come to."""
    rows = {role: [as_kept(each) for each in people if role in roles(each)] for role in ROLES}
    free = {each.person_id: capacity(each) for each in people}
    crowd = Crowd(
        mentors=mentors_side(rows["mentor"], {}, free, START),
        mentees=mentees_side(rows["mentee"], {}, START),
        apart=frozenset(),
        standing={},
        waited=frozenset(),
        earlier=None,
        ranked=None,
        lift=NOTHING,
    )
    run = Run(
        run_id=UUID(int=1),
        programme_id=ProgrammeId("autumn"),
        version=1,
        settings=Settings(),
        what_if=False,
        incremental=False,
        at_most=at_most,
        ranking_id=None,
        asked_at=START,
    )
    return work_out(run, crowd, lambda *_: None)


ROLES = ("mentor", "mentee")


def roles(person: PersonState) -> Sequence[str]:
    return person.participation.roles if person.participation else ()


def capacity(person: PersonState) -> int:
    return person.participation.capacity if person.participation else 0


def as_kept(person: PersonState) -> One:
    part = person.participation
    assert part is not None
    return One(
        person_id=person.person_id,
        timezone=person.timezone,
        manager_id=person.manager_id,
        org_unit=person.org_unit,
        grade=person.grade,
        languages=person.languages,
        hours=orjson.dumps([window.model_dump() for window in person.hours]).decode(),
        offers=part.offers,
        goals=part.goals,
        about="",
        wishes="",
        avoid=(),
    )
