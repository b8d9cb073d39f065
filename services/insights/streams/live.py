"""The live streams of one process, put together: who may have one more, what feeds them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from services.insights.freshness import Freshness
from services.insights.queries.pairs import PairOf
from services.insights.queries.streams import Channel
from services.insights.settings import InsightsSettings
from services.insights.streams.feed import Feed, Pace, Wanted
from services.insights.streams.hub import Hub
from services.insights.streams.log import Reader
from services.insights.streams.own import OwnStreams, PairReader
from services.insights.streams.sse import EventStream
from shared.errors import Rejected
from shared.postgres.pool import Pool


class TooManyStreams(Rejected):
    """This process has as many streams as it may have; try again, perhaps another one answers."""

    slug = "too-many-streams"
    status = 503


class Live:
    """Opens streams, up to a number, and keeps them fed."""

    def __init__(self, settings: InsightsSettings, pool: Pool, freshness: Freshness) -> None:
        pace = Pace(settings.stream_heartbeat_s, settings.stream_most_s)

        async def fresh(channel: Channel) -> bytes:
            return (await freshness.of(channel[0])).json()

        async def fresh_for_people() -> bytes:
            return (await freshness.of("participant")).json()

        self._hub = Hub(pool, settings.stream_keep)
        self._feed = Feed(pool, self._hub, pace, fresh)
        self._own = OwnStreams(pool, pace, settings.people_every_s, fresh_for_people)
        self._settings = settings
        self._open = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Feed the streams until told to stop, then end them."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hub.run(stopping))
            group.create_task(self._own.run(stopping))

    def of_tenant(self, wanted: Wanted) -> EventStream:
        """The stream of a tenant's pairs. Raises TooManyStreams."""
        reader = Reader()
        return self._answer(self._feed.stream(wanted, reader), reader)

    def of_pair(self, pair: PairOf, last: str | None) -> EventStream:
        """The stream of one pair, for its members. Raises TooManyStreams."""
        reader = PairReader()
        return self._answer(self._own.stream(pair, last, reader), reader)

    def _answer(self, source: AsyncGenerator[bytes, None], reader: Reader) -> EventStream:
        if self._open >= self._settings.stream_most_readers:
            raise TooManyStreams
        self._open += 1
        timeout_s = self._settings.stream_send_timeout_s
        return EventStream(source, reader, send_timeout_s=timeout_s, ended=self._ended)

    def _ended(self) -> None:
        self._open -= 1
