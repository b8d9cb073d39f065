"""Processes that share the work of a rebuild, as their parent sees them. Knows no work itself."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from shared.errors import TrustfoldError

ROOT = Path(__file__).parents[3]
LINE_BYTES = 1024 * 1024
STOP_TIMEOUT_S = 5.0


class ChildFailed(TrustfoldError):
    """A process that shared the work of a rebuild has failed."""


class Child:
    """One process; it does one order at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, order: Mapping[str, object], done: Callable[[int], None]) -> dict[str, Any]:
        """Give an order and return its result; `done` hears how far it is. Raises ChildFailed."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        # Not on the command line, where everybody reads it: an order holds a DSN.
        stdin.write(json.dumps(order).encode() + b"\n")
        await stdin.drain()
        async for line in stdout:
            answer = json.loads(line)
            if "done" in answer:
                done(answer["done"])
            elif "failed" in answer:
                raise ChildFailed(answer["failed"])
            else:
                result: dict[str, Any] = answer["result"]
                return result
        raise ChildFailed(f"it ended with exit code {await self._process.wait()}")

    async def stop(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
        await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)


@asynccontextmanager
async def children(count: int, module: str) -> AsyncIterator[list[Child]]:
    """So many processes of a module; none of them outlives the block, or this process."""
    started: list[Child] = []
    try:
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_BYTES,
            )
            started.append(Child(process))
        yield started
    finally:
        await asyncio.gather(*(child.stop() for child in started))
