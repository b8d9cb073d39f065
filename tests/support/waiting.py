"""Waiting for a condition, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.02


async def until(
    condition: Callable[[], Awaitable[object]], *, timeout_s: float = 30.0, what: str
) -> None:
    """Return once the condition's answer is true; AssertionError with `what` at the deadline."""
    last: object = None
    try:
        async with asyncio.timeout(timeout_s):
            while not (last := await condition()):
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"never {what} within {timeout_s:.0f} s; last saw {last!r}") from None
