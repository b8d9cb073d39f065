"""Statements on what the two put on their agenda."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.sessions.domain.agenda import Item
from services.sessions.domain.pair import Pair
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = "tenant, item_id, pair_id, written_by, written_at, text"

_FIND = f"SELECT {_COLUMNS} FROM agenda_item WHERE tenant = $1 AND item_id = $2"
_OF_PAIR = f"""
    SELECT {_COLUMNS} FROM agenda_item
    WHERE tenant = $1 AND pair_id = $2 ORDER BY written_at, item_id
"""
_COUNT = "SELECT count(*) FROM agenda_item WHERE tenant = $1 AND pair_id = $2"
_SAVE = f"""
    INSERT INTO agenda_item ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant, item_id) DO NOTHING
"""
_DELETE = "DELETE FROM agenda_item WHERE tenant = $1 AND item_id = $2"


async def find(conn: Connection, tenant: TenantId, item_id: UUID) -> Item | None:
    row = await conn.fetchrow(_FIND, tenant, item_id)
    return _item(row) if row else None


async def of_pair(conn: Connection, pair: Pair) -> Sequence[Item]:
    """What the two put on, the oldest first. There are few."""
    return [_item(row) for row in await conn.fetch(_OF_PAIR, pair.tenant, pair.pair_id)]


async def count(conn: Connection, pair: Pair) -> int:
    there: int = await conn.fetchval(_COUNT, pair.tenant, pair.pair_id)
    return there


async def save(conn: Connection, items: Sequence[Item]) -> None:
    """Insert items. One that is there stays as it is: nobody changes them."""
    await conn.executemany(_SAVE, [_row(each) for each in items])


async def delete(conn: Connection, item: Item) -> None:
    await conn.execute(_DELETE, item.tenant, item.item_id)


def _item(row: asyncpg.Record) -> Item:
    return Item(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        row["item_id"],
        PersonId(row["written_by"]),
        row["written_at"],
        row["text"],
    )


def _row(item: Item) -> tuple[object, ...]:
    return item.tenant, item.item_id, item.pair_id, item.written_by, item.written_at, item.text
