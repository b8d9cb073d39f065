"""Does the stored state equal a fold of the stored evidence? Reads, compares, changes nothing."""

from __future__ import annotations

import random

from services.insights import bulk, queries
from services.insights.domain.evidence import Evidence
from services.insights.domain.model import SIDES
from services.insights.domain.opinion import facet_opinions
from services.insights.domain.state import PairState
from services.insights.domain.weights import Tally, tally, weigh
from services.insights.handlers import MODEL
from shared.ids import TenantId
from shared.postgres.pool import Connection

PAGE = 200
# A count, a date or a half-life that differs is as wrong as a score can be.
_UTTERLY = 1.0


async def refold_difference(conn: Connection, tenant: TenantId, *, seed: int = 1) -> float:
    """The largest absolute difference in any facet score of any pair of a tenant.

    The evidence is folded in a shuffled order with a third of it twice; `seed` chooses which.
    """
    chance = random.Random(seed)
    worst = 0.0
    page = await queries.pairs_page(conn, tenant, None, PAGE)
    while page:
        stored = await queries.evidence_of(conn, [pair.key for pair in page])
        for pair, state in await bulk.states_of(conn, page, MODEL):
            evidence = stored[pair.key]
            shuffled = evidence + chance.sample(evidence, len(evidence) // 3)
            chance.shuffle(shuffled)
            worst = max(worst, difference(state, shuffled))
        page = await queries.pairs_page(conn, tenant, page[-1].subject.pair_id, PAGE)
    return worst


def difference(state: PairState, evidence: list[Evidence]) -> float:
    """How far a state is from the fold of all the pair's evidence; 0.0 to 1.0."""
    at_us = max(item.at_us for item in evidence)
    if (state.newest(), state.count) != (at_us, len({item.event_id for item in evidence})):
        return _UTTERLY
    model = state.model
    folded, kept = tally(weigh(evidence, model, at_us), model, at_us), state.tally(at_us)
    if folded.half_life_days != kept.half_life_days:
        return _UTTERLY
    pairs = zip(_scores(folded, state), _scores(kept, state), strict=True)
    return max(abs(one - other) for one, other in pairs)


def _scores(counted: Tally, state: PairState) -> list[float]:
    return [
        alpha / (alpha + beta)
        for side in range(len(SIDES))
        for alpha, beta in facet_opinions(counted, state.model, side)
    ]
