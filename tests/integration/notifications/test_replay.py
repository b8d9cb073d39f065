"""Sending again: one delivery, or everything since an instant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.notifications.domain.webhook import MAX_ATTEMPTS, WAITS
from shared.postgres.pool import Pool
from tests.integration.notifications.hooks import BOSS, Hooks, hooks_on, of_pair
from tests.support.receiver import FAILS, Receiver
from tests.unit.notifications.builders import START, held, scheduled, started, warned

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)


@pytest.fixture
async def hooks(pool: Pool) -> AsyncIterator[Hooks]:
    async with hooks_on(pool) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


async def replay(
    hooks: Hooks, made: dict[str, Any], since: datetime = START, **body: Any
) -> dict[str, Any]:
    """Ask for a replay, and let it be lined up."""
    asked = await hooks.http.post(
        f"/v1/endpoints/{made['endpoint_id']}/replay",
        json={"from": since.isoformat(), **body},
        headers=BOSS,
    )
    assert asked.status_code == 202, asked.text
    while await hooks.deliverer.step_replays():
        pass
    return dict(asked.json())


async def progress(hooks: Hooks, made: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    return await hooks.get(f"/v1/endpoints/{made['endpoint_id']}/replay/{asked['replay_id']}")


async def test_everything_since_an_instant_comes_again_in_order_under_the_same_ids(
    hooks: Hooks, receiver: Receiver
) -> None:
    made = await hooks.endpoint(receiver.url)
    await hooks.tell(started())
    hooks.pass_time(hours=1)
    ids = await hooks.tell(scheduled(), held(), warned())
    await hooks.deliver()
    receiver.got.clear()

    asked = await replay(hooks, made, START + HOUR, until=(START + 2 * HOUR).isoformat())
    lined_up = await progress(hooks, made, asked)
    await hooks.deliver()
    done = await progress(hooks, made, asked)

    assert receiver.ids == ids
    assert (lined_up["queued"], lined_up["delivered"], lined_up["is_done"]) == (3, 0, True)
    assert (done["delivered"], done["failed"], done["skipped"]) == (3, 0, 0)


async def test_until_is_left_out_and_types_can_be_named(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    _, promise = await hooks.tell(held(), warned())
    hooks.pass_time(hours=1)
    (late,) = await hooks.tell(of_pair(warned(), 1))
    await hooks.deliver()
    receiver.got.clear()

    await replay(hooks, made, until=(START + HOUR).isoformat(), types=["commitment.*"])
    await hooks.deliver()

    assert receiver.ids == [promise]
    assert late not in receiver.ids


async def test_what_waits_is_not_doubled(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(FAILS)
    ids = await hooks.tell(scheduled(), held(), warned())
    await hooks.deliver()
    hooks.pass_time(seconds=5)

    asked = await replay(hooks, made)
    twice = await replay(hooks, made)
    await hooks.deliver()

    assert receiver.ids == [ids[0], *ids]
    assert (await progress(hooks, made, asked))["skipped"] == 3
    assert (await progress(hooks, made, twice))["queued"] == 0


async def test_an_endpoint_can_have_what_it_missed_before_it_was_there(
    hooks: Hooks, receiver: Receiver
) -> None:
    other = await hooks.endpoint("https://hooks.example/", "pair.ended")
    ids = await hooks.tell(scheduled(), held())
    made = await hooks.endpoint(receiver.url, "session.*")
    hooks.pass_time(minutes=1)

    await replay(hooks, made)
    await hooks.deliver()

    assert receiver.ids == ids
    assert await hooks.log(other) == []


async def test_a_replay_of_many_is_lined_up_in_parts(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifications.delivering.REPLAY_BATCH", 3)
    made = await hooks.endpoint(receiver.url)
    ids = await hooks.tell(*(of_pair(held(), number % 2) for number in range(10)))
    await hooks.deliver()
    receiver.got.clear()
    hooks.pass_time(minutes=1)

    asked = await replay(hooks, made)
    await hooks.deliver()

    assert sorted(receiver.ids) == sorted(ids)
    assert [each for each in receiver.ids if each in ids[::2]] == ids[::2]
    assert (await progress(hooks, made, asked))["queued"] == 10


async def test_a_ping_is_not_replayed(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    await hooks.http.post(f"/v1/endpoints/{made['endpoint_id']}/ping", headers=BOSS)
    await hooks.deliver()
    hooks.pass_time(minutes=1)

    await replay(hooks, made)
    await hooks.deliver()

    assert len(receiver.got) == 1


async def test_the_same_key_is_the_same_replay(hooks: Hooks) -> None:
    made = await hooks.endpoint("https://hooks.example/")
    path, body = f"/v1/endpoints/{made['endpoint_id']}/replay", {"from": "2026-03-01T00:00:00Z"}
    keyed = {**BOSS, "Idempotency-Key": "k"}

    first = await hooks.http.post(path, json=body, headers=keyed)
    hooks.pass_time(minutes=1)
    again = await hooks.http.post(path, json=body, headers=keyed)

    assert first.status_code == 202
    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-03-02T09:00:00Z"}, "until"),
        ({"from": "2026-03-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "until"),
        ({"from": "2026-03-01T00:00:00Z", "types": ["person.*"]}, "types.0"),
        ({"from": "2026-03-01T00:00:00"}, "body.from"),
        ({"from_at": "2026-03-01T00:00:00Z"}, "body.from"),
        ({}, "body.from"),
    ],
)
async def test_a_span_of_which_nothing_is_kept_is_refused(
    hooks: Hooks, body: dict[str, Any], field: str
) -> None:
    made = await hooks.endpoint("https://hooks.example/")

    answer = await hooks.http.post(
        f"/v1/endpoints/{made['endpoint_id']}/replay", json=body, headers=BOSS
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_one_delivery_is_sent_again_with_all_its_attempts(
    hooks: Hooks, receiver: Receiver
) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(*[FAILS] * MAX_ATTEMPTS)
    await hooks.tell(held())
    await hooks.deliver()
    for each in WAITS:
        hooks.clock.at += each
        await hooks.deliver()
    (failed,) = await hooks.log(made)
    assert failed["state"] == "failed"

    path = f"/v1/endpoints/{made['endpoint_id']}/deliveries/{failed['delivery_id']}/retry"
    keyed = {**BOSS, "Idempotency-Key": "again"}
    answers = [await hooks.http.post(path, headers=keyed) for _ in range(2)]
    await hooks.deliver()
    late = await hooks.http.post(path, headers=keyed)
    await hooks.deliver()

    (logged,) = await hooks.log(made)
    assert [answer.status_code for answer in (*answers, late)] == [202] * 3
    assert answers[0].json()["state"] == "waiting"
    assert len(receiver.got) == MAX_ATTEMPTS + 1
    assert (logged["state"], len(logged["attempts"])) == ("delivered", MAX_ATTEMPTS + 1)


async def test_a_retry_does_not_wait_for_its_time_and_not_for_others_after_it(
    hooks: Hooks, receiver: Receiver
) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(FAILS)
    first, second = await hooks.tell(scheduled(), held())
    await hooks.deliver()
    waiting = (await hooks.log(made))[0]

    path = f"/v1/endpoints/{made['endpoint_id']}/deliveries/{waiting['delivery_id']}/retry"
    await hooks.http.post(path, headers=BOSS)
    await hooks.deliver()

    assert receiver.ids == [first, first, second]
