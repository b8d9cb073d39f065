"""Locks of insights that are not a row's. Each lasts until its transaction ends."""

from __future__ import annotations

from collections.abc import Iterable

from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

Person = tuple[TenantId, PersonId]

# A pair that appears while a leave of its member is being told must learn of it: who makes pairs
# holds its members' locks together with others, who tells of a leave holds the person's alone.
_PEOPLE = """
    SELECT pg_advisory_xact_lock{mode}(hashtextextended(tenant || '/' || person_id, 28))
    FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS asked (tenant, person_id)
          ORDER BY 1, 2) AS sorted
"""
_SHARE = _PEOPLE.format(mode="_shared")
_HOLD = _PEOPLE.format(mode="")
_ONLY_ONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('trustfold insights ' || $1, 0))"


async def share(conn: Connection, people: Iterable[Person]) -> None:
    """Let nobody tell of a leave of these people meanwhile."""
    await conn.execute(_SHARE, *_columns(people))


async def hold(conn: Connection, people: Iterable[Person]) -> None:
    """Let nobody make a pair of these people, or tell of their leaves, meanwhile."""
    await conn.execute(_HOLD, *_columns(people))


async def only_one(conn: Connection, work: str) -> bool:
    """Whether this transaction is the only one in the network that does `work` now."""
    return bool(await conn.fetchval(_ONLY_ONE, work))


def _columns(people: Iterable[Person]) -> tuple[list[str], list[str]]:
    listed = list(people)
    return [tenant for tenant, _ in listed], [person for _, person in listed]
