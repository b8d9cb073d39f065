"""How far the log goes, as workers noted it, beside how far it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.postgres.pool import Connection

# Behind a log that never stands still its end is never reached: there is a goal, the end at one
# instant, and once that is reached everything by that instant is counted and there is a new goal.
_NOTE = """
    INSERT INTO log_end AS e (group_name, topic, partition, end_offset, seen_at, goal, goal_at)
    SELECT $1, topic, partition, end_offset, seen_at, end_offset, seen_at
    FROM unnest($2::text[], $3::int[], $4::bigint[], $5::timestamptz[])
         AS noted (topic, partition, end_offset, seen_at)
    ON CONFLICT (group_name, topic, partition) DO UPDATE SET
        end_offset = excluded.end_offset, seen_at = excluded.seen_at,
        (goal, goal_at, read_to) = (
            SELECT CASE WHEN reached THEN excluded.end_offset ELSE e.goal END,
                   CASE WHEN reached THEN excluded.seen_at ELSE e.goal_at END,
                   CASE WHEN reached THEN e.goal_at ELSE e.read_to END
            FROM (SELECT e.goal <= coalesce((
                      SELECT o.next_offset FROM consumer_offset o
                      WHERE o.group_name = e.group_name AND o.topic = e.topic
                        AND o.partition = e.partition), 0) AS reached) AS found)
"""
_FRESH = """
    SELECT CASE WHEN count(*) = count(read_at) THEN min(read_at) END,
           sum(greatest(0, end_offset - next))::bigint
    FROM (SELECT e.end_offset, n.next,
                 CASE WHEN n.next >= e.end_offset THEN e.seen_at
                      WHEN n.next >= e.goal THEN e.goal_at ELSE e.read_to END AS read_at
          FROM log_end e
          LEFT JOIN consumer_offset o USING (group_name, topic, partition),
          LATERAL (SELECT coalesce(o.next_offset, 0) AS next) AS n
          WHERE e.group_name = $1 AND ($2::text IS NULL OR e.topic NOT LIKE '%' || $2)) AS known
"""


async def note(
    conn: Connection, group: str, ends: Sequence[tuple[str, int, int, datetime]]
) -> None:
    """Keep the end of each partition (topic, partition, end, seen at)."""
    topics, partitions, offsets, seen = zip(*ends, strict=True)
    await conn.execute(_NOTE, group, topics, partitions, offsets, seen)


async def fresh(
    conn: Connection, group: str, left_out: str | None
) -> tuple[datetime | None, int | None]:
    """As of when, and how many records behind; None where no worker has said anything yet.

    `left_out` is a topic that is not looked at, in whatever namespace.
    """
    row = await conn.fetchrow(_FRESH, group, left_out)
    assert row is not None
    return row[0], row[1]
