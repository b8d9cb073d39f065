"""What the two may read of their agreement: in force, waiting, and what was. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.sessions.domain.agreement import (
    Actions,
    Agreement,
    Newest,
    State,
    possible,
    state_of,
)
from services.sessions.domain.pair import Pair
from services.sessions.domain.terms import Changed, changes
from services.sessions.handlers.common import find_pair
from services.sessions.queries import agreements
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PairId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for


@dataclass(frozen=True, slots=True)
class Version:
    """A version as a member sees it: what it is by now, what they may do about it, and how it
    differs from version `since` (None when there was none before it).
    """

    agreement: Agreement
    state: State
    allowed: Actions
    since: int | None
    changed: Sequence[Changed]


@dataclass(frozen=True, slots=True)
class Now:
    """What is in force, and the version that waits for a signature."""

    in_force: Version | None
    proposed: Version | None


async def view_now(pool: Pool, ask: Ask, pair_id: PairId) -> Now:
    """The agreement as it stands. Raises NotFound for a stranger.

    What is proposed is compared with what is in force, or, while nothing is, with the version
    before it: a counter-proposal with the proposal.
    """
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        standing = await agreements.standing(conn, pair)
        in_force = await agreements.in_force(conn, pair)
        newest = await agreements.newest(conn, pair)
        proposed = None
        if newest and newest.waits:
            before = in_force or await agreements.version(conn, pair, newest.version - 1)
            proposed = _version(pair, ask, newest, standing, before)
        was = await _before(conn, pair, in_force) if in_force else None
        return Now(
            in_force=_version(pair, ask, in_force, standing, was) if in_force else None,
            proposed=proposed,
        )


async def view_version(pool: Pool, ask: Ask, pair_id: PairId, number: int) -> Version:
    """One version, compared with the one before it. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        found = await agreements.version(conn, pair, number)
        if found is None:
            raise NotFound("there is no such version of the agreement")
        standing = await agreements.standing(conn, pair)
        return _version(pair, ask, found, standing, await _before(conn, pair, found))


async def view_versions(
    pool: Pool, ask: Ask, pair_id: PairId, before: int | None, limit: int
) -> Sequence[Version]:
    """Every version, the newest first, each compared with the one before it. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        standing = await agreements.standing(conn, pair)
        # One more than is shown: what the last of them is compared with.
        found = await agreements.page(conn, pair, before, limit + 1)
        older = [*found, None][1:]
        return [
            _version(pair, ask, each, standing, was)
            for each, was in list(zip(found, older, strict=True))[:limit]
        ]


async def _before(conn: Connection, pair: Pair, agreement: Agreement) -> Agreement | None:
    return await agreements.version(conn, pair, agreement.version - 1)


def _version(
    pair: Pair, ask: Ask, agreement: Agreement, standing: Newest, before: Agreement | None
) -> Version:
    return Version(
        agreement,
        state_of(agreement, standing),
        possible(pair, agreement, ask.person, standing),
        before.version if before else None,
        changes(before.terms if before else None, agreement.terms),
    )
