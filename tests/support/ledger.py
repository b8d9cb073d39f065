"""The smallest service there is: counts facts. Delivery tests look at what it counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from shared.events.envelope import Event, encode, new_event
from shared.events.fact import Fact
from shared.events.sessions import CommitmentMade
from shared.events.topics import SESSIONS, Group
from shared.ids import CommitmentId, PairId, PersonId, TenantId, derived_id, new_id
from shared.kafka.per_fact import Apply, per_fact
from shared.postgres.pool import Connection, Pool

SERVICE = "ledger"
GROUP = Group("ledger", (SESSIONS,))
TENANT = TenantId("acme")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)

CREATE = """
    CREATE TABLE counted (n bigint GENERATED ALWAYS AS IDENTITY, event_id uuid, pair_id uuid)
"""


def made(n: int = 0, *, pairs: int = 10, event_id: UUID | None = None) -> Event:
    """The nth commitment made, by one of `pairs` pairs."""
    pair = derived_id("pair", str(n % pairs))
    fact = CommitmentMade(
        pair_id=PairId(pair),
        mentor_id=PersonId("mentor"),
        mentee_id=PersonId("mentee"),
        commitment_id=CommitmentId(derived_id("commitment", str(n))),
        by=PersonId("mentor"),
        due_at=START,
    )
    return event_about(fact, event_id=event_id)


def event_about(fact: Fact, *, event_id: UUID | None = None) -> Event:
    return new_event(
        fact, event_id=event_id or new_id(), tenant=TENANT, service="sessions", now=START
    )


async def count(conn: Connection, event: Event, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO counted (event_id, pair_id) VALUES ($1, $2)",
        event.event_id,
        UUID(event.fact.subject),
    )


def counting() -> Apply:
    return per_fact({CommitmentMade: count})


async def counted(pool: Pool) -> list[UUID]:
    """What was counted, in the order it was."""
    return [row["event_id"] for row in await pool.fetch("SELECT event_id FROM counted ORDER BY n")]


class FakeRecord:
    """A record as the log would hand it over."""

    def __init__(self, event: Event, offset: int, *, partition: int = 0) -> None:
        self.topic = SESSIONS.name
        self.partition = partition
        self.offset = offset
        self.timestamp = 1_700_000_000_000
        self.key: bytes | None
        self.value: bytes | None
        self.headers: Sequence[tuple[str, bytes]]
        self.key, self.value, self.headers = encode(event)
