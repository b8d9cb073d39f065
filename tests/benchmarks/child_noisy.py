"""Two tenants' requests at steady rates; prints what each waited, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httpx
import numpy as np

from tests.support.callers import as_

PATH = "/v1/people"
PAGE = {"limit": "50"}
TIMEOUT_S = 60.0


async def steady(
    http: httpx.AsyncClient, tenant: str, per_s: float, span_s: float
) -> tuple[list[float], int]:
    """Milliseconds of each answer since it was due, and how many were 200."""
    headers, waits, answered = as_("boss", "manager", tenant), list[float](), 0
    began = time.perf_counter()

    async def ask(due: float) -> None:
        nonlocal answered
        answer = await http.get(PATH, params=PAGE, headers=headers)
        waits.append((time.perf_counter() - due) * 1000)
        answered += answer.status_code == httpx.codes.OK

    async with asyncio.TaskGroup() as group:
        for n in range(int(per_s * span_s)):
            due = began + n / per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(ask(due))
    return waits, answered


async def main(url: str, per_s: float, times: int, span_s: float) -> dict[str, float]:
    limits = httpx.Limits(max_connections=600)
    async with (
        httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as quiet,
        httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, limits=limits) as loud,
    ):
        await steady(quiet, "quiet", 20.0, 1.0)
        loudly = asyncio.create_task(steady(loud, "loud", per_s * times, span_s))
        waits, answered = await steady(quiet, "quiet", per_s, span_s)
        loud_waits, loud_answered = await loudly
    assert answered == len(waits)
    return {
        "p50_ms": float(np.percentile(waits, 50)),
        "p99_ms": float(np.percentile(waits, 99)),
        "loud_p99_ms": float(np.percentile(loud_waits, 99)) if loud_waits else 0.0,
        "loud_per_s": loud_answered / span_s,
    }


if __name__ == "__main__":
    said = json.loads(sys.argv[1])
    sys.stdout.write(json.dumps(asyncio.run(main(**said))))
