"""The demo's own proof: the whole log, folded in another order, equals what is served. Reads only.

Two halves. The log against what insights answers over HTTP, digit by digit as it is published (six
of them), and its stored state against a fold of its stored evidence, to the last bits of a float.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

import asyncpg

from services.insights.domain.projections import full
from services.insights.domain.replay import counts, fold_log
from services.insights.rebuild import refold_difference
from shared.events.envelope import Event
from shared.events.insights import DirectionTrust, TrustChanged
from shared.ids import TenantId
from shared.postgres.tenancy import SEES_ALL

# A pair that is missing, or one whose evidence was counted twice, is as wrong as can be.
UTTERLY = 1.0


@dataclass(frozen=True, slots=True)
class Refold:
    """How far the refolded log is from what is served, and over how much."""

    max_difference: float
    pairs: int
    numbers: int


def refold(events: Sequence[Event], live: Iterable[TrustChanged], seed: int) -> Refold:
    """Fold the log in a shuffled order, duplicates and all, and compare every number.

    `events` are all events of one tenant but those that insights has dead-lettered.
    """
    shuffled = list(events)
    Random(f"{seed}/refold").shuffle(shuffled)
    folded, counted = fold_log(shuffled), counts(shuffled)
    worst, numbers, served = 0.0, 0, list(live)
    if {trust.pair_id for trust in served} != set(folded):
        worst = UTTERLY
    for trust in served:
        again = folded.get(trust.pair_id)
        if again is None or counted[trust.pair_id] != trust.revision:
            worst = UTTERLY
            continue
        for said, folded_again in (
            (trust.about_mentor, again.about_mentor),
            (trust.about_mentee, again.about_mentee),
        ):
            told = DirectionTrust.model_validate(full(folded_again))
            if said.band != told.band:
                worst = UTTERLY
            one, other = _numbers(said), _numbers(told)
            numbers += len(one)
            worst = max(worst, *(abs(a - b) for a, b in zip(one, other, strict=True)))
    return Refold(worst, len(served), numbers)


async def stored_difference(dsn: str, tenant: TenantId, seed: int) -> float:
    """How far any stored state of insights is from the fold of its stored evidence."""
    conn = await asyncpg.connect(dsn, server_settings={"search_path": "insights", **SEES_ALL})
    try:
        return await refold_difference(conn, tenant, seed=seed)
    finally:
        await conn.close()


def _numbers(trust: DirectionTrust) -> list[float]:
    facets = [
        value
        for facet in trust.facets.values()
        for value in (facet.score, facet.r, facet.s, facet.low, facet.high)
    ]
    return [trust.score, trust.low, trust.high, *facets]
