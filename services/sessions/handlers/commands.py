"""How every command runs: one transaction in which the pair is held, retries are recognised, the
rule decides, and the thing, its facts and the key commit together. Holds no rule and no SQL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID

from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import AThing, Decision, replies
from services.sessions.handlers.common import announce, lock_pair
from shared import once
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PairId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for

Saved = TypeVar("Saved")


class Things(Protocol[Saved]):
    """Where things of one kind are kept: a module of queries."""

    async def find(self, conn: Connection, tenant: TenantId, id_: UUID, /) -> Saved | None: ...
    async def save(self, conn: Connection, things: Sequence[Saved], /) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """What a decision may look at: the open transaction, who asks, and the pair that is held."""

    conn: Connection
    ask: Ask
    pair: Pair


Request: TypeAlias = tuple[object, ...]
Creates: TypeAlias = Callable[[Work], Decision[AThing] | Awaitable[Decision[AThing]]]
Changes: TypeAlias = Callable[[Work, AThing], Decision[AThing] | Awaitable[Decision[AThing]]]


async def create(
    pool: Pool,
    ask: Ask,
    pair_id: PairId,
    things: Things[AThing],
    request: Request,
    decide: Creates[AThing],
) -> AThing:
    """Let `decide` make something in a pair. A retry with the same key gets what was made.

    `request` tells this request from another with the same key. Raises NotFound, KeyReused and
    whatever the rule raises.
    """
    async with acting_for(pool, ask.tenant) as conn:
        pair = await lock_pair(conn, ask, pair_id)
        fingerprint = once.fingerprint_of(pair_id, *request)
        if (made := await once.earlier(conn, ask, fingerprint)) is not None:
            return await find(conn, ask, things, UUID(made))
        decided = decide(Work(conn, ask, pair))
        thing, happened = await decided if isawaitable(decided) else decided
        await things.save(conn, [thing])
        await announce(conn, (*happened, *replies(pair, None, thing, ask.now)))
        await once.remember(conn, ask, fingerprint, str(thing.id))
        return thing


async def change(
    pool: Pool,
    ask: Ask,
    things: Things[AThing],
    thing_id: UUID,
    request: Request,
    decide: Changes[AThing],
) -> AThing:
    """Let `decide` change something of a pair; the thing as it is then.

    Raises NotFound, KeyReused, Moved (when `ask.if_match` is not its revision) and whatever the
    rule raises.
    """
    async with acting_for(pool, ask.tenant) as conn:
        pair_id = (await find(conn, ask, things, thing_id)).pair_id
        pair = await lock_pair(conn, ask, pair_id)
        # Read again: it may have changed while another request held the pair.
        thing = await find(conn, ask, things, thing_id)
        fingerprint = once.fingerprint_of(thing_id, *request)
        if await once.earlier(conn, ask, fingerprint) is not None:
            return thing
        ask.require_unmoved(thing)
        decided = decide(Work(conn, ask, pair), thing)
        changed, happened = await decided if isawaitable(decided) else decided
        if changed != thing:
            changed = replace(changed, revision=thing.revision + 1)  # type: ignore[type-var]
            await things.save(conn, [changed])
        await announce(conn, (*happened, *replies(pair, thing, changed, ask.now)))
        await once.remember(conn, ask, fingerprint, str(thing_id))
        return changed


async def find(conn: Connection, ask: Ask, things: Things[AThing], thing_id: UUID) -> AThing:
    """The thing. Raises NotFound; that it is of the one who asks is for the pair to say."""
    thing = await things.find(conn, ask.tenant, thing_id)
    if thing is None:
        raise NotFound
    return thing
