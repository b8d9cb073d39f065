"""A process that adds lines to the chains of two tenants, once it is told to begin. No test."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from shared.audit.line import Line
from shared.audit.recording import Recorder
from shared.ids import TenantId, new_id
from shared.postgres.pool import open_pool

# Requests at once; each waits for its line.
LANES = 8


async def main(dsn: str, name: str, lines: int) -> None:
    """Write them, and end only when each is on record."""
    pool = await open_pool(dsn, service="matching", size=4)
    recorder = Recorder("matching", pool)

    def line(n: int) -> Line:
        tenant = TenantId("acme" if n % 3 else "globex")
        ids = (("person_id", f"p{n}"),)
        return Line(tenant, datetime.now(UTC), new_id(), name, "hr", "GET", "/v1/x", ids, 200)

    async def lane(first: int) -> None:
        for n in range(first, lines, LANES):
            await recorder.write(line(n))

    await pool.fetchval("SELECT 1")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.gather(*(lane(n) for n in range(LANES)))
    await pool.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
