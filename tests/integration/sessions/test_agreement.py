"""The agreement over HTTP, against a real database."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.sessions.world import DAY, MENTEE, MENTOR, World

pytestmark = pytest.mark.stack


async def test_an_agreement_is_in_force_once_both_have_signed(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    proposed = await world.ok(MENTOR, path, world.body())
    assert proposed["state"] == "proposed"
    assert (await world.view())["agreement"] is None
    assert await world.types() == []

    world.clock.at += DAY
    signed = await world.ok(MENTEE, f"{path}/sign", {"version": 1})

    assert signed["state"] == "signed"
    assert (await world.view(MENTEE))["agreement"] == signed
    assert (await world.view(MENTEE))["proposed_agreement"] is None
    assert await world.last() == ("agreement.signed", world.clock.at)


async def test_signing_a_superseded_version_names_the_newest(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    await world.ok(MENTOR, path, world.body())
    await world.ok(MENTEE, path, world.body(cadence_days=7))

    late = await world.post(MENTEE, f"{path}/sign", {"version": 1})

    assert late.status_code == 409
    assert late.json()["type"].endswith("agreement-superseded")
    assert "newest is version 2" in late.json()["detail"]
    assert await world.types() == []


async def test_signing_twice_is_told_once(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    await world.ok(MENTOR, path, world.body())

    answers = await asyncio.gather(
        *(world.post(MENTEE, f"{path}/sign", {"version": 1}) for _ in range(5))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert await world.types() == ["agreement.signed"]


async def test_the_proposer_cannot_sign_for_the_other_side(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    await world.ok(MENTOR, path, world.body())

    refused = await world.post(MENTOR, f"{path}/sign", {"version": 1})

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("own-proposal")


async def test_an_old_agreement_stays_in_force_while_a_new_one_waits(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    await world.ok(MENTOR, path, world.body())
    await world.ok(MENTEE, f"{path}/sign", {"version": 1})

    await world.ok(MENTEE, path, world.body(cadence_days=7))

    view = await world.view()
    assert view["agreement"]["version"] == 1
    assert view["proposed_agreement"]["version"] == 2


async def test_two_proposals_at_once_become_two_versions(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"

    answers = await asyncio.gather(
        world.post(MENTOR, path, world.body()), world.post(MENTEE, path, world.body())
    )

    assert sorted(answer.json()["version"] for answer in answers) == [1, 2]


async def test_a_proposal_and_a_signature_at_once_never_sign_the_wrong_version(
    world: World,
) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    await world.ok(MENTOR, path, world.body())

    signed, proposed = await asyncio.gather(
        world.post(MENTEE, f"{path}/sign", {"version": 1}),
        world.post(MENTOR, path, world.body(cadence_days=7)),
    )

    assert proposed.json()["version"] == 2
    # Either came first: signed before the new version, or refused because of it.
    in_force = (await world.view())["agreement"]
    assert (signed.status_code, in_force is not None) in {(200, True), (409, False)}
