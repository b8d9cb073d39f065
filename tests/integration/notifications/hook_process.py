"""A process that sends what is due to endpoints until it is killed. Arguments: DSN, instant."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from services.notifications.channels.guarded_http import GuardedHttp
from services.notifications.delivering import Deliverer
from shared.clock import FixedClock
from shared.postgres.pool import open_pool
from tests.integration.notifications.hooks import INSIDE


async def main(dsn: str, at: str) -> None:
    pool = await open_pool(dsn, service="notifications", size=2)
    clock = FixedClock(datetime.fromisoformat(at))
    deliverer = Deliverer(pool, clock, GuardedHttp(INSIDE), INSIDE)
    while True:
        await deliverer.step()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
