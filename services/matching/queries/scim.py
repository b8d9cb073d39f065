"""Statements on what HR's directory provisioned. Opens no transaction, holds no rule.

Conditions of searches come from `queries.scim_filters`, with their values apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.matching.queries.scim_filters import Condition
from services.matching.scim.person import Known, Role, Telling
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_ROW = "id, data, external_id, revision, created_at, changed_at"
_USER = f"{_ROW}, person_id"
_GROUP = f"{_ROW}, NULL AS person_id"
_COLUMNS = {"scim_user": _USER, "scim_group": _GROUP}

_INSERT_USER = """
    INSERT INTO scim_user (tenant, id, person_id, user_name_key, external_id, emails, manager,
                           data, created_at, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
"""
_UPDATE_USER = f"""
    UPDATE scim_user
    SET (user_name_key, external_id, emails, manager, data, changed_at, revision)
      = ($3, $4, $5, $6, $7, $8, revision + 1)
    WHERE tenant = $1 AND id = $2 AND revision = coalesce($9, revision)
    RETURNING {_USER}
"""
_INSERT_GROUP = """
    INSERT INTO scim_group (tenant, id, display_name, external_id, data, created_at, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6)
"""
_UPDATE_GROUP = f"""
    UPDATE scim_group
    SET (display_name, external_id, data, changed_at, revision) = ($3, $4, $5, $6, revision + 1)
    WHERE tenant = $1 AND id = $2 AND revision = coalesce($7, revision)
    RETURNING {_GROUP}
"""
_MEMBERS = """
    SELECT group_id, said FROM scim_member
    WHERE tenant = $1 AND group_id = ANY($2::text[]) ORDER BY group_id, position
"""
_ADD_MEMBERS = """
    INSERT INTO scim_member (tenant, group_id, member_id, said)
    SELECT $1, $2, said.id, said.said
    FROM unnest($3::text[], $4::jsonb[]) WITH ORDINALITY AS said (id, said, n) ORDER BY n
    ON CONFLICT (tenant, group_id, member_id) DO UPDATE SET said = excluded.said
"""
_REMOVE_MEMBERS = """
    DELETE FROM scim_member WHERE tenant = $1 AND group_id = $2 AND member_id = ANY($3::text[])
"""
_LEAVE_GROUPS = """
    WITH left_ AS (DELETE FROM scim_member WHERE tenant = $1 AND member_id = $2 RETURNING group_id)
    UPDATE scim_group SET (revision, changed_at) = (revision + 1, $3)
    WHERE tenant = $1 AND id IN (SELECT group_id FROM left_)
"""
_IS_ERASED = """
    SELECT EXISTS (SELECT FROM person WHERE tenant = $1 AND person_id = $2 AND erased)
"""
_LOCK_USERS = """
    SELECT id FROM scim_user WHERE tenant = $1 AND id = ANY($2::text[]) ORDER BY id FOR UPDATE
"""
_KNOWN = """
    SELECT scim_user.id, scim_user.person_id, scim_user.data, told, told_digest, told_email,
           told_at, external_id,
           (SELECT manager.person_id FROM scim_user AS manager
            WHERE manager.tenant = $1 AND manager.id = scim_user.manager
              AND manager.id <> scim_user.id) AS manager_id,
           ARRAY(SELECT scim_group.display_name
                 FROM scim_member JOIN scim_group
                   ON scim_group.tenant = $1 AND scim_group.id = scim_member.group_id
                 WHERE scim_member.tenant = $1 AND member_id = scim_user.id) AS groups
    FROM scim_user
    WHERE tenant = $1 AND id = ANY($2::text[]) ORDER BY id
"""
_TOLD = """
    UPDATE scim_user
    SET (told, told_digest, told_email, told_at)
      = (now_told.told, now_told.digest, now_told.email, now_told.at)
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
      AS now_told (id, told, digest, email, at)
    WHERE tenant = $1 AND scim_user.id = now_told.id
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as it is kept; `person_id` of users alone."""

    id: str
    data: dict[str, Any]
    external_id: str | None
    revision: int
    created_at: datetime
    changed_at: datetime
    person_id: str | None


@dataclass(frozen=True, slots=True)
class UserColumns:
    """What of a user is found again, beside the whole of what was sent."""

    user_name_key: str
    external_id: str | None
    emails: list[str]
    manager: str | None
    data: str


@dataclass(frozen=True, slots=True)
class GroupColumns:
    """What of a group is found again; its members are apart."""

    display_name: str
    external_id: str | None
    data: str


async def find(
    conn: Connection, tenant: TenantId, table: str, id_: str, *, hold: bool
) -> Row | None:
    """A resource by its id; with `hold`, nobody else changes it before the transaction ends."""
    statement = f"SELECT {_COLUMNS[table]} FROM {table} WHERE tenant = $1 AND id = $2"
    row = await conn.fetchrow(statement + (" FOR UPDATE" if hold else ""), tenant, id_)
    return _row(row) if row else None


async def search(
    conn: Connection,
    tenant: TenantId,
    table: str,
    condition: Condition,
    page: tuple[int, int | None],
) -> tuple[int, list[Row]]:
    """How many there are, and the page after `page[0]` of them, by id, at most `page[1]`."""
    where = f"FROM {table} WHERE tenant = $1 AND ({condition.sql})"
    total = await conn.fetchval(f"SELECT count(*) {where}", tenant, *condition.values)
    if total == 0 or page[1] == 0:
        return total, []
    at = len(condition.values) + 2
    paged = f"SELECT {_COLUMNS[table]} {where} ORDER BY id OFFSET ${at} LIMIT ${at + 1}"
    rows = await conn.fetch(paged, tenant, *condition.values, *page)
    return total, [_row(row) for row in rows]


async def is_erased(conn: Connection, tenant: TenantId, person_id: PersonId) -> bool:
    """Whether someone of this id was here, and is to be known no more."""
    return bool(await conn.fetchval(_IS_ERASED, tenant, person_id))


async def insert_user(
    conn: Connection,
    tenant: TenantId,
    ids: tuple[str, PersonId],
    user: UserColumns,
    now: datetime,
) -> None:
    """Keep a new user. Raises asyncpg.UniqueViolationError naming the index."""
    await conn.execute(
        _INSERT_USER, tenant, *ids, user.user_name_key, user.external_id, user.emails,
        user.manager, user.data, now,
    )  # fmt: skip


async def update_user(
    conn: Connection,
    tenant: TenantId,
    id_: str,
    user: UserColumns,
    change: tuple[datetime, int | None],
) -> Row | None:
    """Keep the user as they are now; None when `change` names a revision that is past."""
    row = await conn.fetchrow(
        _UPDATE_USER, tenant, id_, user.user_name_key, user.external_id, user.emails,
        user.manager, user.data, *change,
    )  # fmt: skip
    return _row(row) if row else None


async def insert_group(
    conn: Connection, tenant: TenantId, id_: str, group: GroupColumns, now: datetime
) -> None:
    await conn.execute(
        _INSERT_GROUP, tenant, id_, group.display_name, group.external_id, group.data, now
    )


async def update_group(
    conn: Connection,
    tenant: TenantId,
    id_: str,
    group: GroupColumns,
    change: tuple[datetime, int | None],
) -> Row | None:
    """Keep the group as it is now; None when `change` names a revision that is past."""
    row = await conn.fetchrow(
        _UPDATE_GROUP, tenant, id_, group.display_name, group.external_id, group.data, *change
    )
    return _row(row) if row else None


async def delete(conn: Connection, tenant: TenantId, table: str, id_: str) -> None:
    await conn.execute(f"DELETE FROM {table} WHERE tenant = $1 AND id = $2", tenant, id_)


async def members(
    conn: Connection, tenant: TenantId, groups: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """The members of each group, in the order they came."""
    found: dict[str, list[dict[str, Any]]] = {each: [] for each in groups}
    for row in await conn.fetch(_MEMBERS, tenant, groups):
        found[row["group_id"]].append(orjson.loads(row["said"]))
    return found


async def add_members(
    conn: Connection, tenant: TenantId, group: str, said: dict[str, dict[str, Any]]
) -> None:
    """Members by their ids, as they were sent; of one who is there, the newer word counts."""
    texts = [orjson.dumps(each).decode() for each in said.values()]
    await conn.execute(_ADD_MEMBERS, tenant, group, list(said), texts)


async def remove_members(
    conn: Connection, tenant: TenantId, group: str, ids: Sequence[str]
) -> None:
    await conn.execute(_REMOVE_MEMBERS, tenant, group, ids)


async def leave_groups(conn: Connection, tenant: TenantId, id_: str, now: datetime) -> None:
    """A user is a member no more; the groups have changed by that."""
    await conn.execute(_LEAVE_GROUPS, tenant, id_, now)


async def lock_users(conn: Connection, tenant: TenantId, ids: Sequence[str]) -> list[str]:
    """Those of the ids that are users, held until the transaction ends.

    A statement of its own: what others committed while it waited is seen by the next one only.
    """
    return [row["id"] for row in await conn.fetch(_LOCK_USERS, tenant, ids)]


async def known(
    conn: Connection, tenant: TenantId, ids: Sequence[str], roles: Mapping[str, Role]
) -> list[Known]:
    """Users as a fact would tell of them; `roles` by the names of groups, in lower case."""
    return [_known(row, roles) for row in await conn.fetch(_KNOWN, tenant, ids)]


async def save_told(conn: Connection, tenant: TenantId, told: Sequence[Telling]) -> None:
    """Remember what the log was told of each."""
    rows = [(each.id, each.told, each.digest, each.email, each.at) for each in told]
    await conn.execute(_TOLD, tenant, *map(list, zip(*rows, strict=True)))


def _row(row: Any) -> Row:
    return Row(
        id=row["id"],
        data=orjson.loads(row["data"]),
        external_id=row["external_id"],
        revision=row["revision"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        person_id=row["person_id"],
    )


def _known(row: Any, roles: Mapping[str, Role]) -> Known:
    of_groups = {role for name in row["groups"] if (role := roles.get(name.lower()))}
    return Known(
        id=row["id"],
        person_id=row["person_id"],
        data=orjson.loads(row["data"]),
        manager_id=row["manager_id"],
        group_roles=tuple(sorted(of_groups)),
        told=row["told"],
        digest=row["told_digest"],
        email=row["told_email"],
        told_at=row["told_at"],
    )
