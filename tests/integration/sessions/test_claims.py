"""Claims, disputes and their settlement over HTTP; and everybody speaking at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.sessions.sweeper import sweep
from shared.ids import PairId, new_id
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, World

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY
GRACE = 48 * HOUR
MANAGER = "ines"


async def say(world: World, person: str, commitment: str, verb: str, **body: object) -> Any:
    return await world.ok(person, f"/v1/commitments/{commitment}/{verb}", body or None)


async def view(world: World, person: str, commitment: str) -> dict[str, Any]:
    answer = await world.get(person, f"/v1/commitments/{commitment}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_claim_is_published_only_as_what_both_make_of_it(world: World) -> None:
    agreed, taken_back, silent = [await world.promise(DUE) for _ in range(3)]
    world.clock.at = DUE - DAY
    for each in (agreed, taken_back, silent):
        claimed = await say(world, MENTEE, each, "claim-done")
        assert (claimed["state"], claimed["waits_for"]) == ("claimed", MENTOR)
    before = await world.told()

    world.clock.at = DUE + HOUR
    await say(world, MENTOR, agreed, "keep")
    await say(world, MENTEE, taken_back, "take-back")
    world.clock.at = DUE + 30 * DAY
    await world.sweep()

    assert (await world.told())[len(before) :] == ["commitment.kept", "commitment.missed"]
    assert (await view(world, MENTOR, agreed))["kept_at"] == "2026-03-08T09:00:00Z"
    assert (await view(world, MENTOR, silent))["state"] == "unconfirmed"


@pytest.mark.parametrize(
    ("outcome", "state", "published"),
    [
        ("kept", "kept", ["commitment.kept"]),
        ("false", "shown_false", ["commitment.shown_false"]),
        ("nothing", "unsettled", []),
    ],
)
async def test_a_manager_of_neither_side_settles_a_dispute(
    world: World, outcome: str, state: str, published: list[str]
) -> None:
    commitment = await world.promise(DUE)
    await say(world, MENTEE, commitment, "claim-done")
    world.clock.at = START + DAY
    disputed = await say(world, MENTOR, commitment, "dispute")
    assert (disputed["state"], disputed["waits_for"]) == ("disputed", MENTEE)
    before = await world.told()
    path, body = f"/v1/commitments/{commitment}/resolve", {"outcome": outcome}

    listed = (await world.get(MANAGER, "/v1/disputes", role="manager")).json()["disputes"]
    of_the_pair = [await world.post(side, path, body, role="manager") for side in (MENTOR, MENTEE)]
    no_manager = await world.post(MANAGER, path, body)
    elsewhere = await world.post(MANAGER, path, body, role="manager", tenant="globex")
    settled = await world.post(MANAGER, path, body, role="manager")
    again = await world.post(MANAGER, path, body, role="manager")

    assert [(each["kind"], each["id"]) for each in listed] == [("commitment", commitment)]
    assert {each.status_code for each in (*of_the_pair, no_manager)} == {403}
    assert elsewhere.status_code == 404
    assert (settled.status_code, again.status_code) == (200, 409)
    # The title is the pair's own.
    assert (settled.json()["state"], settled.json()["title"]) == (state, None)
    assert (await world.told())[len(before) :] == published


async def test_a_maker_admits_and_an_unsettled_dispute_is_no_evidence(world: World) -> None:
    admitted, unsettled = await world.promise(DUE), await world.promise(DUE)
    for each in (admitted, unsettled):
        await say(world, MENTEE, each, "claim-done")
        await say(world, MENTOR, each, "dispute")

    await say(world, MENTEE, admitted, "admit")
    world.clock.at = START + 14 * DAY
    await world.sweep()

    assert (await world.told("commitment.made", "commitment.accepted")) == [
        "commitment.shown_false"
    ]
    assert (await view(world, MENTOR, unsettled))["state"] == "unsettled"


async def test_everybody_at_once_ends_in_one_outcome(world: World) -> None:
    """Keep, dispute, take back and sweep come at the same instant, for many promises at once."""
    claimed = []
    for _ in range(6):
        world.pair = PairId(new_id())
        await world.start_pair(world.pair)
        claimed.append(await world.promise(DUE))
    world.clock.at = DUE + GRACE - HOUR
    for each in claimed:
        await say(world, MENTEE, each, "claim-done", done_at=DUE.isoformat())

    asked = [
        world.post(person, f"/v1/commitments/{each}/{verb}")
        for each in claimed
        for person, verb in (
            (MENTOR, "keep"),
            (MENTOR, "dispute"),
            (MENTEE, "take-back"),
            (MENTEE, "tell"),
        )
    ]
    sweeping = [asyncio.create_task(sweep(world.pool, DUE + 30 * DAY, 2)) for _ in range(4)]
    answers = await asyncio.gather(*asked)
    await asyncio.gather(*sweeping)
    world.clock.at = DUE + 60 * DAY
    await world.sweep()

    assert {answer.status_code for answer in answers} <= {200, 409}
    outcomes: dict[str, list[str]] = {each: [] for each in claimed}
    for event in await world.published():
        fact = event.fact.model_dump()
        if event.fact.type in {"commitment.kept", "commitment.missed", "commitment.missed_told"}:
            outcomes[str(fact["commitment_id"])].append(event.fact.type)
    for each, told in outcomes.items():
        state = (await view(world, MENTOR, each))["state"]
        silent = state in ("unconfirmed", "unsettled")
        assert told == ([] if silent else [f"commitment.{state}"])
    assert await world.look("SELECT FROM commitment WHERE waits_for IS NOT NULL") == []
