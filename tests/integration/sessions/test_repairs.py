"""Putting a miss right, over HTTP and on a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.sessions.sweeper import sweep
from shared.events.sessions import RepairDelivered, ReplyRequested
from shared.ids import new_id
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, STRANGER, World

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY
GRACE = 48 * HOUR
KNOWN = DUE + GRACE + HOUR
MENDED = DUE + 6 * DAY


async def miss(world: World, *, swept: bool = True) -> str:
    """The mentee's promise, missed without a word."""
    commitment = await world.promise(DUE)
    world.clock.at = KNOWN
    if swept:
        await world.sweep()
    return commitment


def wish(repairs: str, **changed: object) -> dict[str, object]:
    return {"repairs": repairs, "due_at": (DUE + 7 * DAY).isoformat(), **changed}


async def repair(world: World, repairs: str, **changed: object) -> dict[str, Any]:
    body = wish(repairs, **changed)
    return await world.ok(MENTEE, f"/v1/pairs/{world.pair}/repairs", body)


async def say(world: World, person: str, it: dict[str, Any], verb: str) -> dict[str, Any]:
    return await world.ok(person, f"/v1/repairs/{it['repair_id']}/{verb}")


async def view(world: World, person: str, it: dict[str, Any]) -> dict[str, Any]:
    answer = await world.get(person, f"/v1/repairs/{it['repair_id']}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def repair_facts(world: World) -> list[str]:
    return [each for each in await world.types() if each.startswith("repair.")]


async def test_a_miss_is_put_right_and_both_say_so(world: World) -> None:
    commitment = await miss(world)

    promised = await repair(world, commitment, words="by Friday, promised")
    assert (promised["state"], promised["allowed"]) == ("promised", ["deliver"])
    assert promised["missed_due_at"] == "2026-03-09T09:00:00Z"
    world.clock.at = MENDED
    delivered = await say(world, MENTEE, promised, "deliver")
    assert (delivered["state"], delivered["waits_for"]) == ("claimed", MENTOR)
    assert await repair_facts(world) == ["repair.promised"]
    assert (await view(world, MENTOR, promised))["allowed"] == ["acknowledge", "not-yet"]
    done = await say(world, MENTOR, promised, "acknowledge")

    assert (done["state"], done["words"]) == ("delivered", "by Friday, promised")
    events = {each.fact.type: each for each in await world.published()}
    fact = events["repair.delivered"].fact
    assert isinstance(fact, RepairDelivered)
    assert (str(fact.repairs), fact.by, fact.missed_due_at) == (commitment, MENTEE, DUE)
    asked = [e.fact for e in await world.published() if isinstance(e.fact, ReplyRequested)]
    assert (asked[-1].about, asked[-1].of) == ("repair", MENTOR)
    assert (await world.types())[-1] == "reply.settled"
    listed = (await world.get(MENTOR, f"/v1/pairs/{world.pair}/repairs")).json()["repairs"]
    assert [each["repair_id"] for each in listed] == [promised["repair_id"]]


async def test_the_words_stay_between_the_two(world: World) -> None:
    await repair(world, await miss(world), words="my dog ate it")

    assert not any("dog" in e.fact.model_dump_json() for e in await world.published())
    for table in ("history", "request"):
        rows = await world.look(f"SELECT to_jsonb({table})::text AS row FROM {table}")
        assert not any("dog" in row["row"] for row in rows)


async def test_a_miss_the_sweeper_has_not_come_to_is_a_miss(world: World) -> None:
    commitment = await miss(world, swept=False)

    await repair(world, commitment)
    await world.sweep()

    assert (await world.told())[-2:] == ["commitment.missed", "repair.promised"]
    (missed,) = [e for e in await world.published() if e.fact.type == "commitment.missed"]
    assert missed.occurred_at == DUE + GRACE


async def test_what_was_not_missed_or_is_not_theirs_is_not_put_right(world: World) -> None:
    kept = await world.promise(DUE)
    await world.ok(MENTOR, f"/v1/commitments/{kept}/keep")
    missed = await miss(world)
    path = f"/v1/pairs/{world.pair}/repairs"

    answers = {
        "kept": await world.post(MENTEE, path, wish(kept)),
        "unknown": await world.post(MENTEE, path, wish(str(new_id()))),
        "by the other side": await world.post(MENTOR, path, wish(missed)),
        "stranger": await world.post(STRANGER, path, wish(missed)),
        "other tenant": await world.post(MENTEE, path, wish(missed), tenant="globex"),
    }

    assert [each.status_code for each in answers.values()] == [409, 404, 403, 404, 404]
    late = await world.post(MENTEE, path, wish(missed, due_at=(DUE + 14 * DAY + HOUR).isoformat()))
    assert late.status_code == 422
    assert late.json()["errors"][0]["field"] == "due_at"


async def test_a_broken_repair_is_a_fact_and_may_be_promised_once_more(world: World) -> None:
    commitment = await miss(world)
    path = f"/v1/pairs/{world.pair}/repairs"
    soon = (KNOWN + HOUR).isoformat()
    first = await repair(world, commitment, due_at=soon)
    goes_on = await world.post(MENTEE, path, wish(commitment))

    world.clock.at = KNOWN + HOUR + GRACE
    assert (await view(world, MENTOR, first))["state"] == "broken"
    second = await repair(world, commitment, due_at=(world.clock.at + HOUR).isoformat())
    world.clock.at += HOUR + GRACE
    await world.sweep()
    third = await world.post(MENTEE, path, wish(commitment))

    assert (await view(world, MENTOR, second))["state"] == "broken"
    assert goes_on.json()["type"].endswith("repair-goes-on")
    assert third.json()["type"].endswith("repair-over")
    assert await repair_facts(world) == ["repair.promised", "repair.broken"] * 2
    broken = [e for e in await world.published() if e.fact.type == "repair.broken"]
    assert broken[0].occurred_at == KNOWN + HOUR + GRACE


async def test_not_yet_leaves_it_promised_and_silence_is_no_fact(world: World) -> None:
    it = await repair(world, await miss(world))
    await say(world, MENTEE, it, "deliver")
    again = await say(world, MENTOR, it, "not-yet")
    assert (again["state"], again["delivered_at"]) == ("promised", None)

    await say(world, MENTEE, it, "deliver")
    world.clock.at = KNOWN + 15 * DAY
    await world.sweep()

    assert (await view(world, MENTEE, it))["state"] == "unacknowledged"
    assert await repair_facts(world) == ["repair.promised"]
    types = await world.types()
    assert types.count("reply.requested") == types.count("reply.settled")


async def test_a_missed_session_is_put_right_by_who_was_not_there(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + DAY + 2 * HOUR
    await world.ok(MENTEE, f"/v1/sessions/{session}/no-show", {"who": "me"})
    due_at = (START + 8 * DAY).isoformat()

    it = await repair(world, session, due_at=due_at)
    refused = await world.post(
        MENTOR, f"/v1/pairs/{world.pair}/repairs", wish(session, due_at=due_at)
    )

    assert it["missed_due_at"] == "2026-03-03T09:00:00Z"
    assert refused.status_code == 403


async def test_many_promises_of_one_miss_at_once_are_one(world: World) -> None:
    commitment = await miss(world)
    path = f"/v1/pairs/{world.pair}/repairs"

    answers = await asyncio.gather(*(world.post(MENTEE, path, wish(commitment)) for _ in range(6)))

    assert sorted(each.status_code for each in answers) == [201] + [409] * 5
    assert await repair_facts(world) == ["repair.promised"]


async def test_a_delivery_and_the_sweep_at_once_end_one_way(world: World) -> None:
    it = await repair(world, await miss(world))
    closes = DUE + 7 * DAY + GRACE
    world.clock.at = closes - HOUR

    sweeping = [asyncio.create_task(sweep(world.pool, closes)) for _ in range(3)]
    answers = await asyncio.gather(
        *(world.post(MENTEE, f"/v1/repairs/{it['repair_id']}/deliver") for _ in range(3))
    )
    await asyncio.gather(*sweeping)

    state = (await view(world, MENTOR, it))["state"]
    statuses = {each.status_code for each in answers}
    assert (state, statuses) in (("claimed", {200}), ("broken", {409}))
    assert (await repair_facts(world)).count("repair.broken") == (state == "broken")


async def test_to_strangers_there_is_no_repair(world: World) -> None:
    it = await repair(world, await miss(world))
    path = f"/v1/repairs/{it['repair_id']}"

    answers = [await world.get(STRANGER, path), await world.get(MENTOR, path, tenant="globex")]
    for verb in ("deliver", "acknowledge", "not-yet"):
        answers += [
            await world.post(STRANGER, f"{path}/{verb}"),
            await world.post(MENTOR, f"{path}/{verb}", tenant="globex"),
        ]
    answers.append(await world.get(STRANGER, f"/v1/pairs/{world.pair}/repairs"))

    assert {each.status_code for each in answers} == {404}


async def test_the_end_of_the_pair_lets_go_of_what_was_to_be_put_right(world: World) -> None:
    it = await repair(world, await miss(world))
    await say(world, MENTEE, it, "deliver")

    await world.end_pairs(KNOWN + HOUR)

    assert (await view(world, MENTOR, it))["state"] == "released"
    assert (await world.types())[-1] == "reply.settled"
