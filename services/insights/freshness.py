"""How fresh what insights knows is: as of when, and how many events behind the log.

A worker notes once a second how far the log goes; whoever answers compares that with what is
counted. People are told of the public topics alone: a number that moves when a private answer is
given would tell that it was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.insights.queries import freshness as queries
from shared.clock import Clock
from shared.events import topics
from shared.kafka.ends import End
from shared.postgres.pool import UNAVAILABLE, Pool

# Every answer asks; the workers say something new once a second.
KEEP_S = 0.2


@dataclass(frozen=True, slots=True)
class Fresh:
    """Everything in the log by `as_of` is counted; None while no worker has said. `behind` is how
    many records of the log are not."""

    as_of: datetime | None
    behind: int | None

    def headers(self) -> list[tuple[bytes, bytes]]:
        """As they stand on every answer; what is not known is not said."""
        said = []
        if self.as_of is not None:
            said.append((b"trustfold-as-of", _text(self.as_of).encode()))
        if self.behind is not None:
            said.append((b"trustfold-events-behind", str(self.behind).encode()))
        return said

    def json(self) -> bytes:
        """As streams say it."""
        as_of = None if self.as_of is None else _text(self.as_of)
        return json.dumps({"as_of": as_of, "events_behind": self.behind}).encode()


UNKNOWN = Fresh(None, None)


class Freshness:
    """Asks the database, a few times a second at most."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._asked_at = float("-inf")
        self._known = {False: UNKNOWN, True: UNKNOWN}

    async def of(self, role: str) -> Fresh:
        """For a service: of all topics. For people: of those that hold no private answer."""
        if time.monotonic() - self._asked_at > KEEP_S:
            self._asked_at = time.monotonic()
            try:
                async with self._pool.acquire() as conn:
                    for private in (False, True):
                        left_out = None if private else topics.FEEDBACK.name
                        found = await queries.fresh(conn, topics.INSIGHTS.name, left_out)
                        self._known[private] = Fresh(*found)
            except UNAVAILABLE:
                self._known = {False: UNKNOWN, True: UNKNOWN}
        return self._known[role == "service"]


async def note_ends(pool: Pool, clock: Clock, ends: Sequence[End]) -> None:
    """Keep how far the log went when the broker was last heard."""
    now = clock.now()
    rows = [(it.topic, it.partition, it.offset, now - timedelta(seconds=it.age_s)) for it in ends]
    if rows:
        async with pool.acquire() as conn:
            await queries.note(conn, topics.INSIGHTS.name, rows)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
