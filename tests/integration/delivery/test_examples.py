"""The programs in docs/examples do what they say, with nothing of ours in them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from standardwebhooks.webhooks import Webhook

from deploy.local.places import free_ports
from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.events.envelope import Event, decode, encode, new_event
from shared.events.insights import ProgrammeMeasured
from shared.events.topics import PEOPLE, PROGRAMMES
from shared.ids import ProgrammeId, TenantId, new_id
from shared.kafka.acls import acls
from shared.kafka.admin import create_topics
from tests.support.waiting import until

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs/examples"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def test_what_hr_sends_by_the_example_is_what_the_network_reads(stack: Stack) -> None:
    await create_topics(stack.kafka_bootstrap, [PEOPLE])
    file = EXAMPLES / "people.ndjson"
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLES / "send_people.py", stack.kafka_bootstrap, file,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    lines = file.read_text(encoding="utf-8").splitlines()
    assert said.decode() == f"sent {len(lines)}\n"

    consumer = AIOKafkaConsumer(
        PEOPLE.name, bootstrap_servers=stack.kafka_bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        read = [await consumer.getone() for _ in lines]
    found = [decode(one.key, one.value, one.headers) for one in read]
    assert len({event.ce_id for event in found}) == len(lines)


def released(epoch: str, as_of: datetime) -> Event:
    """What a programme was released with at the end of a month."""
    fact = ProgrammeMeasured(
        programme_id=ProgrammeId("spring"), epoch=epoch, as_of=as_of, model="v1", pairs=10,
        mentors=10, mentees=10, health=0.6, bands={"steady": 1.0}, facets={"E": 0.6},
        benefits={"growth": 0.25},
    )  # fmt: skip
    tenant = TenantId("acme")
    return new_event(fact, event_id=new_id(), tenant=tenant, service="insights", now=as_of)


async def heard(broker: str, event: Event) -> dict[str, object]:
    """What the follower prints of an event; it is then stopped."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLES / "follow_programmes.py", broker,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line: dict[str, object] = {}
            while line.get("id") != event.ce_id:  # one that it had not committed comes again
                line = json.loads(await process.stdout.readline())
            return line
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


async def test_who_follows_programmes_hears_what_was_released_and_later_what_comes(
    stack: Stack,
) -> None:
    await create_topics(stack.kafka_bootstrap, [PROGRAMMES])
    events = [
        released("2026-02", datetime(2026, 3, 1, tzinfo=UTC)),
        released("2026-03", datetime(2026, 4, 1, tzinfo=UTC)),
    ]
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap) as producer:
        for event in events:
            key, value, headers = encode(event)
            await producer.send_and_wait(PROGRAMMES.name, value, key, headers=headers)
            said = await heard(stack.kafka_bootstrap, event)

            assert said.pop("id") == event.ce_id
            assert said.pop("tenant") == "acme"
            assert ProgrammeMeasured.model_validate(said) == event.fact


def test_dashboards_are_allowed_what_the_example_does() -> None:
    allowed = [each for each in acls() if each.principal == "dashboards"]
    assert [each.name for each in allowed if each.operation == "Read"] == [
        "dashboards-", PROGRAMMES.name,
    ]  # fmt: skip
    text = (EXAMPLES / "follow_programmes.py").read_text(encoding="utf-8")
    assert f'TOPIC, GROUP = "{PROGRAMMES.name}", "dashboards-example"' in text


async def test_the_receiver_takes_what_is_signed_once_and_nothing_else() -> None:
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLES / "receive_webhook.py", str(port),
        env={**os.environ, "WEBHOOK_SECRET": SECRET}, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    now, body = SystemClock().now(), '{"type": "session.held", "id": "e-1"}'
    signed = {
        "webhook-id": "e-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("e-1", now, body),
    }
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

            async def answers() -> bool:
                try:
                    return (await http.post("/", content=body)).status_code == 401
                except httpx.TransportError:
                    return False

            await until(answers, what="up")
            for _ in range(2):
                assert (await http.post("/", content=body, headers=signed)).status_code == 204
            forged = await http.post("/", content=body + " ", headers=signed)
    finally:
        process.kill()
        said, _ = await process.communicate()

    assert forged.status_code == 401
    assert said.decode() == "session.held e-1\n"
