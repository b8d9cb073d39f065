"""What every handler of sessions begins and ends with. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.queries import history, pairs
from shared.asking import Ask
from shared.errors import Forbidden, NotFound
from shared.events.envelope import new_event
from shared.ids import PairId, new_id
from shared.postgres.pool import Connection

SERVICE = "sessions"


class NotAJudge(Forbidden):
    """This is for a manager who is of neither side."""

    slug = "not-a-judge"


async def lock_pair(conn: Connection, ask: Ask, pair_id: PairId) -> Pair:
    """The pair, held until the transaction ends: nothing else happens in it meanwhile.

    Raises NotFound when there is none or the person who asks is not in it, and NotAJudge.
    """
    return _member(await pairs.lock(conn, ask.tenant, pair_id), ask)


async def find_pair(conn: Connection, ask: Ask, pair_id: PairId) -> Pair:
    """The pair, to read. Raises NotFound when there is none, or when it is not theirs."""
    return _member(await pairs.find(conn, ask.tenant, pair_id), ask)


async def announce(conn: Connection, happened: Iterable[Happened]) -> None:
    """Publish facts with the transaction, in this order, and let the pair read what is theirs.

    The caller holds the pairs' rows, so the outbox positions of a pair are in commit order.
    """
    events = [
        new_event(each.fact, event_id=new_id(), tenant=each.tenant, service=SERVICE, now=each.at)
        for each in happened
    ]
    await history.append(conn, events)


def _member(pair: Pair | None, ask: Ask) -> Pair:
    if pair is None:
        raise NotFound
    if not ask.judging:
        if pair.member(ask.person).erased:
            raise NotFound
    elif ask.role != "manager" or ask.person in pair.members:
        raise NotAJudge
    return pair
