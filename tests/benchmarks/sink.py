"""A real SMTP server in a process of its own that takes every mail and keeps none."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.benchmarks.harness import ROOT

HOST = "127.0.0.1"


@asynccontextmanager
async def sink() -> AsyncIterator[int]:
    """The port it listens on; gone at the end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.sink", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout
    try:
        yield int(await child.stdout.readline())
    finally:
        child.kill()
        await child.wait()


class _Takes:
    # aiosmtpd finds its hook by this name.
    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        return "250 taken"


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(_Takes(), enable_SMTPUTF8=True), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
