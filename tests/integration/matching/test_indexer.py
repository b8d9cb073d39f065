"""The indexer beside those who change people: no change is missed, and nobody is kept for ever."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from services.matching.handlers import shortlists
from shared.events.people import PersonErased
from shared.ids import PersonId
from shared.postgres.tenancy import act_for
from tests.integration.matching.conftest import ACME, Matching, caller, days, mentee, mentor
from tests.integration.matching.test_people import left

pytestmark = pytest.mark.stack
_POINTS = (
    "SELECT string_agg(person_id || '/' || side, ' ' ORDER BY person_id, side) FROM person_point"
)
_TOPICS = "SELECT topics::text FROM person_point WHERE person_id = 'ann'"
_STALE = "SELECT count(*) FROM person_stale"
_CHANGE = "UPDATE person SET offers = '{rust}' WHERE tenant = 'acme' AND person_id = 'ann'"


async def index(matching: Matching) -> int:
    return await shortlists.index(matching.pool, matching.clock.now())


async def test_a_change_that_commits_while_its_person_is_indexed_is_not_missed(
    matching: Matching,
) -> None:
    await matching.hears(mentor("ann"))
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for(conn, ACME)
        await conn.execute(_CHANGE)
        # The news from before are still noted; this change cannot be seen yet.
        await index(matching)

    while await index(matching):
        pass
    assert await matching.kept(_TOPICS) == "{rust}"


async def test_a_change_that_comes_while_its_person_is_indexed_waits_and_is_noted(
    matching: Matching,
) -> None:
    await matching.hears(mentor("ann"))
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for(conn, ACME)
        await conn.execute("DELETE FROM person_stale")  # as the indexer begins
        change = asyncio.create_task(
            matching.hears(mentor("ann", capacity=2), at=matching.clock.now() + days(1))
        )
        done, _ = await asyncio.wait({change}, timeout=0.2)
        assert done == set()
    await change

    assert await matching.kept(_STALE) == 1


async def test_two_indexers_share_the_work_and_do_it_once(matching: Matching) -> None:
    await matching.hears(*(mentor(f"m{n}") for n in range(20)))

    counts = await asyncio.gather(*(index(matching) for _ in range(4)))

    assert sum(counts) == 20
    assert await matching.kept("SELECT count(*) FROM person_point") == 20


async def test_who_takes_part_on_both_sides_is_found_on_both(matching: Matching) -> None:
    part = {"roles": ["mentor", "mentee"], "capacity": 1, "offers": ["python"], "goals": ["rust"]}
    await matching.hears(mentor("ann", participation=part), mentee("ben"))

    await index(matching)

    assert await matching.kept(_POINTS) == "ann/mentee ann/mentor ben/mentee"


async def test_whoever_leaves_is_erased_or_takes_no_part_any_more_has_no_point(
    matching: Matching,
) -> None:
    await matching.hears(*(mentor(who) for who in ("ann", "bo", "cy", "di")))
    await index(matching)

    gone = PersonErased(person_id=PersonId("bo"), erased_on=date(2026, 3, 1))
    await matching.hears(left("ann"), gone, at=matching.clock.now() + days(1))
    assert "bo" not in str(await matching.kept(_POINTS))
    headers = caller("cy", "participant", ACME)
    await matching.http.put("/v1/me/profile", json={"roles": []}, headers=headers)
    await index(matching)

    assert await matching.kept(_POINTS) == "di/mentor"


async def test_what_is_told_late_or_twice_makes_nobody_stale(matching: Matching) -> None:
    at = matching.clock.now()
    await matching.hears(mentor("ann"), at=at)
    await index(matching)

    await matching.hears(mentor("ann", capacity=5), at=at - days(1))

    assert await matching.kept(_STALE) == 0
