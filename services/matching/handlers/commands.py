"""How every command runs: one transaction in which the thing is held, retries are recognised, the
rule decides, and the thing, its facts and the key commit together. Holds no rule and no SQL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from services.matching.domain.decision import Decision
from services.matching.handlers.common import announce
from shared import once
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for


class Revised(Protocol):
    """A frozen dataclass that counts its changes, from 1."""

    @property
    def revision(self) -> int: ...


Kept = TypeVar("Kept", bound=Revised)
Id = TypeVar("Id")
Id_contra = TypeVar("Id_contra", contravariant=True)


class Things(Protocol[Kept, Id_contra]):
    """Where things of one kind are kept: a module of queries."""

    async def find(self, conn: Connection, tenant: TenantId, id_: Id_contra, /) -> Kept | None: ...
    async def lock(self, conn: Connection, tenant: TenantId, id_: Id_contra, /) -> Kept | None: ...
    async def save(self, conn: Connection, tenant: TenantId, thing: Kept, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """What a decision may look at: the open transaction, and who asks."""

    conn: Connection
    ask: Ask


@dataclass(frozen=True, slots=True)
class Kind(Generic[Kept, Id]):
    """Things of one kind: where they are kept, and how their ids are written and read."""

    things: Things[Kept, Id]
    id_of: Callable[[Kept], Id]
    read: Callable[[str], Id]


Request: TypeAlias = tuple[object, ...]
Creates: TypeAlias = Callable[[Work], Decision[Kept] | Awaitable[Decision[Kept]]]
Changes: TypeAlias = Callable[[Work, Kept], Decision[Kept] | Awaitable[Decision[Kept]]]


async def create(
    pool: Pool, ask: Ask, kind: Kind[Kept, Id], request: Request, decide: Creates[Kept]
) -> Kept:
    """Let `decide` make something. A retry with the same key gets what was made.

    `request` tells this request from another with the same key. Raises KeyReused and whatever the
    rule raises.
    """
    async with acting_for(pool, ask.tenant) as conn:
        fingerprint = once.fingerprint_of(*request)
        # Nothing is there yet that could be held: two retries at once wait for each other here.
        await once.hold(conn, ask)
        if (made := await once.earlier(conn, ask, fingerprint)) is not None:
            return _found(await kind.things.find(conn, ask.tenant, kind.read(made)))
        decided = decide(Work(conn, ask))
        decision = await decided if isawaitable(decided) else decided
        await kind.things.save(conn, ask.tenant, decision.thing)
        await announce(conn, ask.tenant, decision.facts, ask.now)
        await once.remember(conn, ask, fingerprint, str(kind.id_of(decision.thing)))
        return decision.thing


async def change(
    pool: Pool,
    ask: Ask,
    things: Things[Kept, Id],
    id_: Id,
    request: Request,
    decide: Changes[Kept],
) -> Kept:
    """Let `decide` change a thing; the thing as it is then.

    Raises NotFound, KeyReused, Moved (when `ask.if_match` is not its revision) and whatever the
    rule raises.
    """
    async with acting_for(pool, ask.tenant) as conn:
        thing = _found(await things.lock(conn, ask.tenant, id_))
        fingerprint = once.fingerprint_of(id_, *request)
        if await once.earlier(conn, ask, fingerprint) is not None:
            return thing
        ask.require_unmoved(thing)
        decided = decide(Work(conn, ask), thing)
        decision = await decided if isawaitable(decided) else decided
        changed = decision.thing
        if changed != thing:
            changed = replace(changed, revision=thing.revision + 1)  # type: ignore[type-var]
            await things.save(conn, ask.tenant, changed)
        await announce(conn, ask.tenant, decision.facts, ask.now)
        await once.remember(conn, ask, fingerprint, str(id_))
        return changed


def uuid_kind(things: Things[Kept, UUID], id_of: Callable[[Kept], UUID]) -> Kind[Kept, UUID]:
    """Things that are known by a UUID."""
    return Kind(things, id_of, UUID)


def _found(thing: Kept | None) -> Kept:
    if thing is None:
        raise NotFound
    return thing
