"""Many judgements at once: the intervals of a whole batch in two vector calls. No rule of its own.

scipy's inverse and `domain.beta` agree to 1e-9, so a number does not tell which one made it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import betaincinv

from services.insights import queries
from services.insights.domain import beta
from services.insights.domain.model import Model
from services.insights.domain.projections import draft, finish
from services.insights.domain.state import PairState, refold, unpack
from services.insights.queries import PairRow
from shared.events.insights import TrustChanged
from shared.postgres.pool import Connection


async def states_of(
    conn: Connection, pairs: Sequence[PairRow], model: Model
) -> list[tuple[PairRow, PairState]]:
    """The state of each pair under `model`, refolded where another release or model packed it."""
    found = [(pair, unpack(pair.state, model) if pair.state else None) for pair in pairs]
    stored = await queries.evidence_of(conn, [pair.key for pair, state in found if state is None])
    return [
        (pair, refold(stored[pair.key], model) if state is None else state) for pair, state in found
    ]


async def trust_changed(
    conn: Connection, pairs: Sequence[tuple[PairRow, PairState]]
) -> list[TrustChanged]:
    """What `projections.trust_changed` says of each pair. Each must have evidence."""
    drafts = [(pair.key, draft(pair.subject, state)) for pair, state in pairs]
    past = await queries.evidence_of(conn, [key for key, drafted in drafts if drafted.needs_past])
    found = intervals([each for _, drafted in drafts for each in drafted.wanted])
    size = len(found) // max(1, len(drafts))
    return [
        finish(drafted, found[place * size : (place + 1) * size], past.get(key, ()))
        for place, (key, drafted) in enumerate(drafts)
    ]


def intervals(wanted: Sequence[beta.Parameters]) -> list[beta.Interval]:
    """The 90 % interval of each Beta. Many are the same (no evidence yet): each is found once."""
    if not wanted:
        return []
    distinct = {parameters: place for place, parameters in enumerate(dict.fromkeys(wanted))}
    alpha, beta_ = np.array(list(distinct)).T
    low = betaincinv(alpha, beta_, beta.LOW).tolist()
    high = betaincinv(alpha, beta_, beta.HIGH).tolist()
    return [(low[distinct[each]], high[distinct[each]]) for each in wanted]
