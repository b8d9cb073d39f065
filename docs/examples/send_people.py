"""Sends people to Trustfold's Kafka topic: `send_people.py BROKER FILE`, one CloudEvent a line.

It needs aiokafka alone. Nothing of Trustfold is imported: this is what a sender elsewhere does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer

TOPIC = "mentoring.public.people.v1"
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]


async def send(broker: str, lines: list[str]) -> None:
    """Send each event under its key; return when the broker has all of them."""
    async with AIOKafkaProducer(
        bootstrap_servers=broker, acks="all", enable_idempotence=True
    ) as producer:
        for line in lines:
            key = json.loads(line)["partitionkey"].encode()
            await producer.send_and_wait(TOPIC, line.encode(), key, headers=STRUCTURED)
    sys.stdout.write(f"sent {len(lines)}\n")


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()))
