"""What being on record costs: matching's own app over a real database, with the trail and without.

The same requests by the same lanes in the same process, asked past the socket; then the chains that
were written are walked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from starlette.types import ASGIApp, Message

from shared.audit import reading
from shared.audit.middleware import Auditing
from shared.audit.recording import Recorder
from shared.clock import SystemClock
from shared.ids import TenantId
from shared.postgres.pool import Pool
from tests.benchmarks.harness import Bench, Result, pool_of
from tests.integration.identity.every_service import built
from tests.support.callers import as_, signed_in

TENANT = "acme"
LANES = 16
READ = ("GET", "/v1/programmes/spring")
CHANGE = ("PUT", "/v1/programmes/spring/exclusions/p{n}/zed")


@dataclass(frozen=True, slots=True)
class Took:
    """How requests went."""

    per_s: float
    p50_ms: float
    p99_ms: float


async def measure(bench: Bench) -> list[Result]:
    """Reads, then changes, each bare and on record, in turns; then the chain is verified."""
    reads, changes = bench.size(small=3_000, full=40_000), bench.size(small=1_500, full=15_000)
    results: list[Result] = []
    async with bench.network() as network, pool_of(network, "matching", size=8) as pool:
        bare = signed_in(built("matching", pool).api)
        recorder = Recorder("matching", pool)
        recorded = Auditing(bare, recorder, SystemClock())
        await _ask(bare, "PUT", "/v1/programmes/spring", b'{"name": "Spring"}')
        for name, (method, path), number in (("reads", READ, reads), ("changes", CHANGE, changes)):
            bench.say(name)
            found: dict[str, list[Took]] = {"bare": [], "recorded": []}
            for _ in range(3):
                found["bare"].append(await _load(bare, method, path, number // 3))
                found["recorded"].append(await _load(recorded, method, path, number // 3))
            await recorder.aclose()
            results += _results(name, found)
        bench.say("verify")
        results.append(await _verified(pool))
    return results


def _results(name: str, found: dict[str, list[Took]]) -> list[Result]:
    without = max(found["bare"], key=lambda each: each.per_s)
    with_ = max(found["recorded"], key=lambda each: each.per_s)
    more_us = (1 / with_.per_s - 1 / without.per_s) * 1e6

    def words(took: Took) -> str:
        return f"p50 {took.p50_ms:.1f} ms, p99 {took.p99_ms:.1f} ms on {LANES} lanes"

    return [
        Result("audit", f"{name}, no trail", without.per_s, "requests/s", note=words(without)),
        Result(
            "audit", f"{name}, on record", with_.per_s, "requests/s", with_.per_s / without.per_s,
            f"audit.{name}, no trail", "", f"{more_us:.0f} us more each; {words(with_)}",
        ),
    ]  # fmt: skip


async def _load(app: ASGIApp, method: str, path: str, number: int) -> Took:
    """As fast as answers come."""
    took_ms: list[float] = []
    turns = count()
    began = time.perf_counter()

    async def lane() -> None:
        while (n := next(turns)) < number:
            at = time.perf_counter()
            status = await _ask(app, method, path.format(n=n % 500))
            took_ms.append((time.perf_counter() - at) * 1e3)
            if status >= 300:
                raise RuntimeError(f"{method} {path}: {status}")

    await asyncio.gather(*(lane() for _ in range(LANES)))
    per_s = number / (time.perf_counter() - began)
    return Took(per_s, _part(took_ms, 0.5), _part(took_ms, 0.99))


def _part(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


async def _ask(app: ASGIApp, method: str, path: str, body: bytes = b"") -> int:
    """The status of one request."""
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    headers = [(b"content-type", b"application/json")]
    for name, value in as_("boss", "manager", TENANT).items():
        headers.append((name.lower().encode(), value.encode()))
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http",
        "server": ("s", 80), "client": ("c", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return status


async def _verified(pool: Pool) -> Result:
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL trustfold.tenant = '*'")
        began = time.perf_counter()
        verdict = await reading.verify(conn, "matching", TenantId(TENANT))
        took_s = time.perf_counter() - began
    if verdict.broken:
        raise RuntimeError(verdict.broken)
    return Result(
        "audit", "verify", verdict.lines / took_s, "lines/s", note=f"{verdict.lines:,} lines"
    )
