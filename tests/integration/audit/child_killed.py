"""A service that is killed when its answer is ready: committed, and told to nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import httpx
from starlette.types import Message, Receive, Scope, Send

from shared.audit.middleware import Auditing
from shared.audit.recording import Recorder
from shared.clock import SystemClock
from shared.postgres.pool import open_pool
from tests.integration.identity.every_service import built
from tests.support.callers import as_, signed_in


async def main(dsn: str) -> None:
    """A manager makes a programme."""
    pool = await open_pool(dsn, service="matching", size=4)
    app = signed_in(built("matching", pool).api)

    async def dying(scope: Scope, receive: Receive, send: Send) -> None:
        async def die(message: Message) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        await app(scope, receive, die)

    recorded = Auditing(dying, Recorder("matching", pool), SystemClock())
    transport = httpx.ASGITransport(recorded)
    async with httpx.AsyncClient(transport=transport, base_url="http://s") as http:
        boss = as_("boss", "manager")
        await http.put("/v1/programmes/spring", json={"name": "Spring"}, headers=boss)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
