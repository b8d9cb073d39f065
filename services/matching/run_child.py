"""The process that works one run out. Reads its order from standard input, says how far it is.

It ends when its standard input does: whoever started it is gone then, and somebody else begins
again. What it comes to is kept in one transaction, and only while the attempt is still wanted.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.matching.computing import compute
from services.matching.queries import runs
from shared.ids import TenantId
from shared.postgres.pool import open_pool
from shared.postgres.tenancy import reading_for

TOO_MANY_PEOPLE = "too_many_people"
ORPHANED = 3


def say(**words: Any) -> None:
    """One line for whoever started this process."""
    os.write(sys.stdout.fileno(), orjson.dumps(words) + b"\n")


def progress(stage: str, done: int, total: int) -> None:
    say(stage=stage, done=done, total=total)


def end_with_the_parent() -> None:
    """Wait until nobody holds the other end of standard input, and leave at once."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(ORPHANED)


async def work(order: dict[str, Any]) -> None:
    tenant, run_id = TenantId(order["tenant"]), UUID(order["run_id"])
    async with await open_pool(order["dsn"], service="matching", size=1) as pool:
        async with reading_for(pool, tenant) as conn:
            run = await runs.find(conn, tenant, run_id)
        if run is None or run.state != "running":
            return
        try:
            await compute(pool, tenant, run, datetime.fromisoformat(order["now"]), progress)
        except (OverflowError, MemoryError):
            say(failure=TOO_MANY_PEOPLE)


def main() -> None:
    """Work out the run of the order."""
    order = orjson.loads(sys.stdin.buffer.readline())
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    asyncio.run(work(order))


if __name__ == "__main__":
    main()
