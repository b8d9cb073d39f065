"""The daily look: how far it has come, which directions look low, which alerts are open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from services.insights.domain.alerts import Risk
from services.insights.queries.pairs import PAIR_COLUMNS, PairRow, pair_row
from shared.ids import PairId, TenantId
from shared.postgres.pool import Connection

_PROGRESS = "SELECT epoch, after FROM daily_epoch FOR UPDATE"
_SAVE_PROGRESS = """
    INSERT INTO daily_epoch (epoch, after) VALUES ($1, $2)
    ON CONFLICT (tenant) DO UPDATE SET epoch = excluded.epoch, after = excluded.after
"""
_PAIRS_AFTER = f"""
    SELECT {PAIR_COLUMNS} FROM pair p
    WHERE p.pair_key > $1 AND p.state IS NOT NULL
      AND (p.ended_at IS NULL OR EXISTS (SELECT FROM risk r WHERE r.pair_key = p.pair_key))
    ORDER BY p.pair_key LIMIT $2
"""
_RISKS = """
    SELECT pair_key, side, epoch, alerted_on FROM risk WHERE pair_key = ANY($1::bigint[])
"""
_SAVE = """
    INSERT INTO risk (pair_key, side, tenant, epoch, alerted_on, body)
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::date[], $5::date[],
                         $6::jsonb[])
    ON CONFLICT (pair_key, side) DO UPDATE
    SET epoch = excluded.epoch, alerted_on = excluded.alerted_on,
        body = coalesce(excluded.body, risk.body)
"""
_FORGET = """
    DELETE FROM risk r USING unnest($1::bigint[], $2::smallint[]) AS gone (pair_key, side)
    WHERE r.pair_key = gone.pair_key AND r.side = gone.side
"""
_OPEN = """
    SELECT p.pair_id, r.side, r.body FROM risk r JOIN pair p USING (pair_key)
    WHERE r.tenant = $1 AND r.alerted_on IS NOT NULL
      AND ($2::uuid IS NULL OR (p.pair_id, r.side) > ($2, $3::smallint))
      AND ($4::text IS NULL OR p.programme_id = $4)
    ORDER BY p.pair_id, r.side LIMIT $5
"""

Place = tuple[int, int]


class Noted(NamedTuple):
    """What is to be remembered of a direction; `body` is a new alert as it was published."""

    key: int
    side: int
    tenant: TenantId
    risk: Risk
    body: str | None


class OpenAlert(NamedTuple):
    """An alert that is open, as it was published."""

    pair_id: PairId
    side: int
    body: str


async def progress(conn: Connection) -> tuple[date, int] | None:
    """The epoch that was looked at last, and after which pair to go on; 0 is: it is done."""
    row = await conn.fetchrow(_PROGRESS)
    return None if row is None else (row[0], row[1])


async def save_progress(conn: Connection, epoch: date, after: int) -> None:
    """Note how far the look has come."""
    await conn.execute(_SAVE_PROGRESS, epoch, after)


async def pairs_after(conn: Connection, after: int, limit: int) -> list[PairRow]:
    """Pairs that may be alerted or have been, in the order of their keys."""
    return [pair_row(row) for row in await conn.fetch(_PAIRS_AFTER, after, limit)]


async def risks(conn: Connection, keys: Sequence[int]) -> dict[Place, Risk]:
    """What is remembered of the directions of pairs."""
    rows = await conn.fetch(_RISKS, keys)
    return {(key, side): Risk(epoch, alerted_on) for key, side, epoch, alerted_on in rows}


async def save(conn: Connection, noted: Iterable[Noted]) -> None:
    """Remember directions, and forget those of which there is nothing to remember."""
    listed = list(noted)
    kept = [one for one in listed if one.risk != Risk()]
    gone = [one for one in listed if one.risk == Risk()]
    if kept:
        rows: list[tuple[Any, ...]] = [
            (one.key, one.side, one.tenant, one.risk.low_on, one.risk.alerted_on, one.body)
            for one in kept
        ]
        await conn.execute(_SAVE, *zip(*rows, strict=True))
    if gone:
        await conn.execute(_FORGET, [one.key for one in gone], [one.side for one in gone])


async def open_alerts(
    conn: Connection,
    tenant: TenantId,
    after: tuple[PairId, int] | None,
    programme_id: str | None,
    limit: int,
) -> list[OpenAlert]:
    """Open alerts of a tenant, in the order of pairs and sides."""
    pair_id, side = after or (None, 0)
    rows = await conn.fetch(_OPEN, tenant, pair_id, side, programme_id, limit)
    return [OpenAlert(*row) for row in rows]
