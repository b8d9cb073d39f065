"""Facts on their way to endpoints: signed, in order, again until they are taken, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from services.notifications.domain.webhook import MAX_ATTEMPTS, PATIENCE, WAITS
from services.notifications.handlers.fan_out import fan_out
from shared.events.sessions import SessionHeld
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.integration.notifications.hooks import BOSS, STRANGER, Hooks, hooks_on, of_pair, seen
from tests.support.receiver import CUT, FAILS, GONE, SLOW, Answer, Receiver, busy, moved
from tests.support.waiting import until
from tests.unit.notifications.builders import (
    MENTEE,
    SESSION,
    happened,
    held,
    joined,
    scheduled,
    started,
    warned,
)

pytestmark = pytest.mark.stack


@pytest.fixture
async def hooks(pool: Pool) -> AsyncIterator[Hooks]:
    async with hooks_on(pool) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


async def test_a_fact_arrives_once_as_an_event_that_the_library_verifies(
    hooks: Hooks, receiver: Receiver
) -> None:
    hooks.clock.at = datetime.now(UTC)
    made = await hooks.endpoint(receiver.url, "session.*")

    (event_id,) = await hooks.tell(held())
    await hooks.deliver()
    await hooks.deliver()

    (got,) = receiver.got
    told = Webhook(made["secret"]).verify(got.body, got.headers)
    assert got.id == event_id
    assert told["id"] == event_id
    assert told["type"] == "session.held"
    assert told["specversion"] == "1.0"
    assert SessionHeld.model_validate(told["data"]).session_id == SESSION
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    (logged,) = await hooks.log(made)
    assert (logged["state"], logged["attempts"][0]["status"]) == ("delivered", 200)


async def test_only_what_is_wanted_goes_out_and_never_a_fact_about_people(
    hooks: Hooks, receiver: Receiver
) -> None:
    await hooks.endpoint(receiver.url, "pair.started", "commitment.*")
    async with Receiver() as all_of_it:
        await hooks.endpoint(all_of_it.url, "*")

        _, pair, _, promise = await hooks.tell(held(), started(), joined(MENTEE, "Bo"), warned())
        await hooks.deliver()

        assert receiver.ids == [pair, promise]
        assert len(all_of_it.got) == 3
        assert not any(b"@acme.example" in got.body for got in all_of_it.got)


async def test_another_tenants_endpoint_hears_nothing(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(receiver.url, "*", **STRANGER)

    await hooks.tell(held())
    await hooks.deliver()

    assert receiver.got == []
    assert await hooks.rows("SELECT FROM webhook_event") == []


async def test_the_same_event_twice_is_one_delivery(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(receiver.url)
    await hooks.tell(held())

    await hooks.fan_out(*hooks.told)
    await hooks.deliver()

    assert len(receiver.got) == 1


async def test_of_a_pair_nothing_overtakes_and_other_pairs_go_on(
    hooks: Hooks, receiver: Receiver
) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(FAILS)
    (first,) = await hooks.tell(scheduled())
    await hooks.deliver()

    second, other = await hooks.tell(held(), of_pair(held(), 1))
    await hooks.deliver()
    assert receiver.ids == [first, other]

    hooks.pass_time(seconds=5)
    await hooks.deliver()
    assert receiver.ids == [first, other, first, second]
    assert [each["state"] for each in await hooks.log(made)] == ["delivered"] * 3


async def test_what_is_given_up_lets_the_next_one_pass(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    first, second = await hooks.tell(scheduled(), held())
    receiver.answers(*[FAILS] * MAX_ATTEMPTS)

    await hooks.deliver()
    for each in WAITS:
        hooks.clock.at += each
        await hooks.deliver()

    assert receiver.ids == [first] * MAX_ATTEMPTS + [second]
    given_up, taken = await hooks.log(made)
    assert (given_up["state"], len(given_up["attempts"])) == ("failed", MAX_ATTEMPTS)
    assert taken["state"] == "delivered"


async def test_nothing_is_sent_before_its_time(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(receiver.url)
    receiver.answers(FAILS, FAILS)
    await hooks.tell(held())
    await hooks.deliver()

    hooks.pass_time(seconds=4.9)
    await hooks.deliver()
    assert len(receiver.got) == 1
    hooks.pass_time(seconds=0.1)
    await hooks.deliver()
    assert len(receiver.got) == 2
    hooks.pass_time(seconds=299)
    await hooks.deliver()
    assert len(receiver.got) == 2


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (FAILS, 500, None),
        (Answer(404), 404, None),
        (moved("http://127.0.0.1:1/"), 302, None),
        (CUT, None, "cut_off"),
    ],
)
async def test_every_other_answer_is_a_failure_and_is_tried_again_with_the_same_id(
    hooks: Hooks, receiver: Receiver, answer: Answer, status: int | None, error: str | None
) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(answer)
    (event_id,) = await hooks.tell(held())

    await hooks.deliver()
    hooks.pass_time(seconds=5)
    await hooks.deliver()

    (logged,) = await hooks.log(made)
    assert receiver.ids == [event_id, event_id]
    assert [(each["status"], each["error"]) for each in logged["attempts"]] == [
        (status, error),
        (200, None),
    ]


async def test_retry_after_rests_the_whole_endpoint(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(receiver.url)
    receiver.answers(busy("60"))
    (first,) = await hooks.tell(held())
    await hooks.deliver()

    (other,) = await hooks.tell(of_pair(held(), 1))
    hooks.pass_time(seconds=59)
    await hooks.deliver()
    assert receiver.ids == [first]

    hooks.pass_time(seconds=1)
    await hooks.deliver()
    assert sorted(receiver.ids) == sorted([first, first, other])


async def test_410_disables_and_what_waits_is_sent_once_it_is_enabled(
    hooks: Hooks, receiver: Receiver
) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(GONE)
    gone, later = await hooks.tell(scheduled(), held())
    await hooks.deliver()

    hooks.pass_time(days=1)
    (missed,) = await hooks.tell(warned())
    await hooks.deliver()
    seen_then = await hooks.view(made)
    assert receiver.ids == [gone]
    assert (seen_then["is_enabled"], seen_then["reason"]) == (False, "gone")

    assert (await hooks.change(made, is_enabled=True)).status_code == 200
    await hooks.deliver()
    assert receiver.ids == [gone, gone, later]
    assert missed not in receiver.ids
    assert (await hooks.view(made))["reason"] is None


async def test_five_days_of_nothing_but_failures_disable(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(*[FAILS] * 3)
    await hooks.tell(held())
    await hooks.deliver()

    hooks.clock.at += PATIENCE - timedelta(seconds=1)
    await hooks.deliver()
    almost = await hooks.view(made)
    hooks.pass_time(minutes=6)
    await hooks.deliver()
    after = await hooks.view(made)

    assert (almost["is_enabled"], almost["failing_since"]) == (True, "2026-03-02T09:00:00Z")
    assert (after["is_enabled"], after["reason"]) == (False, "failing")
    assert after["revision"] == almost["revision"] + 1


async def test_one_success_in_five_days_keeps_it_enabled(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(FAILS, Answer(), FAILS)
    await hooks.tell(held())
    await hooks.deliver()
    hooks.pass_time(days=4)
    await hooks.deliver()

    hooks.pass_time(days=4)
    await hooks.tell(warned())
    await hooks.deliver()

    assert (await hooks.view(made))["is_enabled"]


async def test_a_slow_endpoint_has_its_share_and_holds_up_nobody(pool: Pool) -> None:
    async with hooks_on(pool, at_once=4, each=2) as hooks, Receiver() as slow, Receiver() as quick:
        slow.answers(*[SLOW] * 8)
        await hooks.endpoint(slow.url, "session.*")
        await hooks.tell(*(of_pair(held(), number) for number in range(8)))
        await hooks.deliverer.step()
        await until(seen(lambda: len(slow.got), 2), what="the slow one has its share")

        await hooks.endpoint(quick.url, "commitment.*")
        await hooks.tell(*(of_pair(warned(), number) for number in range(10)))

        async def all_quick() -> bool:
            await hooks.deliverer.step()
            return len(quick.got) == 10

        await until(all_quick, what="the quick one was sent everything")
        assert len(slow.got) == 2
        slow.release()
        await hooks.deliver()
        assert len(slow.got) == 8
        assert slow.most_at_once == 2


async def test_no_more_than_the_limit_is_sent_at_once(pool: Pool) -> None:
    async with hooks_on(pool, at_once=3, each=3) as hooks, Receiver([SLOW] * 5) as receiver:
        for _ in range(3):
            await hooks.endpoint(receiver.url)
        await hooks.tell(*(of_pair(held(), number) for number in range(4)))
        await hooks.deliverer.step()
        await hooks.deliverer.step()

        assert hooks.deliverer.under_way == 3
        receiver.release()
        await hooks.deliver()
        assert receiver.most_at_once == 3
        assert len(receiver.got) == 12


async def test_what_a_killed_process_had_taken_is_sent_again_under_the_same_id(
    hooks: Hooks, receiver: Receiver
) -> None:
    """Killed after the receiver took it, and before that was written down."""
    made = await hooks.endpoint(receiver.url)
    first, second = await hooks.tell(scheduled(), held())
    killed = hooks.again()
    await killed.step()
    await until(seen(lambda: len(receiver.got), 1), what="the receiver has it")
    # As kill -9 does it: the answer is never looked at.
    await killed.aclose()

    await hooks.deliver()
    assert receiver.ids == [first]
    hooks.pass_time(minutes=5)
    await hooks.deliver()

    assert receiver.ids == [first, first, second]
    states = [(each["state"], len(each["attempts"])) for each in await hooks.log(made)]
    assert states == [("delivered", 1)] * 2


async def test_an_answer_after_the_lease_changes_nothing(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    receiver.answers(SLOW, FAILS)
    late = hooks.again()
    await hooks.tell(held())
    await late.step()
    await until(seen(lambda: len(receiver.got), 1), what="the receiver has it")

    hooks.pass_time(minutes=5)
    await hooks.deliver()
    receiver.release()
    await hooks.deliver(late)

    (logged,) = await hooks.log(made)
    assert logged["state"] == "waiting"
    assert [each["status"] for each in logged["attempts"]] == [500]


async def test_an_answer_is_not_forgotten_while_the_database_is_away(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hooks.endpoint(receiver.url)
    await hooks.tell(held())

    async def away(*_: object) -> None:
        raise ConnectionError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr("services.notifications.queries.deliveries.settle", away)
        with pytest.raises(ConnectionError):
            await hooks.deliver()
    await hooks.deliver()

    assert len(receiver.got) == 1
    assert [row["state"] for row in await hooks.rows("SELECT state FROM delivery")] == ["delivered"]


async def test_several_processes_send_everything_once_and_in_order(
    hooks: Hooks, receiver: Receiver
) -> None:
    await hooks.endpoint(receiver.url)
    facts = [scheduled(), held(), warned()]
    ids = [await hooks.tell(*(of_pair(fact, pair) for fact in facts)) for pair in range(20)]
    others = [hooks.again(each=8) for _ in range(3)]

    await asyncio.gather(*(hooks.deliver(each) for each in (hooks.deliverer, *others)))
    await hooks.deliver()

    assert sorted(receiver.ids) == sorted(each for of_pair in ids for each in of_pair)
    for of_one in ids:
        assert [each for each in receiver.ids if each in of_one] == of_one


async def test_what_is_added_while_a_line_ends_is_not_overlooked(
    hooks: Hooks, receiver: Receiver
) -> None:
    """Facts come in while earlier ones of the same pair are being settled."""
    await hooks.endpoint(receiver.url)
    ids: list[str] = []

    async def telling() -> None:
        for _ in range(40):
            ids.extend(await hooks.tell(held()))

    async def delivering() -> None:
        while len(ids) < 40:
            await hooks.deliverer.step()

    await asyncio.gather(telling(), delivering())
    await hooks.deliver()

    assert receiver.ids == ids


async def test_what_is_being_added_to_a_line_is_seen_by_who_ends_its_last(
    hooks: Hooks, receiver: Receiver
) -> None:
    await hooks.endpoint(receiver.url)
    receiver.answers(SLOW)
    (first,) = await hooks.tell(scheduled())
    await hooks.deliverer.step()
    await until(seen(lambda: len(receiver.got), 1), what="the first is under way")
    second = happened(held())

    async with hooks.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        await fan_out(conn, [second], hooks.clock.now())
        receiver.release()
        ending = asyncio.create_task(hooks.deliver())

        async def waits() -> bool:
            return bool(
                await hooks.rows("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            )

        await until(waits, what="who ends the first waits for who adds the second")
    await ending
    await hooks.deliver()

    assert receiver.ids == [first, str(second.event_id)]


async def test_a_secret_that_was_rotated_signs_for_a_day_more(
    hooks: Hooks, receiver: Receiver
) -> None:
    hooks.clock.at = datetime.now(UTC)
    made = await hooks.endpoint(receiver.url)
    path = f"/v1/endpoints/{made['endpoint_id']}/secret"
    new = (await hooks.http.post(path, headers=BOSS)).json()

    await hooks.tell(held())
    await hooks.deliver()
    hooks.pass_time(hours=24)
    await hooks.tell(warned())
    await hooks.deliver()

    both, one = receiver.got
    assert Webhook(made["secret"]).verify(both.body, both.headers)
    assert Webhook(new["secret"]).verify(both.body, both.headers)
    assert len(both.headers["webhook-signature"].split(" ")) == 2
    assert len(one.headers["webhook-signature"].split(" ")) == 1


async def test_what_is_old_is_forgotten_with_its_log(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    await hooks.tell(held())
    await hooks.deliver()
    hooks.pass_time(days=29)
    assert await hooks.deliverer.tidy() == 0
    assert len(await hooks.log(made)) == 1

    hooks.pass_time(days=1, seconds=1)
    assert await hooks.deliverer.tidy() == 1

    for table in ("webhook_event", "delivery", "delivery_attempt", "delivery_line"):
        assert await hooks.rows(f"SELECT FROM {table}") == []
