"""Many judgements at once: the intervals of a whole batch in two vector calls. No rule of its own.

scipy's inverse and `domain.beta` agree to 1e-9, so a number does not tell which one made it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from scipy.special import betaincinv

from services.insights import models
from services.insights.domain import beta
from services.insights.domain.packing import unpack
from services.insights.domain.projections import draft, finish
from services.insights.domain.state import PairState, refold
from services.insights.queries import evidence
from services.insights.queries.pairs import PairRow
from shared.events.insights import TrustChanged
from shared.postgres.pool import Connection

# Pairs judged before others on the event loop have a turn: a batch of facts waits for Postgres ten
# times, and each time it would wait for all the pairs of a round, too.
TURN = 4


async def states_of(conn: Connection, pairs: Sequence[PairRow]) -> list[tuple[PairRow, PairState]]:
    """The state of each pair under its tenant's model, refolded where another one packed it."""
    forces = await models.in_force(conn, {pair.tenant for pair in pairs})
    found = [
        (pair, forces[pair.tenant], unpack(pair.state, forces[pair.tenant].model))
        for pair in pairs
        if pair.state
    ]
    stored = await evidence.of_pairs(conn, [pair.key for pair, _, state in found if state is None])
    known = []
    for pair, force, state in found:
        fresh = refold(stored[pair.key], force.model) if state is None else state
        fresh.generation = force.generation
        known.append((pair, fresh))
    return known


async def trust_changed(
    conn: Connection, pairs: Sequence[tuple[PairRow, PairState]]
) -> list[TrustChanged]:
    """What `projections.trust_changed` says of each pair. Each must have evidence."""
    drafts = [(pair.key, draft(pair.subject, state)) for pair, state in pairs]
    past = await evidence.of_pairs(conn, [key for key, drafted in drafts if drafted.needs_past])
    found = intervals([each for _, drafted in drafts for each in drafted.wanted])
    size = len(found) // max(1, len(drafts))
    facts = []
    for place, (key, drafted) in enumerate(drafts):
        facts.append(finish(drafted, found[place * size : (place + 1) * size], past.get(key, ())))
        if place % TURN == TURN - 1:
            await asyncio.sleep(0)
    return facts


def intervals(wanted: Sequence[beta.Parameters]) -> list[beta.Interval]:
    """The 90 % interval of each Beta. Many are the same (no evidence yet): each is found once."""
    if not wanted:
        return []
    distinct = {parameters: place for place, parameters in enumerate(dict.fromkeys(wanted))}
    alpha, beta_ = np.array(list(distinct)).T
    low = betaincinv(alpha, beta_, beta.LOW).tolist()
    high = betaincinv(alpha, beta_, beta.HIGH).tolist()
    return [(low[distinct[each]], high[distinct[each]]) for each in wanted]
