"""Introductions over HTTP: only in steady trust, made by two yeses, and a no nobody sees."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.matching.domain.introduction import NOT_YET
from services.matching.handlers.introductions import lapse_due
from shared.events.matching import (
    IntroductionConcluded,
    IntroductionLapsed,
    IntroductionMade,
    IntroductionOffered,
)
from shared.events.people import PersonErased
from shared.ids import PersonId, TenantId
from shared.postgres.tenancy import act_for_all, acting_for
from tests.conftest import MakePool
from tests.integration.matching.care import look, matching_on, ok, sent, steady_pair, trust
from tests.integration.matching.conftest import ACME, START, Matching, days, mentee

pytestmark = pytest.mark.stack
HOUR = timedelta(hours=1)


async def offer(matching: Matching, path: str, contact: str = "carla", by: str = "ann") -> str:
    body = {"contact": contact, "about": "data"}
    made = await ok(matching, f"{path}/introductions", body, by)
    return f"/v1/introductions/{made['introduction_id']}"


async def seen(matching: Matching, path: str, by: str) -> dict[str, Any]:
    answer = await matching.get(path, by, "participant")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def sweep(matching: Matching, limit: int = 100) -> int:
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        return await lapse_due(conn, matching.clock.now(), limit)


async def test_two_yeses_make_it_and_the_outcome_is_told_once(matching: Matching) -> None:
    pair = await steady_pair(matching, "carla")
    path = await offer(matching, pair)

    waiting = await seen(matching, path, "carla")
    await ok(matching, f"{path}/accept", as_="carla")
    made = await ok(matching, f"{path}/accept", as_="ben")
    await ok(matching, f"{path}/outcome", {"outcome": "useful"}, "carla")
    again = await ok(matching, f"{path}/outcome", {"outcome": "useful"}, "ben")
    other = await matching.post(f"{path}/outcome", {"outcome": "not_met"}, "ben")

    assert (waiting["partner"], waiting["pair_id"]) == (None, None)
    assert waiting["offered_by"] == {"person_id": "ann", "display_name": "Ann"}
    assert (made["state"], again["state"], other.status_code) == ("made", "concluded", 409)
    assert (await seen(matching, path, "carla"))["partner"]["display_name"] == "Ben"
    facts = [e.fact for e in await matching.announced()][-3:]
    assert [type(fact) for fact in facts] == [
        IntroductionOffered,
        IntroductionMade,
        IntroductionConcluded,
    ]


async def test_before_both_are_steady_it_is_not_yet_in_the_texts_own_words(
    matching: Matching,
) -> None:
    path = await matching.started_pair()
    await matching.hears(mentee("carla"))
    body = {"contact": "carla", "about": "data"}

    refusals = [await matching.post(f"{path}/introductions", body, "ann")]
    for revision, bands in enumerate((("steady", "watch"), ("too_early", "steady")), start=1):
        await matching.hears(trust(path, *bands, revision=revision))
        refusals.append(await matching.post(f"{path}/introductions", body, "ann"))
        refusals.append(await matching.post(f"{path}/introductions", body, "ben"))

    assert {one.status_code for one in refusals} == {409}
    assert {(one.json()["type"], one.json()["detail"]) for one in refusals} == {
        (refusals[0].json()["type"], NOT_YET)
    }
    assert refusals[0].json()["type"].endswith("not-yet")


async def test_bad_offers_name_the_field_and_a_stranger_learns_nothing(matching: Matching) -> None:
    path = await steady_pair(matching, "carla")

    for contact in ("nobody", "ben"):
        body = {"contact": contact, "about": "data"}
        refused = await matching.post(f"{path}/introductions", body, "ann")
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "contact")
    body = {"contact": "carla", "about": "data"}
    assert (await matching.post(f"{path}/introductions", body, "eve")).status_code == 404
    it = await offer(matching, path)
    assert (await matching.get(it, "eve", "participant")).status_code == 404
    assert (await matching.get(it, "boss", "manager")).status_code == 404
    assert (await matching.post(f"{it}/accept", as_="eve")).status_code == 404
    assert (await matching.post(f"{it}/accept", as_="ann")).status_code == 403


async def test_a_no_and_no_answer_look_the_same_to_everybody_else(service_pool: MakePool) -> None:
    worlds = []
    for says in (None, "ben", "carla"):
        async with matching_on(await service_pool("matching")) as matching:
            pair = await steady_pair(matching, "carla")
            path = await offer(matching, pair)
            if says is not None:
                matching.clock.at = START + HOUR
                assert (await ok(matching, f"{path}/decline", as_=says))["your_answer"] == "no"
            worlds.append(await story(matching, pair, path, says))

    for told, who in zip(worlds[1:], ("ben", "carla"), strict=True):
        for reader in ("ann", "ben", "carla"):
            if reader != who:
                assert told[reader] == worlds[0][reader]
        assert told["facts"] == worlds[0]["facts"]
        assert told["rows"] == worlds[0]["rows"]


async def story(matching: Matching, pair: str, path: str, silent: str | None) -> dict[str, Any]:
    """What each reader sees over time, what they may do, and what is published and left."""
    found: dict[str, Any] = {"ann": [], "ben": [], "carla": []}
    for at in (HOUR, days(14) - HOUR, days(14), days(15)):
        matching.clock.at = START + at
        await sweep(matching)
        for reader in ("ann", "ben", "carla"):
            answer = await matching.get(path, reader, "participant")
            body = {k: v for k, v in answer.json().items() if not k.endswith("_id")}
            found[reader].append((body, answer.headers.get("ETag")))
    body = {"contact": "carla", "about": "data"}
    again = await matching.post(f"{pair}/introductions", body, "ann")
    found["ann"].append((again.status_code, again.json()["detail"]))
    lapsed = [e for e in await matching.announced() if isinstance(e.fact, IntroductionLapsed)]
    found["facts"] = [(e.fact.type, e.occurred_at) for e in lapsed]
    rows = await look(matching, "TABLE introduction")
    leave = {"introduction_id", "pair_id", "revision", "stopped"}
    found["rows"] = [{k: v for k, v in row.items() if k not in leave} for row in rows]
    assert len(found["facts"]) == 1
    return found


async def test_no_header_tells_whether_somebody_has_answered(matching: Matching) -> None:
    path = await offer(matching, await steady_pair(matching, "carla"))
    await ok(matching, f"{path}/decline", as_="ben")

    for guess in ('"1"', '"2"', '"7"'):
        answer = await sent(matching, f"{path}/accept", "carla", **{"If-Match": guess})
        assert (answer.status_code, answer.headers.get("ETag")) == (200, None)
        assert answer.json()["state"] == "offered"


async def test_a_no_keeps_taking_up_a_place_so_that_the_limit_tells_nothing(
    matching: Matching,
) -> None:
    pair = await steady_pair(matching, "carla", "dora", "emil", "fred")
    for contact in ("carla", "dora", "emil"):
        path = await offer(matching, pair, contact)
        await ok(matching, f"{path}/decline", as_=contact)

    body = {"contact": "fred", "about": "data"}
    refused = await matching.post(f"{pair}/introductions", body, "ben")
    assert refused.json()["type"].endswith("too-many-introductions")
    matching.clock.at = START + days(14)
    assert (await matching.post(f"{pair}/introductions", body, "ben")).status_code == 201


async def test_when_trust_stops_being_steady_it_lapses_quietly_even_if_it_returns(
    matching: Matching,
) -> None:
    pair = await steady_pair(matching, "carla")
    path = await offer(matching, pair)
    await ok(matching, f"{path}/accept", as_="carla")
    await matching.hears(trust(pair, "steady", "strained", revision=2))
    await matching.hears(trust(pair, "steady", "steady", revision=3))

    assert (await ok(matching, f"{path}/accept", as_="ben"))["state"] == "offered"
    matching.clock.at = START + days(14)
    assert (await sweep(matching), await sweep(matching)) == (1, 0)
    assert "introduction.made" not in await matching.announced_types()
    assert (await seen(matching, path, "ann"))["state"] == "lapsed"


async def test_an_older_trust_that_comes_late_stops_nothing(matching: Matching) -> None:
    pair = await steady_pair(matching, "carla")
    await matching.hears(trust(pair, "steady", "steady", revision=5))
    path = await offer(matching, pair)
    await matching.hears(trust(pair, "strained", "strained", revision=4))

    await ok(matching, f"{path}/accept", as_="carla")
    assert (await ok(matching, f"{path}/accept", as_="ben"))["state"] == "made"


async def test_with_its_pair_it_lapses_when_the_pair_ended(matching: Matching) -> None:
    pair = await steady_pair(matching, "carla")
    path = await offer(matching, pair)
    matching.clock.at = START + days(3)
    await ok(matching, f"{pair}/rematch", as_="ben")
    matching.clock.at = START + days(5)

    assert (await seen(matching, path, "carla"))["state"] == "lapsed", "before the sweeper came"
    assert (await matching.post(f"{path}/accept", as_="carla")).status_code == 409
    assert await sweep(matching) == 1
    (lapsed,) = [e for e in await matching.announced() if isinstance(e.fact, IntroductionLapsed)]
    assert lapsed.occurred_at == START + days(3)


@pytest.mark.parametrize(
    "apart",
    [
        pytest.param(
            """INSERT INTO profile (tenant, person_id, revision, avoid, changed_at)
               VALUES ('acme', 'carla', 1, '{ben}', now())""",
            id="one of them",
        ),
        pytest.param("INSERT INTO exclusion VALUES ('acme', 'spring', 'ben', 'carla')", id="HR"),
    ],
)
async def test_who_is_to_be_kept_apart_is_and_nobody_is_told(
    matching: Matching, apart: str
) -> None:
    path = await offer(matching, await steady_pair(matching, "carla"))
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        await conn.execute(apart)

    await ok(matching, f"{path}/accept", as_="ben")
    answer = await ok(matching, f"{path}/accept", as_="carla")
    assert (answer["state"], answer["partner"]) == ("offered", None)
    assert (await seen(matching, path, "ben"))["state"] == "offered"


async def test_two_yeses_at_once_make_it_once(matching: Matching) -> None:
    path = await offer(matching, await steady_pair(matching, "carla"))

    await asyncio.gather(*(ok(matching, f"{path}/accept", as_=one) for one in ("ben", "carla") * 3))

    assert (await matching.announced_types()).count("introduction.made") == 1


async def test_a_retry_with_the_same_key_offers_once(matching: Matching) -> None:
    pair = await steady_pair(matching, "carla")
    body, key = {"contact": "carla", "about": "data"}, {"Idempotency-Key": "k-1"}

    one, two = [await sent(matching, f"{pair}/introductions", "ann", body, **key) for _ in "12"]

    assert one.json()["introduction_id"] == two.json()["introduction_id"]
    assert (await matching.announced_types()).count("introduction.offered") == 1


async def test_everybody_lists_their_own_page_by_page(matching: Matching) -> None:
    pair = await steady_pair(matching, "carla", "dora")
    for contact in ("carla", "dora"):
        await offer(matching, pair, contact)

    first = await seen(matching, "/v1/introductions?limit=1", "ben")
    rest = await seen(matching, f"/v1/introductions?cursor={first['next_cursor']}", "ben")
    theirs = await seen(matching, "/v1/introductions", "carla")

    assert [one["contact"]["person_id"] for one in first["introductions"]] == ["dora"]
    assert [one["contact"]["person_id"] for one in rest["introductions"]] == ["carla"]
    assert [one["your_part"] for one in theirs["introductions"]] == ["contact"]
    assert (await seen(matching, "/v1/introductions", "eve"))["introductions"] == []


async def test_what_an_erased_person_said_is_gone_and_nothing_comes_of_it(
    matching: Matching,
) -> None:
    path = await offer(matching, await steady_pair(matching, "carla"))
    await ok(matching, f"{path}/accept", as_="carla")
    await matching.hears(PersonErased(person_id=PersonId("carla"), erased_on=START.date()))

    assert (await ok(matching, f"{path}/accept", as_="ben"))["state"] == "offered"
    (row,) = await look(matching, "SELECT contact_says, stopped FROM introduction")
    assert tuple(row) == (None, True)


async def test_another_tenant_sees_no_row_and_no_introduction(matching: Matching) -> None:
    path = await offer(matching, await steady_pair(matching, "carla"))

    for person in ("ann", "ben", "carla"):
        answer = await matching.get(path, person, "participant", tenant="globex")
        assert answer.status_code == 404
    async with acting_for(matching.pool, TenantId("globex")) as conn:
        assert await conn.fetchval("SELECT count(*) FROM introduction") == 0
    async with acting_for(matching.pool, ACME) as conn:
        assert await conn.fetchval("SELECT count(*) FROM introduction") == 1
