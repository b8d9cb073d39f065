"""Dead letters: records that could not be handled, byte for byte, with the reason. SQL only.

The ledger is the truth (who decided what); the relay copies each parked record to its dead-letter
topic. Redriving goes through the group's own handlers, not through the topic: no other group sees
the record again, and the inbox makes twice the same as once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from shared.errors import Retryable
from shared.kafka.record import Record
from shared.postgres.pool import Connection

Status = Literal["parked", "redriving", "redriven", "dropped"]
MAX_DETAIL_CHARS = 500

_PARK = """
    INSERT INTO dead_letter (group_name, topic, partition, record_offset, recorded_at, key, value,
                             header_names, header_values, reason, detail, attempts)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (group_name, topic, partition, record_offset) DO NOTHING
"""
_COLUMNS = """id, group_name, topic, partition, record_offset, recorded_at, key, value,
    header_names, header_values, reason, detail, attempts, status, parked_at, decided_at"""
_COUNT_OPEN = "SELECT count(*) FROM dead_letter WHERE group_name = $1 AND status = 'parked'"
_UNPUBLISHED = f"""
    SELECT {_COLUMNS} FROM dead_letter WHERE NOT published ORDER BY id LIMIT $1
"""
_PUBLISHED = "UPDATE dead_letter SET published = true WHERE id = ANY($1::bigint[])"
_REDRIVING = f"""
    SELECT {_COLUMNS} FROM dead_letter WHERE group_name = $1 AND status = 'redriving'
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_SETTLE = """
    UPDATE dead_letter SET status = $2, detail = coalesce($3, detail), decided_at = now(),
           attempts = attempts + 1
    WHERE id = $1
"""
_DECIDE = """
    UPDATE dead_letter SET status = $1, decided_at = now()
    WHERE status = 'parked' AND ($2::bigint[] IS NULL OR id = ANY($2)) RETURNING id
"""
_LIST = f"""
    SELECT {_COLUMNS} FROM dead_letter
    WHERE ($1::text IS NULL OR status = $1) ORDER BY id LIMIT $2
"""
_GET = f"SELECT {_COLUMNS} FROM dead_letter WHERE id = $1"


class DeadLetterCapReached(Retryable):
    """So many dead letters wait for a decision that the group stops rather than add to them."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A parked record. It has the shape of a Record, so that it can be delivered again."""

    id: int
    group: str
    topic: str
    partition: int
    offset: int
    recorded_at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    reason: str
    detail: str
    attempts: int
    status: Status
    parked_at: datetime
    decided_at: datetime | None

    @property
    def timestamp(self) -> int:
        return int(self.recorded_at.timestamp() * 1000)


async def park(
    conn: Connection, group: str, record: Record, *, reason: str, detail: str, attempts: int
) -> None:
    """Keep a record that cannot be handled, in the transaction that moves past it."""
    names = [name for name, _ in record.headers]
    values = [value for _, value in record.headers]
    at = datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
    where = (group, record.topic, record.partition, record.offset, at)
    why = (reason, detail[:MAX_DETAIL_CHARS].replace("\x00", ""), attempts)
    await conn.execute(_PARK, *where, record.key, record.value, names, values, *why)


async def check_cap(conn: Connection, group: str, cap: int) -> None:
    """Raise DeadLetterCapReached when more than `cap` records of the group wait for a decision."""
    if await conn.fetchval(_COUNT_OPEN, group) > cap:
        raise DeadLetterCapReached(
            f"{group} has over {cap} undecided dead letters and stopped; "
            "look at `trustfold dlq ls`, then redrive or drop them"
        )


async def unpublished(conn: Connection, limit: int) -> list[DeadLetter]:
    """Parked records that their dead-letter topic does not have yet."""
    return [_letter(row) for row in await conn.fetch(_UNPUBLISHED, limit)]


async def mark_published(conn: Connection, ids: Sequence[int]) -> None:
    """The dead-letter topic has them."""
    await conn.execute(_PUBLISHED, ids)


async def take_redriving(conn: Connection, group: str, limit: int) -> list[DeadLetter]:
    """Lock records that are to be tried again; others' locks are passed over."""
    return [_letter(row) for row in await conn.fetch(_REDRIVING, group, limit)]


async def settle(conn: Connection, letter_id: int, status: Status, detail: str | None) -> None:
    """Write down how a redrive ended."""
    await conn.execute(_SETTLE, letter_id, status, detail and detail[:MAX_DETAIL_CHARS])


async def decide(
    conn: Connection, status: Literal["redriving", "dropped"], ids: Sequence[int] | None
) -> list[int]:
    """Decide over parked records (`ids` None: all of them); the ids that were still parked."""
    return [row["id"] for row in await conn.fetch(_DECIDE, status, ids)]


async def ls(conn: Connection, status: Status | None, limit: int) -> list[DeadLetter]:
    """Dead letters in the order they were parked."""
    return [_letter(row) for row in await conn.fetch(_LIST, status, limit)]


async def get(conn: Connection, letter_id: int) -> DeadLetter | None:
    """One dead letter."""
    row = await conn.fetchrow(_GET, letter_id)
    return _letter(row) if row else None


def _letter(row: Any) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        group=row["group_name"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["record_offset"],
        recorded_at=row["recorded_at"],
        key=row["key"],
        value=row["value"],
        headers=tuple(zip(row["header_names"], row["header_values"], strict=True)),
        reason=row["reason"],
        detail=row["detail"],
        attempts=row["attempts"],
        status=row["status"],
        parked_at=row["parked_at"],
        decided_at=row["decided_at"],
    )
