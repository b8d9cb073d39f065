"""Sends batches of events to the door as fast as it answers; prints how fast, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import httpx
import numpy as np
import orjson

from tests.support.callers import as_

BATCHES = "application/cloudevents-batch+json"
TIMEOUT_S = 60.0


def _batch(first: int, size: int) -> bytes:
    return orjson.dumps([
        {
            "specversion": "1.0", "id": f"hr-{n}", "source": "urn:example:hr",
            "type": "person.joined", "time": "2026-01-05T08:00:00Z", "partitionkey": f"acme/D-{n}",
            "tenant": "acme",
            "data": {
                "person_id": f"D-{n}", "email": f"d{n}@acme.example", "display_name": f"Person {n}",
                "timezone": "Europe/Berlin", "participation": {"roles": ["mentee"]},
            },
        }
        for n in range(first, first + size)
    ])  # fmt: skip


async def main(url: str, batches: int, batch: int, lanes: int) -> dict[str, float]:
    made = [_batch(n * batch, batch) for n in range(batches)]
    headers = {**as_("hr-system", "hr"), "Content-Type": BATCHES}
    waits: list[float] = []
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, headers=headers) as http:

        async def lane(todo: Iterator[bytes]) -> None:
            for body in todo:
                began = time.perf_counter()
                answer = await http.post("/v1/events", content=body)
                waits.append((time.perf_counter() - began) * 1000)
                if answer.status_code != httpx.codes.OK or answer.json()["accepted"] != batch:
                    raise RuntimeError(answer.text[:300])

        todo, began = iter(made), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane(todo))
        took = time.perf_counter() - began
    return {"per_s": batches * batch / took, "p99_ms": float(np.percentile(waits, 99))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))))
