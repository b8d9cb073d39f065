"""The load on sessions: many connections, each a raw HTTP/1.1 client. Knows no service from inside.

First as fast as answers come (closed loop); then at a fixed rate, where a request is due when the
clock says so and its latency counts from then, whether or not a connection was free (open loop).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.processes import Meter
from tests.benchmarks.rounds import EDGE, STEPS, Command, commands

END = b"\r\n\r\n"
LENGTH = b"content-length: "
# A request waits this long for an answer that tells the id in its path.
PATIENCE_S = 5.0


class Refused(Exception):
    """An answer that is no success: the load would no longer be what it says."""


class Connection(asyncio.Protocol):
    """One persistent connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed in the middle"))

    async def ask(self, command: Command) -> None:
        """Send the command and take in its answer. Raises Refused."""
        assert self._transport is not None
        body = command.body
        lines = [f"POST {command.path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in command.headers.items()]
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write("\r\n".join(lines).encode() + END + body)
        answer = await self._answer
        if not answer.startswith(b"HTTP/1.1 2"):
            raise Refused(f"{command.step.name}: {answer.decode(errors='replace')}")
        command.learn(answer[answer.index(END) + len(END) :])

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(END)
        if end < 0:
            return
        at = self._got.index(LENGTH) + len(LENGTH)
        length = int(self._got[at : self._got.index(b"\r", at)])
        if len(self._got) >= end + len(END) + length and self._answer is not None:
            got, self._got = self._got, b""
            self._answer.set_result(got)


async def run_command(connection: Connection, command: Command) -> None:
    """Ask; first wait for the ids in its path, should their answers be on their way."""
    deadline = time.perf_counter() + PATIENCE_S
    while not command.ready:
        if time.perf_counter() > deadline:
            raise Refused(f"{command.step.name}: nothing has told what its path names")
        await asyncio.sleep(0.001)
    await connection.ask(command)


async def closed(connections: list[Connection], stream: Iterator[Command], count: int) -> float:
    """As fast as answers come; the commands a second."""
    started, todo = time.perf_counter(), islice(stream, count)

    async def lane(connection: Connection) -> None:
        for command in todo:
            await run_command(connection, command)

    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(lane(connection))
    return count / (time.perf_counter() - started)


async def opened(
    connections: list[Connection], stream: Iterator[Command], count: int, rate: float
) -> list[float]:
    """At a fixed rate; seconds from when each was due until its answer was there."""
    taken: list[float] = []
    queue: asyncio.Queue[tuple[float, Command] | None] = asyncio.Queue()

    async def lane(connection: Connection) -> None:
        while (due := await queue.get()) is not None:
            await run_command(connection, due[1])
            taken.append(time.perf_counter() - due[0])

    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(lane(connection))
        started = time.perf_counter()
        for n, command in enumerate(islice(stream, count)):
            due_s = started + n / rate
            if (delay_s := due_s - time.perf_counter()) > 0:
                await asyncio.sleep(delay_s)
            queue.put_nowait((due_s, command))
        for _ in connections:
            queue.put_nowait(None)
    return taken


async def main(given: dict[str, Any]) -> dict[str, Any]:
    loop, meter = asyncio.get_running_loop(), Meter(given["watch"])
    addresses = [urlsplit(url) for url in given["urls"]]
    connections = []
    for n in range(given["connections"]):
        where = addresses[n % len(addresses)]
        connections.append(
            (await loop.create_connection(Connection, where.hostname, where.port))[1]
        )
    first, fast, paced = given["warm"], given["fast"], given["paced"]
    rounds = (first + fast + paced) // len(STEPS) + EDGE
    stream = commands(rounds)
    await closed(connections, stream, first)
    with meter.over(fast) as closed_cpu:
        per_s = await closed(connections, stream, fast)
    with meter.over(paced) as opened_cpu:
        taken = await opened(connections, stream, paced, given["rate"])
    cuts = statistics.quantiles(taken, n=1000, method="inclusive")
    return {
        "per_s": per_s,
        "cpu_ms": closed_cpu,
        "paced_cpu_ms": opened_cpu,
        "p50_ms": cuts[499] * 1e3,
        "p99_ms": cuts[989] * 1e3,
        "p999_ms": cuts[998] * 1e3,
        "max_ms": max(taken) * 1e3,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(json.loads(sys.argv[1])))))
