"""One's own shortlist: whom one could ask, as of now, and nothing of those who are left out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deploy.local.stack import Stack
from services.matching.handlers import shortlists
from shared.postgres.tenancy import acting_for
from tests.integration.matching.conftest import ACME, Matching, caller, mentee, mentor
from tests.integration.matching.test_people import left
from tests.support.databases import as_administrator

pytestmark = pytest.mark.stack
PLACE = "/v1/programmes/spring/shortlist"


async def indexed(matching: Matching) -> None:
    """A worker has made everybody's points."""
    while await shortlists.index(matching.pool, matching.clock.now()):
        pass


async def listed(matching: Matching, who: str, query: str = "") -> list[str]:
    answer = await matching.get(f"{PLACE}{query}", who, "participant")
    assert answer.status_code == 200, answer.text
    return [each["person"]["person_id"] for each in answer.json()["people"]]


def offering(person_id: str, *offers: str, **changes: Any) -> Any:
    part = {"roles": ["mentor"], "capacity": 2, "offers": list(offers)}
    return mentor(person_id, participation=part, **changes)


async def test_the_best_come_first_with_reasons_and_no_number_of_fit(matching: Matching) -> None:
    part = {"roles": ["mentee"], "goals": ["python", "rust"]}
    await matching.hears(offering("ann", "python"), offering("bo", "python", "rust"))
    await matching.hears(offering("cy", "cooking"), mentee("ben", participation=part))
    await matching.programme()
    await indexed(matching)

    answer = (await matching.get(PLACE, "ben", "participant")).json()

    assert answer["side"] == "mentor"
    assert [each["person"] for each in answer["people"]] == [
        {"person_id": "bo", "display_name": "Bo"},
        {"person_id": "ann", "display_name": "Ann"},
    ]
    assert answer["people"][0]["reasons"][0]["words"] == (
        "The mentor offers what the mentee is looking for: python, rust."
    )
    assert "fit" not in answer["people"][0]
    assert await listed(matching, "ben", "?limit=1") == ["bo"]


async def test_a_mentor_sees_who_looks_for_one(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=3), mentee("ben"), mentee("cy"))
    await matching.programme()
    await indexed(matching)
    await matching.match(limit=1)

    taken = (await matching.get("/v1/pairs")).json()["pairs"][0]["mentee"]["person_id"]

    assert await listed(matching, "ann", "?as=mentor") == [{"ben": "cy", "cy": "ben"}[taken]]


async def test_what_is_changed_now_counts_now(matching: Matching) -> None:
    await matching.hears(offering("ann", "cooking"), mentee("ben"))
    await matching.programme()
    await indexed(matching)
    assert await listed(matching, "ben") == []

    headers = caller("ann", "participant", ACME)
    said = await matching.http.put("/v1/me/profile", json={"offers": ["python"]}, headers=headers)
    assert said.status_code == 200, said.text

    assert await listed(matching, "ben") == ["ann"]
    await indexed(matching)
    assert await listed(matching, "ben") == ["ann"]


async def test_whoever_could_not_be_asked_is_not_there(matching: Matching) -> None:
    out = {
        "paused": {"paused": True},
        "avoids": {"avoid": ["ben"]},
    }
    people = ("free", "full", "left", "excluded", "tried", *out)
    await matching.hears(*(mentor(who) for who in people), mentor("boss-of-ben"))
    await matching.hears(mentee("ben", manager_id="boss-of-ben"), mentee("cy"))
    await matching.programme()
    for who, profile in out.items():
        headers = caller(who, "participant", ACME)
        await matching.http.put("/v1/me/profile", json=profile, headers=headers)
    await indexed(matching)
    ask = "/v1/programmes/spring/asks"
    assert (await matching.post(ask, {"mentor_id": "full"}, "cy")).status_code in (200, 201)
    asked = await matching.post(ask, {"mentor_id": "tried"}, "ben")
    path = f"/v1/pairs/{asked.json()['pair_id']}"
    assert (await matching.post(f"{path}/decline", as_="tried")).status_code == 200
    boss = caller("boss", "manager", ACME)
    place = "/v1/programmes/spring/exclusions/ben/excluded"
    assert (await matching.http.put(place, headers=boss)).status_code == 204
    await matching.hears(left("left"))

    assert await listed(matching, "ben") == ["free"]
    assert await listed(matching, "ben", "?limit=50") == ["free"]


async def test_it_is_ones_own_and_of_one_tenant(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    await matching.programme()
    await indexed(matching)

    assert (await matching.get(PLACE, "ben", "participant", "globex")).status_code == 404
    nobody = await matching.get(PLACE, "zoe", "participant")
    assert (nobody.status_code, nobody.json()["title"]) == (409, "takes no part")
    wrong = await matching.get(f"{PLACE}?as=mentor", "ben", "participant")
    assert wrong.status_code == 409


async def test_the_index_is_what_finds_the_nearest_under_row_level_security(
    matching: Matching, stack: Stack
) -> None:
    await matching.hears(*(mentor(f"m{n:04}") for n in range(1500)))
    await indexed(matching)
    await as_administrator(stack.postgres_dsn, matching.pool, "ANALYZE person_point")
    async with acting_for(matching.pool, ACME) as conn:
        point = await conn.fetchval("SELECT point::text FROM person_point LIMIT 1")
        plan = await conn.fetch(
            f"""EXPLAIN SELECT person_id FROM person_point
                WHERE tenant = 'acme' AND side = 'mentor'
                ORDER BY point <#> '{point}'::halfvec LIMIT 50"""
        )
    assert "person_point_mentors" in "\n".join(row[0] for row in plan)


async def test_an_index_that_dies_in_the_middle_forgets_nobody(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    async with matching.pool.acquire() as conn, conn.transaction():
        await conn.execute("LOCK TABLE person_point IN EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            await _in_time(matching)
    assert await matching.kept("SELECT count(*) FROM person_stale") == 2

    await indexed(matching)

    assert await matching.kept("SELECT count(*) FROM person_stale") == 0
    assert await matching.kept("SELECT count(*) FROM person_point") == 2


async def _in_time(matching: Matching) -> None:
    await asyncio.wait_for(shortlists.index(matching.pool, matching.clock.now()), 1)
