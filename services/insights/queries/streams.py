"""Streams: the ring of what was said lately, and what was said last of each pair.

Every stream of every tenant counts for itself. Positions are handed out by a row that is locked
until the commit, so they are in the order of commits, without a gap: who has read position 7 and
sees 9 knows that 8 is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

from services.insights.queries.pairs import PairOf, PairRow
from shared.ids import PairId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

Stream = Literal["service", "manager"]
Channel = tuple[Stream, TenantId]
# Postgres tells whoever listens on it that the ring has grown, once it is committed.
LISTEN_TO = "trustfold_insights_stream"
# Of each channel, in one go: bounds the transaction that forgets them.
PRUNED_BY_AGE = 5_000

_SAY = """
    WITH said AS (
        SELECT * FROM unnest($2::text[], $3::uuid[], $4::text[], $5::bytea[])
                 WITH ORDINALITY AS row (tenant, pair_id, programme_id, body, place)),
    counted AS (SELECT tenant, count(*) AS more FROM said GROUP BY tenant ORDER BY tenant),
    head AS (
        INSERT INTO stream_head AS h (stream, tenant, position)
        SELECT $1, tenant, more FROM counted
        ON CONFLICT (stream, tenant) DO UPDATE SET position = h.position + excluded.position
        RETURNING tenant, position),
    numbered AS (
        SELECT said.*, head.position - counted.more
                       + row_number() OVER (PARTITION BY tenant ORDER BY place) AS position
        FROM said JOIN counted USING (tenant) JOIN head USING (tenant)),
    ring AS (
        INSERT INTO stream_change (stream, tenant, position, programme_id, body)
        SELECT $1, tenant, position, programme_id, body FROM numbered),
    newest AS (
        INSERT INTO stream_newest (stream, tenant, pair_id, position, programme_id, body)
        SELECT $1, tenant, pair_id, position, programme_id, body FROM numbered
        ON CONFLICT (stream, tenant, pair_id) DO UPDATE
        SET position = excluded.position, programme_id = excluded.programme_id,
            body = excluded.body)
    SELECT pg_notify($6, '')
"""
_UNSAID = """
    SELECT p.pair_key FROM pair p
    LEFT JOIN stream_newest n ON n.stream = $1 AND n.tenant = p.tenant AND n.pair_id = p.pair_id
    WHERE p.pair_key = ANY($2::bigint[])
      AND (n.pair_id IS NULL OR n.programme_id IS DISTINCT FROM p.programme_id)
"""
_SAID_LAST = """
    SELECT p.pair_key, n.programme_id, n.body FROM pair p
    JOIN stream_newest n ON n.stream = $1 AND n.tenant = p.tenant AND n.pair_id = p.pair_id
    WHERE p.pair_key = ANY($2::bigint[])
"""
_HEAD = """
    SELECT epoch, coalesce(h.position, 0),
           coalesce((SELECT min(c.position) - 1 FROM stream_change c
                     WHERE c.stream = $1 AND c.tenant = $2), h.position, 0)
    FROM stream_epoch LEFT JOIN stream_head h ON h.stream = $1 AND h.tenant = $2
"""
_AFTER = """
    SELECT channel.stream, channel.tenant, c.position, c.programme_id, c.body
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS channel (stream, tenant, position),
         LATERAL (SELECT * FROM stream_change c
                  WHERE c.stream = channel.stream AND c.tenant = channel.tenant
                    AND c.position > channel.position
                  ORDER BY c.position LIMIT $4) AS c
"""
_NEWEST_PAGE = """
    SELECT n.pair_id, n.position, n.programme_id, n.body FROM stream_newest n
    WHERE n.stream = $1 AND n.tenant = $2 AND ($3::uuid IS NULL OR n.pair_id > $3)
    ORDER BY n.pair_id LIMIT $4
"""
_NEWEST_OF = """
    SELECT n.tenant, n.pair_id, n.position, n.body
    FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS asked (tenant, pair_id, position)
    JOIN stream_newest n ON n.stream = 'service' AND n.tenant = asked.tenant
     AND n.pair_id = asked.pair_id AND n.position > asked.position
"""
# Positions are in the order of time: of what is too old, the oldest come first.
_PRUNE = """
    WITH until AS (
        SELECT h.stream, h.tenant, greatest(h.position - $1, (
            SELECT max(position) FROM (
                SELECT position, said_at FROM stream_change c
                WHERE c.stream = h.stream AND c.tenant = h.tenant
                ORDER BY position LIMIT $3) AS oldest
            WHERE said_at < now() - make_interval(secs => $2))) AS position
        FROM stream_head h),
    gone AS (
        DELETE FROM stream_change c USING until u
        WHERE c.stream = u.stream AND c.tenant = u.tenant AND c.position <= u.position
        RETURNING 1)
    SELECT count(*) FROM gone
"""


class Head(NamedTuple):
    """Where a channel stands: its newest position, and the last one that is gone from the ring."""

    epoch: str
    position: int
    pruned: int


class Said(NamedTuple):
    """One position of a channel."""

    position: int
    programme_id: ProgrammeId | None
    body: bytes


class Newest(NamedTuple):
    """What was said last of a pair."""

    pair_id: PairId
    position: int
    programme_id: ProgrammeId | None
    body: bytes


async def say(conn: Connection, stream: Stream, told: Sequence[tuple[PairRow, bytes]]) -> None:
    """Add to the ring, in this order, and wake who listens; if and when the caller commits.

    A pair is in it once.
    """
    if told:
        columns = zip(
            *[(p.tenant, p.subject.pair_id, p.programme_id, body) for p, body in told],
            strict=True,
        )
        await conn.execute(_SAY, stream, *columns, LISTEN_TO)


async def unsaid(conn: Connection, stream: Stream, keys: Collection[int]) -> set[int]:
    """Which of these pairs a stream has not spoken of yet, or under another programme."""
    return {row[0] for row in await conn.fetch(_UNSAID, stream, keys)}


async def said_last(
    conn: Connection, stream: Stream, keys: Collection[int]
) -> dict[int, tuple[ProgrammeId | None, bytes]]:
    """The programme and the body of what was said last of each pair, by the pair's key."""
    return {row[0]: (row[1], row[2]) for row in await conn.fetch(_SAID_LAST, stream, keys)}


async def head(conn: Connection, channel: Channel) -> Head:
    """Where a channel stands. Everything up to its position is committed."""
    row = await conn.fetchrow(_HEAD, *channel)
    assert row is not None
    return Head(*row)


async def after(
    conn: Connection, positions: Mapping[Channel, int], limit: int
) -> dict[Channel, list[Said]]:
    """What channels said after a position each, in order, up to `limit` each."""
    streams = [stream for stream, _ in positions]
    tenants = [tenant for _, tenant in positions]
    found: dict[Channel, list[Said]] = {}
    rows = await conn.fetch(_AFTER, streams, tenants, list(positions.values()), limit)
    for stream, tenant, *columns in rows:
        found.setdefault((stream, tenant), []).append(Said(*columns))
    return found


async def newest_page(
    conn: Connection, channel: Channel, last: PairId | None, limit: int
) -> list[Newest]:
    """What was said last of each pair, in the order of pairs, after pair `last`."""
    return [Newest(*row) for row in await conn.fetch(_NEWEST_PAGE, *channel, last, limit)]


async def newest_of(
    conn: Connection, asked: Mapping[PairOf, int]
) -> dict[PairOf, tuple[int, bytes]]:
    """Where and what services were told last of pairs, if that is after the position asked for."""
    if not asked:
        return {}
    rows = [(tenant, pair_id, position) for (tenant, pair_id), position in asked.items()]
    found = await conn.fetch(_NEWEST_OF, *zip(*rows, strict=True))
    return {(row[0], row[1]): (row[2], row[3]) for row in found}


async def prune(conn: Connection, rows: int, age_s: float) -> int:
    """Forget what is older than the newest `rows` of its channel, or than an age; how many."""
    return int(await conn.fetchval(_PRUNE, rows, age_s, PRUNED_BY_AGE))
