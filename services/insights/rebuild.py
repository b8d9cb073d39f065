"""Does the stored state equal a fold of the stored evidence? Reads, compares, changes nothing."""

from __future__ import annotations

import random

from services.insights import bulk
from services.insights.domain.evidence import Evidence
from services.insights.domain.model import SIDES
from services.insights.domain.opinion import facet_opinions
from services.insights.domain.state import PairState
from services.insights.domain.weights import Tally, tally, weigh
from services.insights.queries import evidence, pairs
from shared.ids import TenantId
from shared.postgres.pool import Connection

PAGE = 200
# A count, a date or a half-life that differs is as wrong as a score can be.
UTTERLY = 1.0


async def refold_difference(conn: Connection, tenant: TenantId, *, seed: int = 1) -> float:
    """The largest absolute difference in any facet score of any pair of a tenant.

    The evidence is folded in a shuffled order with a third of it twice; `seed` chooses which.
    """
    chance = random.Random(seed)
    worst = 0.0
    page = await pairs.pairs_page(conn, tenant, None, PAGE)
    while page:
        stored = await evidence.of_pairs(conn, [pair.key for pair in page])
        for pair, state in await bulk.states_of(conn, page):
            known = stored[pair.key]
            shuffled = known + chance.sample(known, len(known) // 3)
            chance.shuffle(shuffled)
            worst = max(worst, difference(state, shuffled))
        page = await pairs.pairs_page(conn, tenant, page[-1].subject.pair_id, PAGE)
    return worst


def difference(state: PairState, evidence: list[Evidence]) -> float:
    """How far a state is from the fold of all the pair's evidence; 0.0 to 1.0."""
    at_us = max(item.at_us for item in evidence)
    if (state.newest(), state.count) != (at_us, len({item.event_id for item in evidence})):
        return UTTERLY
    model = state.model
    folded, kept = tally(weigh(evidence, model, at_us), model, at_us), state.tally(at_us)
    if folded.half_life_days != kept.half_life_days:
        return UTTERLY
    pairs = zip(_scores(folded, state), _scores(kept, state), strict=True)
    return max(abs(one - other) for one, other in pairs)


def apart(one: PairState, other: PairState) -> float:
    """How far two states of the same evidence are from each other; 0.0 to 1.0."""
    at_us = one.newest()
    if at_us is None or (at_us, one.count) != (other.newest(), other.count):
        return UTTERLY
    counted, again = one.tally(at_us), other.tally(at_us)
    if counted.half_life_days != again.half_life_days:
        return UTTERLY
    pairs = zip(_scores(counted, one), _scores(again, other), strict=True)
    return max(abs(a - b) for a, b in pairs)


def _scores(counted: Tally, state: PairState) -> list[float]:
    return [
        alpha / (alpha + beta)
        for side in range(len(SIDES))
        for alpha, beta in facet_opinions(counted, state.model, side)
    ]
