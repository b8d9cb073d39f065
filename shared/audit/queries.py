"""Statements on the table `audit`, which every service has in its own schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from shared.audit.line import Head, Line, Link, beginning
from shared.ids import TenantId
from shared.postgres.pool import Connection

_COLUMNS = """
    tenant, seq, at, request, person, role, method, route, names, ids, status, prev, hash
"""
# In the order of names, so that two batches never wait for each other.
_HOLD = """
    SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('/', 'audit', current_schema(), t), 0))
    FROM (SELECT unnest($1::text[]) AS t ORDER BY t) AS every
"""
_HEADS = """
    SELECT t.tenant, newest.seq, newest.hash FROM unnest($1::text[]) AS t (tenant)
    CROSS JOIN LATERAL (SELECT seq, hash FROM audit WHERE audit.tenant = t.tenant
                        ORDER BY seq DESC LIMIT 1) AS newest
"""
_APPEND = f"""
    INSERT INTO audit ({_COLUMNS})
    SELECT tenant, seq, at, request, person, role, method, route,
           string_to_array(names, '/'), string_to_array(ids, '/'), status, prev, hash
    FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[],
                $7::text[], $8::text[], $9::text[], $10::text[], $11::smallint[], $12::bytea[],
                $13::bytea[]) AS row ({_COLUMNS})
"""
_TENANTS = """
    WITH RECURSIVE each AS (
        (SELECT tenant FROM audit ORDER BY tenant LIMIT 1)
        UNION ALL
        SELECT (SELECT a.tenant FROM audit a WHERE a.tenant > each.tenant ORDER BY a.tenant LIMIT 1)
        FROM each WHERE each.tenant IS NOT NULL
    )
    SELECT tenant FROM each WHERE tenant IS NOT NULL
"""
_WALK = f"""
    SELECT {_COLUMNS} FROM audit WHERE tenant = $1 AND seq > $2
      AND ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at < $4)
    ORDER BY seq LIMIT $5
"""
_PAGE = f"""
    SELECT {_COLUMNS} FROM audit WHERE tenant = $1 AND seq < $2
      AND ($3::text IS NULL OR person = $3)
      AND ($4::text IS NULL OR ids[1] = $4 OR ids[2] = $4 OR ids[3] = $4)
      AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
    ORDER BY seq DESC LIMIT $7
"""
# The newest line stays: where a chain goes on from is never forgotten.
_UNTIL = """
    SELECT seq, hash FROM audit WHERE tenant = $1 AND at < $2
      AND seq < (SELECT max(seq) FROM audit WHERE tenant = $1)
      AND NOT EXISTS (SELECT FROM audit earlier WHERE earlier.tenant = $1 AND earlier.at >= $2
                      AND earlier.seq < audit.seq)
    ORDER BY seq DESC LIMIT 1
"""
_PRUNE = "DELETE FROM audit WHERE tenant = $1 AND seq <= $2"
NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines are wanted; None asks for any. `about` is one of a line's ids."""

    person: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Asked()


async def hold(conn: Connection, tenants: Iterable[TenantId]) -> None:
    """Until the transaction ends, nobody else adds to these chains."""
    await conn.execute(_HOLD, list(tenants))


async def heads(
    conn: Connection, service: str, tenants: Iterable[TenantId]
) -> dict[TenantId, Head]:
    """Where each chain is; one that is not there is at its beginning."""
    found = {tenant: beginning(service, tenant) for tenant in tenants}
    for row in await conn.fetch(_HEADS, list(found)):
        found[TenantId(row["tenant"])] = Head(row["seq"], row["hash"])
    return found


async def append(conn: Connection, links: Sequence[Link]) -> None:
    """Add lines to chains that the caller holds."""
    rows = [
        (
            each.line.tenant, each.seq, each.line.at, each.line.request, each.line.person,
            each.line.role, each.line.method, each.line.route,
            "/".join(name for name, _ in each.line.ids), "/".join(it for _, it in each.line.ids),
            each.line.status, each.prev, each.hash,
        )
        for each in links
    ]  # fmt: skip
    await conn.execute(_APPEND, *zip(*rows, strict=True))


async def tenants(conn: Connection) -> list[TenantId]:
    """Whoever has a chain, by name."""
    return [TenantId(row["tenant"]) for row in await conn.fetch(_TENANTS)]


async def walk(
    conn: Connection, tenant: TenantId, after: int, limit: int, asked: Asked = EVERYTHING
) -> list[Link]:
    """A chain's next lines, oldest first; of `asked`, the times count."""
    return [_link(row) for row in await conn.fetch(
        _WALK, tenant, after, asked.since, asked.until, limit
    )]  # fmt: skip


async def page(
    conn: Connection, tenant: TenantId, asked: Asked, before: int, limit: int
) -> list[Link]:
    """Lines before a place of the chain, newest first."""
    return [_link(row) for row in await conn.fetch(
        _PAGE, tenant, before, asked.person, asked.about, asked.since, asked.until, limit
    )]  # fmt: skip


async def last_before(conn: Connection, tenant: TenantId, before: datetime) -> Head | None:
    """The last line of those at a chain's beginning that are older; never the chain's newest."""
    row = await conn.fetchrow(_UNTIL, tenant, before)
    return Head(row["seq"], row["hash"]) if row else None


async def prune(conn: Connection, tenant: TenantId, until: Head) -> int:
    """Delete a chain's beginning. Refused by the table unless a line says that it was done."""
    said = await conn.execute(_PRUNE, tenant, until.seq)
    return int(said.rpartition(" ")[2])


def _link(row: Record) -> Link:
    line = Line(
        TenantId(row["tenant"]),
        row["at"],
        row["request"],
        row["person"],
        row["role"],
        row["method"],
        row["route"],
        tuple(zip(row["names"], row["ids"], strict=False)),
        row["status"],
    )
    return Link(line, row["seq"], row["prev"], row["hash"])
