"""Statements on rounds of ranking and people's private lists. Opens no transaction, holds no rule.

`ranks` is for a run of the programme, and nothing else reads a list that is not the reader's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.matching.domain.programme import Programme
from services.matching.domain.ranking import (
    UNLISTED,
    Listed,
    Ranking,
    Ranks,
    Round,
    Side,
    by_now,
    require_closed,
)
from shared.errors import NotFound
from shared.ids import PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = "ranking_id, programme_id, opened_at, until, state, revision"
_FIND = f"SELECT {_COLUMNS} FROM ranking_round WHERE tenant = $1 AND ranking_id = $2"
_SAVE = f"""
    INSERT INTO ranking_round (tenant, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant, ranking_id) DO UPDATE
    SET (until, state, revision) = (excluded.until, excluded.state, excluded.revision)
"""
_OF_PROGRAMME = f"""
    SELECT {_COLUMNS} FROM ranking_round WHERE tenant = $1 AND programme_id = $2
    ORDER BY ranking_id DESC LIMIT $3
"""
_LOCK_PREPARING = f"""
    SELECT tenant, {_COLUMNS} FROM ranking_round WHERE state = 'preparing'
    ORDER BY opened_at, ranking_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_PREPARING = _LOCK_PREPARING.removesuffix("FOR UPDATE SKIP LOCKED\n")
_SAVE_LISTS = """
    INSERT INTO ranking_list (tenant, ranking_id, person_id, side, told, revision)
    SELECT $1, $2, person_id, side, false, 1
    FROM unnest($3::text[], $4::text[]) AS list(person_id, side)
"""
_SAVE_LISTED = """
    INSERT INTO ranking (tenant, ranking_id, person_id, side, other_id, place, never, parts)
    SELECT $1, $2, person_id, side, other_id, place, false, parts::smallint[]
    FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[])
         AS listed(person_id, side, other_id, place, parts)
"""
_COUNTS = """
    SELECT count(DISTINCT person_id)::int AS people,
           count(DISTINCT person_id) FILTER (WHERE ranked_at IS NOT NULL)::int AS ranked
    FROM ranking_list WHERE tenant = $1 AND ranking_id = $2
"""
# A person's newest list, unless they name another; whoever is on both sides names theirs.
_MINE = """
    SELECT ranking_id, list.side FROM ranking_list AS list
    JOIN ranking_round AS round USING (tenant, ranking_id)
    WHERE tenant = $1 AND person_id = $2 AND ($3::uuid IS NULL OR ranking_id = $3)
      AND ($4::text IS NULL OR side = $4)
    ORDER BY ranking_id DESC, side LIMIT 1
"""
_LIST = """
    SELECT ranking_id, programme_id, person_id, side, until, ranked_at, list.revision
    FROM ranking_list AS list JOIN ranking_round AS round USING (tenant, ranking_id)
    WHERE tenant = $1 AND ranking_id = $2 AND person_id = $3 AND side = $4
"""
# Who has left, or was erased, is shown to nobody any more.
_LISTED = """
    SELECT other_id, parts, never FROM ranking
    JOIN person ON person.tenant = ranking.tenant AND person.person_id = other_id AND active
    WHERE ranking.tenant = $1 AND ranking_id = $2 AND ranking.person_id = $3 AND side = $4
    ORDER BY place, other_id
"""
_SAVE_LIST = """
    UPDATE ranking_list SET (ranked_at, revision) = ($5, $6)
    WHERE tenant = $1 AND ranking_id = $2 AND person_id = $3 AND side = $4
"""
_SAVE_PLACES = """
    UPDATE ranking SET (place, never) = (mine.place, mine.never)
    FROM unnest($5::text[], $6::bool[]) WITH ORDINALITY AS mine(other_id, never, place)
    WHERE tenant = $1 AND ranking_id = $2 AND person_id = $3 AND side = $4
      AND ranking.other_id = mine.other_id
"""
_LOCK_DUE = f"""
    SELECT tenant, {_COLUMNS} FROM ranking_round WHERE state = 'open' AND until <= $1
    ORDER BY until, ranking_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_TELL = """
    UPDATE ranking_list SET told = true WHERE (tenant, ranking_id, person_id, side) IN (
        SELECT tenant, ranking_id, person_id, side FROM ranking_list
        JOIN ranking_round USING (tenant, ranking_id)
        WHERE NOT told AND state = 'closed'
        ORDER BY until, ranking_id, person_id, side LIMIT $1
    ) RETURNING tenant, ranking_id, person_id, side, side = 'mentee' OR NOT EXISTS (
        SELECT FROM ranking_list AS other
        WHERE other.tenant = ranking_list.tenant AND other.ranking_id = ranking_list.ranking_id
          AND other.person_id = ranking_list.person_id AND other.side = 'mentee'
    ) AS first
"""
_RANKS = f"""
    WITH mentee AS (
        SELECT person_id AS mentee_id, other_id AS mentor_id, place, never FROM ranking
        WHERE tenant = $1 AND ranking_id = $2 AND side = 'mentee'
    ), mentor AS (
        SELECT person_id AS mentor_id, other_id AS mentee_id, place, never FROM ranking
        WHERE tenant = $1 AND ranking_id = $2 AND side = 'mentor'
    )
    SELECT mentor_id, mentee_id, coalesce(mentee.place, {UNLISTED}) AS mentees,
           coalesce(mentor.place, {UNLISTED}) AS mentors,
           coalesce(mentee.never, false) OR coalesce(mentor.never, false) AS never
    FROM mentee FULL JOIN mentor USING (mentor_id, mentee_id)
"""


class ListId(NamedTuple):
    """A person's list on one side of a round."""

    ranking_id: UUID
    person_id: PersonId
    side: Side


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people have a list in a round, and how many of them have ranked."""

    people: int
    ranked: int


class Rounds:
    """Where rounds are kept."""

    @staticmethod
    async def find(conn: Connection, tenant: TenantId, ranking_id: UUID) -> Round | None:
        row = await conn.fetchrow(_FIND, tenant, ranking_id)
        return _round(row) if row else None

    @staticmethod
    async def lock(conn: Connection, tenant: TenantId, ranking_id: UUID) -> Round | None:
        """The round, which nobody else changes until the transaction ends."""
        row = await conn.fetchrow(f"{_FIND} FOR UPDATE", tenant, ranking_id)
        return _round(row) if row else None

    @staticmethod
    async def save(conn: Connection, tenant: TenantId, it: Round) -> None:
        await conn.execute(
            _SAVE,
            tenant,
            it.ranking_id,
            it.programme_id,
            it.opened_at,
            it.until,
            it.state,
            it.revision,
        )


class Lists:
    """Where people's lists are kept. Each is read by the person it is of, and changed by them."""

    @staticmethod
    async def find(conn: Connection, tenant: TenantId, id_: ListId) -> Ranking | None:
        return await _list(conn, tenant, id_, _LIST)

    @staticmethod
    async def lock(conn: Connection, tenant: TenantId, id_: ListId) -> Ranking | None:
        """The list, which nobody else changes until the transaction ends."""
        return await _list(conn, tenant, id_, f"{_LIST} FOR UPDATE OF list FOR SHARE OF round")

    @staticmethod
    async def save(conn: Connection, tenant: TenantId, it: Ranking) -> None:
        key = (tenant, it.ranking_id, it.person_id, it.side)
        await conn.execute(_SAVE_LIST, *key, it.ranked_at, it.revision)
        people = [each.person_id for each in it.people]
        await conn.execute(_SAVE_PLACES, *key, people, [each.never for each in it.people])


async def of_programme(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId, limit: int
) -> list[Round]:
    """A programme's rounds, newest first."""
    rows = await conn.fetch(_OF_PROGRAMME, tenant, programme_id, limit)
    return [_round(row) for row in rows]


async def counts(conn: Connection, tenant: TenantId, ranking_id: UUID) -> Counts:
    row = await conn.fetchrow(_COUNTS, tenant, ranking_id)
    assert row is not None
    return Counts(row["people"], row["ranked"])


async def mine(
    conn: Connection,
    tenant: TenantId,
    person_id: PersonId,
    ranking_id: UUID | None,
    side: Side | None,
) -> ListId | None:
    """Which list a person means: their newest, where they name none."""
    row = await conn.fetchrow(_MINE, tenant, person_id, ranking_id, side)
    return ListId(row["ranking_id"], person_id, row["side"]) if row else None


async def preparing(conn: Connection, *, held: bool) -> tuple[TenantId, Round] | None:
    """A round of any tenant whose lists are still to be made; `held` keeps others from it."""
    row = await conn.fetchrow(_LOCK_PREPARING if held else _PREPARING)
    return (row["tenant"], _round(row)) if row else None


async def save_lists(
    conn: Connection,
    tenant: TenantId,
    ranking_id: UUID,
    lists: Sequence[tuple[PersonId, Side, Sequence[Listed]]],
) -> None:
    """Keep new lists, each in its order."""
    owners, sides = [each[0] for each in lists], [each[1] for each in lists]
    await conn.execute(_SAVE_LISTS, tenant, ranking_id, owners, sides)
    rows = [
        (owner, side, one.person_id, place, "{" + ",".join(map(str, one.parts)) + "}")
        for owner, side, people in lists
        for place, one in enumerate(people, 1)
    ]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await conn.execute(_SAVE_LISTED, tenant, ranking_id, *columns)


async def lock_due(conn: Connection, now: datetime, limit: int) -> list[tuple[TenantId, Round]]:
    """At most `limit` rounds of all tenants whose time is over by `now`."""
    return [(row["tenant"], _round(row)) for row in await conn.fetch(_LOCK_DUE, now, limit)]


async def tell(conn: Connection, limit: int) -> tuple[list[tuple[TenantId, ListId]], int]:
    """Mark at most `limit` lists of closed rounds as told; one list of each person, and how many.

    Whoever has a list on both sides is told once.
    """
    rows = await conn.fetch(_TELL, limit)
    told = [
        (row["tenant"], ListId(row["ranking_id"], row["person_id"], row["side"]))
        for row in rows
        if row["first"]
    ]
    return sorted(told), len(rows)


async def ranks(
    conn: Connection, tenant: TenantId, ranking_id: UUID, programme: Programme, now: datetime
) -> Ranks:
    """For a run: by (mentor, mentee) the mentee's rank and the mentor's, from 1; None for never.

    Whoever is not on the other's list has UNLISTED there. Who did not rank has the order of fit.
    Raises NotFound for no round of this programme, and RankingOpen while people may still rank.
    """
    found = await Rounds.find(conn, tenant, ranking_id)
    if found is None or found.programme_id != programme.programme_id:
        raise NotFound("there is no such ranking in this programme")
    require_closed(by_now(found, now), now)
    return {
        (row["mentor_id"], row["mentee_id"]): (
            None if row["never"] else (row["mentees"], row["mentors"])
        )
        for row in await conn.fetch(_RANKS, tenant, ranking_id)
    }


async def _list(conn: Connection, tenant: TenantId, id_: ListId, statement: str) -> Ranking | None:
    row = await conn.fetchrow(statement, tenant, *id_)
    if row is None:
        return None
    listed = await conn.fetch(_LISTED, tenant, *id_)
    people = tuple(Listed(one["other_id"], tuple(one["parts"]), one["never"]) for one in listed)
    return Ranking(**dict(row), people=people)


def _round(row: Any) -> Round:
    return Round(**{name: value for name, value in row.items() if name != "tenant"})
