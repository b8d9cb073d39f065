"""Live inboxes: who is looking is woken when something came, or was read elsewhere.

One connection of the process listens for the names of people whose inbox has changed; what is new
in it is read by whoever was woken. Nothing is lost when that connection breaks: everybody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import asyncpg
import orjson

from services.notifications.channels.inbox import item
from services.notifications.handlers.reading import read_inbox
from services.notifications.queries.reading import INBOX, Page
from services.notifications.rendering import Templates
from shared.ids import PersonId, TenantId
from shared.logging import logger
from shared.postgres.pool import UNAVAILABLE, Pool

HEARTBEAT_S = 15.0
RECONNECT_S = 1.0
NEWEST = 50
_log = logger("notifications.live")


class Live:
    """The open streams of a process. Streams end when `run` does."""

    def __init__(self, pool: Pool, templates: Templates, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._pool = pool
        self._templates = templates
        self._heartbeat_s = heartbeat_s
        self._looking: dict[str, set[asyncio.Event]] = {}
        self._over = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen until told to stop; then let every stream end."""
        stopped = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                with suppress(*UNAVAILABLE, asyncpg.InterfaceError):
                    await self._listen(stopped)
                if not stopping.is_set():
                    _log.warning("not listening", action="listen", again_in_s=RECONNECT_S)
                    await asyncio.wait({stopped}, timeout=RECONNECT_S)
        finally:
            stopped.cancel()
            self._over = True
            self._wake_all()

    async def _listen(self, stopped: asyncio.Task[bool]) -> None:
        lost = asyncio.Event()
        async with self._pool.acquire() as conn:
            conn.add_termination_listener(lambda _: lost.set())
            await conn.add_listener(INBOX, self._heard)
            # What was told while nobody listened is found by looking.
            self._wake_all()
            gone = asyncio.create_task(lost.wait())
            try:
                await asyncio.wait({stopped, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
                if not conn.is_closed():
                    await conn.remove_listener(INBOX, self._heard)

    def _heard(self, _conn: object, _pid: int, _channel: str, whose: object) -> None:
        for woken in self._looking.get(str(whose), ()):
            woken.set()

    def _wake_all(self) -> None:
        for looking in self._looking.values():
            for woken in looking:
                woken.set()

    @contextmanager
    def _looks(self, whose: str) -> Iterator[asyncio.Event]:
        woken = asyncio.Event()
        self._looking.setdefault(whose, set()).add(woken)
        try:
            yield woken
        finally:
            self._looking[whose].discard(woken)
            if not self._looking[whose]:
                del self._looking[whose]

    async def stream(self, tenant: TenantId, person: PersonId) -> AsyncIterator[bytes]:
        """Server-sent events: `inbox` with all that is unread at first, `message` for each that
        comes, `unread` when the count has changed; a comment now and then.
        """
        with self._looks(f"{tenant}/{person}") as woken:
            known: set[str] = set()
            count, is_first = -1, True
            while not self._over:
                woken.clear()
                page = Page(NEWEST)
                entries, unread = await read_inbox(self._pool, tenant, person, page, unread=True)
                items = [item(each, self._templates) for each in reversed(entries)]
                if is_first:
                    yield _frame("inbox", {"unread": unread, "items": items})
                else:
                    for each in items:
                        if each.message_id not in known:
                            yield _frame("message", each)
                    if unread != count:
                        yield _frame("unread", {"unread": unread})
                known = {each.message_id for each in items}
                count, is_first = unread, False
                while not await _woken(woken, self._heartbeat_s):
                    yield b": still here\n\n"


async def _woken(woken: asyncio.Event, within_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await woken.wait()
    return woken.is_set()


def _frame(event: str, data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(data))
