"""Where a group stands in each partition, kept beside its effects. Kafka's own offsets are a hint.

Because the offset commits with what it stands for, a crash at any point neither loses nor repeats;
and because its row is locked, a worker that lost its partition without noticing applies nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import asyncpg

from shared.postgres.pool import Connection

Partition: TypeAlias = tuple[str, int]

_CREATE = """
    INSERT INTO consumer_offset (group_name, topic, partition, next_offset)
    SELECT $1, topic, partition, 0 FROM unnest($2::text[], $3::int[]) AS t(topic, partition)
    ON CONFLICT DO NOTHING
"""
_READ = """
    SELECT topic, partition, next_offset FROM consumer_offset
    JOIN unnest($2::text[], $3::int[]) AS t(topic, partition) USING (topic, partition)
    WHERE group_name = $1
"""
# One order for everybody, or two workers that swap partitions would wait for each other.
_LOCK = f"{_READ} ORDER BY topic, partition FOR UPDATE OF consumer_offset"
_ADVANCE = """
    UPDATE consumer_offset SET next_offset = t.next_offset, updated_at = now()
    FROM unnest($2::text[], $3::int[], $4::bigint[]) AS t(topic, partition, next_offset)
    WHERE group_name = $1 AND consumer_offset.topic = t.topic
      AND consumer_offset.partition = t.partition
"""


async def load(
    conn: Connection, group: str, partitions: Iterable[Partition]
) -> dict[Partition, int]:
    """The next offset of each partition, 0 for one never read; its row exists from now on."""
    topics, numbers = _columns(partitions)
    await conn.execute(_CREATE, group, topics, numbers)
    return _read(await conn.fetch(_READ, group, topics, numbers))


async def lock(
    conn: Connection, group: str, partitions: Iterable[Partition]
) -> dict[Partition, int]:
    """As `load`, holding the rows until the transaction ends."""
    topics, numbers = _columns(partitions)
    found = _read(await conn.fetch(_LOCK, group, topics, numbers))
    if len(found) < len(topics):
        await conn.execute(_CREATE, group, topics, numbers)
        found = _read(await conn.fetch(_LOCK, group, topics, numbers))
    return found


async def advance(conn: Connection, group: str, positions: Mapping[Partition, int]) -> None:
    """Move to the given next offsets, in the caller's transaction."""
    topics, numbers = _columns(positions)
    await conn.execute(_ADVANCE, group, topics, numbers, list(positions.values()))


def _columns(partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
    listed = list(partitions)
    return [topic for topic, _ in listed], [number for _, number in listed]


def _read(rows: Iterable[asyncpg.Record]) -> dict[Partition, int]:
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
