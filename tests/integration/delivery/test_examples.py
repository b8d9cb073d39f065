"""The programs in docs/examples do what they say, with nothing of ours in them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from standardwebhooks.webhooks import Webhook

from deploy.local.places import free_ports
from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.events.envelope import decode
from shared.events.topics import PEOPLE
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
