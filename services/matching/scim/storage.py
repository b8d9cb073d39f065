"""Users and groups in Postgres, each write with its facts in one transaction. Holds no SQL.

One storage is one caller's, for one request: it sees the tenant's rows and nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from scim2_models import (
    Group,
    NotFoundException,
    NotImplementedException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
    UniquenessException,
)
from scim2_server.conditions import opaque_tag
from scim2_server.storage import AsyncScimStorage, SearchPage

from services.matching.queries import scim
from services.matching.queries.scim import Row
from services.matching.queries.scim_filters import condition_of
from services.matching.scim.resources import (
    as_made,
    group_columns,
    resource_of,
    user_columns,
    wants_members,
)
from services.matching.scim.rules import ScimRules, own_person_id
from services.matching.scim.schemas import GROUP, USER
from services.matching.scim.telling import tell_all, tell_held
from shared.asking import Ask
from shared.ids import new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for

_TABLES = {"User": "scim_user", "Group": "scim_group"}
_TAKEN = {
    "scim_user_name": "userName is taken by another user",
    "scim_user_person": "externalId is taken by another user",
}


class PostgresStorage(AsyncScimStorage):
    """What one caller may see and change."""

    def __init__(self, pool: Pool, ask: Ask, rules: ScimRules) -> None:
        self._pool = pool
        self._ask = ask
        self._rules = rules
        self._conn: Connection | None = None

    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        """One transaction for what is read and what is written of it."""
        async with acting_for(self._pool, self._ask.tenant) as conn:
            self._conn = conn
            try:
                yield
            finally:
                self._conn = None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        if self._conn is not None:
            yield self._conn
            return
        async with acting_for(self._pool, self._ask.tenant) as conn:
            yield conn

    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """The resource; without response parameters it is about to change, and is held."""
        async with self._transaction() as conn:
            hold = response_parameters is None
            row = await scim.find(
                conn, self._ask.tenant, _table(resource_type), resource_id, hold=hold
            )
            if row is None:
                raise _not_found(resource_type)
            wanted = wants_members(resource_type, response_parameters)
            (found,) = await self._resources(conn, resource_type, [row], members=wanted)
            return found

    async def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002 - of cursors, which we do not have
    ) -> SearchPage:
        """One page, by id. Raises NotImplementedException for users and groups at once."""
        if len(resource_types) != 1:
            raise NotImplementedException(detail="search /Users or /Groups")
        (resource_type,) = resource_types
        condition = condition_of(search_request.filter)
        page = (search_request.start_index_0 or 0, search_request.count)
        async with self._transaction() as conn:
            table = _table(resource_type)
            total, rows = await scim.search(conn, self._ask.tenant, table, condition, page)
            wanted = wants_members(resource_type, search_request)
            found = await self._resources(conn, resource_type, rows, members=wanted)
        return SearchPage(total, found)

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Keep a new resource, and tell of the people it makes or changes."""
        id_, tenant, now = str(new_id()), self._ask.tenant, self._ask.now
        async with self._transaction() as conn:
            if resource_type.name == USER.name:
                person_id = own_person_id(self._rules, id_, resource.external_id)
                own = self._rules.person_id == "external_id"
                if own and await scim.is_erased(conn, tenant, person_id):
                    raise UniquenessException(detail="externalId: this person was erased")
                with _taken():
                    columns = user_columns(resource)
                    await scim.insert_user(conn, tenant, (id_, person_id), columns, now)
                await tell_held(conn, self._ask, [id_], self._rules)
            else:
                assert isinstance(resource, Group)
                await scim.insert_group(conn, tenant, id_, group_columns(resource), now)
                await self._save_members(conn, id_, {}, resource)
                return await self._stored(conn, resource_type, id_)
        return as_made(resource_type, resource, id_, now)

    async def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Keep the resource as it is now, and tell of the people that changed by it."""
        id_, tenant = str(resource.id), self._ask.tenant
        change = (self._ask.now, _revision(expected_version))
        async with self._transaction() as conn:
            before = await scim.find(conn, tenant, _table(resource_type), id_, hold=True)
            if before is None:
                raise _not_found(resource_type)
            if resource_type.name == USER.name:
                own_person_id(self._rules, id_, resource.external_id, before.person_id)
                with _taken():
                    columns = user_columns(resource)
                    after = await scim.update_user(conn, tenant, id_, columns, change)
            else:
                assert isinstance(resource, Group)
                groups = group_columns(resource)
                after = await scim.update_group(conn, tenant, id_, groups, change)
            if after is None:
                raise PreconditionFailedException
            if isinstance(resource, Group):
                renamed = before.data["displayName"] != resource.display_name
                held = (await scim.members(conn, tenant, [id_]))[id_]
                known = {each["value"]: each for each in held}
                await self._save_members(conn, id_, known, resource, renamed=renamed)
            else:
                await tell_held(conn, self._ask, [id_], self._rules)
            return await self._stored(conn, resource_type, id_)

    async def delete(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        """Forget the resource: a user has left, the members of a group have changed."""
        tenant, table = self._ask.tenant, _table(resource_type)
        async with self._transaction() as conn:
            row = await scim.find(conn, tenant, table, resource_id, hold=True)
            if row is None:
                raise _not_found(resource_type)
            if _revision(expected_version) not in (None, row.revision):
                raise PreconditionFailedException
            if resource_type.name == USER.name:
                await tell_held(conn, self._ask, [resource_id], self._rules, gone=True)
                await scim.leave_groups(conn, tenant, resource_id, self._ask.now)
                await scim.delete(conn, tenant, table, resource_id)
                return
            members = (await scim.members(conn, tenant, [resource_id]))[resource_id]
            await scim.delete(conn, tenant, table, resource_id)
            await tell_all(conn, self._ask, [each["value"] for each in members], self._rules)

    async def _save_members(
        self,
        conn: Connection,
        group_id: str,
        known: dict[str, Any],
        group: Group,
        *,
        renamed: bool = False,
    ) -> None:
        """The group's members become those of `group`; `known` were its members until now."""
        tenant = self._ask.tenant
        said = {
            each.value: each.model_dump(mode="json") for each in group.members or () if each.value
        }
        for each in said.values():
            each.pop("$ref", None)
        gone = [id_ for id_ in known if id_ not in said]
        new = {id_: each for id_, each in said.items() if known.get(id_) != each}
        if gone:
            await scim.remove_members(conn, tenant, group_id, gone)
        if new:
            await scim.add_members(conn, tenant, group_id, new)
        moved = [*gone, *(said if renamed else new)]
        await tell_all(conn, self._ask, moved, self._rules)

    async def _stored(self, conn: Connection, kind: ResourceType, id_: str) -> Resource[Any]:
        row = await scim.find(conn, self._ask.tenant, _table(kind), id_, hold=False)
        assert row is not None
        (stored,) = await self._resources(conn, kind, [row], members=True)
        return stored

    async def _resources(
        self, conn: Connection, kind: ResourceType, rows: list[Row], *, members: bool
    ) -> list[Resource[Any]]:
        found = {}
        if kind.name == GROUP.name and members and rows:
            ids = [row.id for row in rows]
            found = await scim.members(conn, self._ask.tenant, ids)
        return [resource_of(kind, row, found.get(row.id)) for row in rows]


def _table(kind: ResourceType) -> str:
    return _TABLES[str(kind.name)]


def _revision(version: str | None) -> int | None:
    """The revision an ETag of ours stands for; none that ever was for one of somebody else's."""
    if version is None:
        return None
    tag = opaque_tag(version)
    return int(tag) if tag.isdecimal() and len(tag) < 18 else 0


def _not_found(kind: ResourceType) -> NotFoundException:
    return NotFoundException(detail=f"there is no such {kind.name}")


@contextmanager
def _taken() -> Iterator[None]:
    """What is taken, in SCIM's words."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise UniquenessException(detail=_TAKEN[str(error.constraint_name)]) from error
