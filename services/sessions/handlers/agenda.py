"""The agenda of the next session: reading it, putting on, taking off. Holds no rule and no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.sessions.domain import agenda as rules_of
from services.sessions.domain.agenda import Item, Known, Suggestion, Waits
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_OPEN_COMMITMENTS
from services.sessions.domain.session import Session
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, create, find
from services.sessions.handlers.common import find_pair, lock_pair
from services.sessions.handlers.waiting import waiting_for
from services.sessions.queries import (
    agenda,
    agreements,
    commitments,
    goals,
    pairs,
    repairs,
    sessions,
    sweeps,
)
from shared.asking import Ask
from shared.ids import PairId, new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for

MAX_OPEN = 100


@dataclass(frozen=True, slots=True)
class AgendaView:
    """What the next session could be about, as one of the two sees it."""

    pair: Pair
    session: Session | None
    items: Sequence[Item]
    suggestions: Sequence[Suggestion]


async def view(pool: Pool, ask: Ask, pair_id: PairId) -> AgendaView:
    """The agenda at one instant. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        known = await _known(conn, ask, pair)
        suggestions = rules_of.suggest(pair, ask.person, known, ask.now)
        return AgendaView(pair, known.session, await agenda.of_pair(conn, pair), suggestions)


async def put_on(pool: Pool, ask: Ask, pair_id: PairId, text: str) -> Item:
    """Put something on the pair's agenda."""

    async def decide(work: Work) -> Decision[Item]:
        already = await agenda.count(work.conn, work.pair)
        return rules_of.put_on(work.pair, new_id(), ask.person, text, ask.now, already)

    return await create(pool, ask, pair_id, agenda, ("agenda", text), decide)


async def take_off(pool: Pool, ask: Ask, item_id: UUID) -> None:
    """Take something off, as either side. Raises NotFound."""
    async with acting_for(pool, ask.tenant) as conn:
        await lock_pair(conn, ask, (await find(conn, ask, agenda, item_id)).pair_id)
        # Read again: the other side may have taken it off while the pair was held.
        await agenda.delete(conn, await find(conn, ask, agenda, item_id))


async def _known(conn: Connection, ask: Ask, pair: Pair) -> Known:
    waiting = await waiting_for(conn, pair, ask.person)
    return Known(
        session=await sessions.upcoming(conn, pair, ask.now),
        in_force=await agreements.in_force(conn, pair),
        newest=await agreements.newest(conn, pair),
        commitments=await commitments.open_of(conn, pair, 2 * MAX_OPEN_COMMITMENTS),
        waiting=[Waits(each.what, each.id, each.until) for each in waiting],
        repairs=await sweeps.open_of(conn, repairs.SWEPT, pair, MAX_OPEN),
        goals=await sweeps.open_of(conn, goals.SWEPT, pair, MAX_OPEN),
        trust=await pairs.trust(conn, ask.tenant, pair.pair_id),
    )
