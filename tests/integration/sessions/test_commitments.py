"""Commitments over HTTP, against a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.sessions.sweeper import sweep
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, STRANGER, World

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY
GRACE = 48 * HOUR


async def test_the_receiving_side_says_that_it_was_kept(world: World) -> None:
    commitment = await world.promise(DUE)
    world.clock.at = DUE - HOUR

    own = await world.post(MENTEE, f"/v1/commitments/{commitment}/keep")
    kept = await world.ok(MENTOR, f"/v1/commitments/{commitment}/keep")

    assert own.status_code == 403
    assert kept["state"] == "kept"
    assert await world.told("commitment.accepted") == ["commitment.made", "commitment.kept"]
    assert await world.last() == ("commitment.kept", DUE - HOUR)


async def test_after_due_the_receiver_can_still_say_that_it_came_in_time(world: World) -> None:
    commitment = await world.promise(DUE)
    world.clock.at = DUE + DAY
    path = f"/v1/commitments/{commitment}/keep"

    bare = await world.post(MENTOR, path)
    late = await world.post(MENTOR, path, {"kept_at": (DUE + HOUR).isoformat()})
    in_time = await world.post(MENTOR, path, {"kept_at": (DUE - HOUR).isoformat()})

    assert [answer.status_code for answer in (bare, late, in_time)] == [409, 409, 200]
    assert "kept_at" in bare.json()["detail"]
    assert await world.last() == ("commitment.kept", DUE - HOUR)


@pytest.mark.parametrize("at", [START - HOUR, DUE - HOUR], ids=["before it was made", "ahead"])
async def test_kept_at_cannot_be_made_up(world: World, at: object) -> None:
    commitment = await world.promise(DUE)
    world.clock.at = DUE - DAY

    refused = await world.post(MENTOR, f"/v1/commitments/{commitment}/keep", {"kept_at": str(at)})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "kept_at"


async def test_a_warned_commitment_can_still_be_kept(world: World) -> None:
    commitment = await world.promise(DUE)
    await world.ok(MENTEE, f"/v1/commitments/{commitment}/warn")

    await world.ok(MENTOR, f"/v1/commitments/{commitment}/keep")
    world.clock.at = DUE + 3 * DAY
    await world.sweep()

    assert await world.told("commitment.accepted") == [
        "commitment.made",
        "commitment.warned",
        "commitment.kept",
    ]


async def test_warning_is_for_the_maker_and_before_due(world: World) -> None:
    commitment = await world.promise(DUE)
    path = f"/v1/commitments/{commitment}/warn"

    by_receiver = await world.post(MENTOR, path)
    world.clock.at = DUE
    late = await world.post(MENTEE, path)

    assert by_receiver.status_code == 403
    assert late.status_code == 409
    assert "tell the other side" in late.json()["detail"]


async def test_telling_is_for_after_due_and_within_the_grace(world: World) -> None:
    commitment = await world.promise(DUE)
    path = f"/v1/commitments/{commitment}/tell"

    early = await world.post(MENTEE, path)
    world.clock.at = DUE + GRACE
    late = await world.post(MENTEE, path)
    world.clock.at = DUE + GRACE - timedelta(microseconds=1)
    told = await world.post(MENTEE, path)

    assert early.json()["type"].endswith("commitment-not-due")
    assert late.json()["type"].endswith("commitment-closed")
    assert told.status_code == 200
    assert await world.told("commitment.accepted") == ["commitment.made"]


async def test_keeping_and_the_sweep_at_once_end_in_one_fact(world: World) -> None:
    commitments = [await world.promise(DUE) for _ in range(8)]
    world.clock.at = DUE + GRACE - timedelta(seconds=1)
    body = {"kept_at": DUE.isoformat()}

    sweeping = asyncio.create_task(sweep(world.pool, DUE + GRACE))
    answers = await asyncio.gather(
        *(world.post(MENTOR, f"/v1/commitments/{each}/keep", body) for each in commitments)
    )
    swept = await sweeping
    world.clock.at = DUE + GRACE
    rest = await world.sweep()

    kept = [answer for answer in answers if answer.status_code == 200]
    ended = await world.told("commitment.made", "commitment.accepted")
    assert len(kept) + swept + rest == len(commitments) == len(ended)
    assert ended.count("commitment.kept") == len(kept)


async def test_keeping_many_times_at_once_is_told_once(world: World) -> None:
    commitment = await world.promise(DUE)

    answers = await asyncio.gather(
        *(world.post(MENTOR, f"/v1/commitments/{commitment}/keep") for _ in range(6))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert await world.told("commitment.accepted") == ["commitment.made", "commitment.kept"]


async def test_the_title_is_in_no_fact_and_kept_in_one_place(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/commitments"
    body = {"due_at": DUE.isoformat(), "title": "introduce me to Ana"}
    await world.post(MENTEE, path, body, key="k")

    view = await world.view(MENTOR)
    record = (await world.published())[-1].fact.model_dump_json()

    assert view["commitments"]["theirs"][0]["title"] == "introduce me to Ana"
    assert "Ana" not in record
    for table in ("history", "request"):
        rows = await world.look(f"SELECT to_jsonb({table})::text AS row FROM {table}")
        assert rows
        assert not any("Ana" in row["row"] for row in rows)


async def test_one_side_has_at_most_fifty_open_commitments_however_it_asks(world: World) -> None:
    for n in range(48):
        await world.promise(DUE + n * HOUR)
    path, body = f"/v1/pairs/{world.pair}/commitments", {"due_at": DUE.isoformat()}

    answers = await asyncio.gather(*(world.post(MENTEE, path, body) for _ in range(6)))
    of_the_other_side = await world.post(MENTOR, path, body)

    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 4
    assert of_the_other_side.status_code == 201


async def test_a_retry_with_the_same_key_promises_once(world: World) -> None:
    path, body = f"/v1/pairs/{world.pair}/commitments", {"due_at": DUE.isoformat()}

    first = await world.post(MENTEE, path, body, key="same")
    await world.ok(MENTOR, f"/v1/commitments/{first.json()['commitment_id']}/keep")
    retry = await world.post(MENTEE, path, body, key="same")
    of_another = await world.post(MENTOR, path, body, key="same")

    assert retry.json()["commitment_id"] == first.json()["commitment_id"]
    assert of_another.json()["commitment_id"] != first.json()["commitment_id"]
    assert (await world.told("commitment.accepted")).count("commitment.made") == 2


async def test_strangers_and_other_tenants_find_nothing(world: World) -> None:
    commitment = await world.promise(DUE)
    paths = [f"/v1/commitments/{commitment}/{verb}" for verb in ("keep", "warn", "tell")]

    answers = [await world.post(STRANGER, path) for path in paths]
    answers += [await world.post(MENTOR, path, tenant="globex") for path in paths]

    assert {answer.status_code for answer in answers} == {404}
