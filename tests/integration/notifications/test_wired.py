"""Chats and endpoints through the whole service: from a fact to what the other side gets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from standardwebhooks import Webhook

from deploy.local.mailbox import Mailbox
from services.notifications.domain.preferences import Choices
from services.notifications.queries.preferences import EVERYBODY
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import Rig
from tests.integration.notifications.test_api import BO, caller, over_http
from tests.support.receiver import Receiver
from tests.support.waiting import until
from tests.unit.notifications.builders import MENTEE, MENTOR, left, warned

pytestmark = pytest.mark.stack

BOSS = caller("boss", "manager")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
def rig(pool: Pool, mailbox: Mailbox) -> Rig:
    """One that may reach the receiver on this machine."""
    return Rig.on(
        pool,
        mailbox.port,
        hook_http=True,
        hook_any_port=True,
        hook_networks=("127.0.0.0/8",),
    )


async def step(rig: Rig, name: str) -> None:
    (loop,) = (loop for loop in rig.service.loops if loop.name == name)
    await loop.step()


async def test_who_wants_it_is_written_to_in_their_chat(rig: Rig, receiver: Receiver) -> None:
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(ways={"*": {"chat": "now"}}))
    async with over_http(rig) as http:
        await http.put("/v1/me/chat", headers=BO, json={"url": f"{receiver.url}/chat"})

    await rig.tell(warned(by=MENTOR))
    await step(rig, "chat")

    (got,) = receiver.got
    assert "needs more time for a promise" in str(got.json)
    rows = await rig.states("chat")
    assert [(person, state) for person, state, *_ in rows] == [(MENTEE, "sent")]
    assert ("notification.posted", MENTEE) in await rig.announced("chat")


async def test_who_has_no_chat_is_not_waited_for(rig: Rig, receiver: Receiver) -> None:
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(ways={"*": {"chat": "now"}}))

    await rig.tell(warned(by=MENTOR))
    await step(rig, "chat")

    assert receiver.got == []
    assert [tuple(row)[1::2] for row in await rig.states("chat")] == [("suppressed", "no_address")]


async def test_the_address_of_a_chat_goes_with_its_person(rig: Rig, receiver: Receiver) -> None:
    await rig.everybody_joins()
    async with over_http(rig) as http:
        await http.put("/v1/me/chat", headers=BO, json={"url": f"{receiver.url}/chat"})
    rig.pass_time(minutes=1)

    await rig.tell(left(MENTEE))

    assert await rig.rows("SELECT FROM chat_address") == []


async def test_an_endpoint_gets_the_fact_and_what_came_of_it(rig: Rig, receiver: Receiver) -> None:
    await rig.everybody_joins()
    async with over_http(rig) as http:
        made = await http.post(
            "/v1/endpoints",
            headers={**BOSS, "Idempotency-Key": "one"},
            json={"url": f"{receiver.url}/hook", "types": ["commitment.*", "notification.*"]},
        )
    assert made.status_code == 201, made.text

    await rig.tell(warned(by=MENTOR))
    await rig.send()

    async def all_came() -> object:
        await step(rig, "deliver")
        return len(receiver.got) == 3

    await until(all_came, what="three deliveries")
    types = [got.json["type"] for got in receiver.got]
    assert types == ["commitment.warned", "notification.sent", "notification.sent"]
    for got in receiver.got:
        # The clock of the test is not the library's.
        signed = Webhook(made.json()["secret"])
        assert got.headers["webhook-signature"] == signed.sign(
            got.id, rig.clock.at, got.body.decode()
        )
