"""Waiting for what the network says about itself. Never for a time alone; every wait has an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from deploy.local.demo.api import Api, DemoFailed
from deploy.local.demo.log import Log
from deploy.local.network import SERVICES

POLL_S = 0.02
SLOW_POLL_S = 0.2
WAIT_S = 60.0
# Longer than any loop of any service sleeps: what nothing has touched for so long is at rest.
STILL_S = 2.0


async def until(condition: Callable[[], Awaitable[object]], what: str) -> None:
    """Return once the condition is true; DemoFailed with the last answer when it stays away."""
    last: object = None
    try:
        async with asyncio.timeout(WAIT_S):
            # What is asked answers over HTTP: there is no event to wait for.
            while not (last := await condition()):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise DemoFailed(f"not {what} after {WAIT_S:.0f} s; last saw {last!r}") from None


async def swept(api: Api, now: datetime) -> bool:
    """Whether everything that was due by `now` has been decided."""
    mark = (await api.get("sessions", "/v1/sweeper"))["swept_until"]
    return mark is not None and datetime.fromisoformat(mark) >= now


async def unsent(api: Api) -> int:
    """How many messages are to be handed over now; what waits for its reader's hours is not."""
    page = await api.get("notifications", "/v1/messages?limit=1")
    return int(sum(each["due"] for each in page["counts"]))


async def settled(api: Api, now: datetime) -> bool:
    """Whether time may go on: what was due is decided, and the post is out.

    Without it months would pass within the seconds that a mail server takes for a day's mail, and
    the invitations to sessions of that day would be too late.
    """
    if not await swept(api, now) or await api.lag("notifications"):
        return False
    return await unsent(api) == 0


async def at_rest(api: Api, log: Log, now: datetime) -> None:
    """Return when nothing is on its way any more: the log has stood still with everyone at its end.

    DemoFailed when that does not come.
    """
    seen, since, deadline = None, time.monotonic(), time.monotonic() + WAIT_S
    while seen is None or time.monotonic() - since < STILL_S:
        lags = {service: await api.lag(service) for service in SERVICES}
        waiting = await unsent(api)
        ends = await log.ends()
        busy = any(lags.values()) or waiting or not await swept(api, now)
        if busy or ends != seen:
            seen, since = (None if busy else ends), time.monotonic()
        if time.monotonic() > deadline:
            raise DemoFailed(f"the network does not come to rest: lag {lags}, {waiting} unsent")
        await asyncio.sleep(SLOW_POLL_S)
