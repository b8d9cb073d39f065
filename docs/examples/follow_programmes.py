"""Follows what is released of programmes: `follow_programmes.py BROKER`, a line of JSON for each.

It needs aiokafka alone, and the rights of `dashboards` or `hr` (`trustfold acls`). A line may come
twice, with the same `id`. It begins with the first release there is, and goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer

TOPIC, GROUP = "mentoring.public.insights.v1", "dashboards-example"


async def follow(broker: str) -> None:
    """Print what comes, for ever."""
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=broker, group_id=GROUP,
        auto_offset_reset="earliest", enable_auto_commit=False,
    ) as consumer:  # fmt: skip
        async for record in consumer:
            told = {name: value.decode() for name, value in record.headers}
            if told.get("ce_type") == "programme.measured":  # other types may join the topic
                line = {"id": told["ce_id"], "tenant": told["ce_tenant"]}
                sys.stdout.write(json.dumps(line | json.loads(record.value)) + "\n")
                sys.stdout.flush()
            await consumer.commit()  # only now: what was not printed comes again


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1]))
