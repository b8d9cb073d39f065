"""What the streams say of a pair to people: to its managers, and to the pair itself. Reads nothing.

It is the same, to the last byte, until what they may know is different or a batch of answers has
matured: no instant of asking is in it, and no revision.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from services.insights.domain.answers import matured
from services.insights.domain.evidence import DAY_US, Evidence, to_us
from services.insights.domain.model import Model
from services.insights.queries.pairs import PairRow
from services.insights.views.asked import Asked
from services.insights.views.managed import ForManager, managed_trust


def managed_view(
    pair: PairRow, evidence: Sequence[Evidence], model: Model, day: datetime
) -> ForManager | None:
    """A pair for its managers, as of the newest they may know, with answers matured by `day`.

    None while there is nothing that they may know.
    """
    ordered = sorted(evidence, key=lambda item: (item.at_us, item.event_id))
    day_us = to_us(day)
    closed = matured(ordered, model, day_us)
    seen = [it for it in ordered if it.kind not in model.answers or it.event_id in closed]
    if not seen:
        return None
    return managed_trust(Asked(pair, seen, _as_of(seen, model, day_us), model))


def _as_of(seen: Sequence[Evidence], model: Model, day_us: int) -> int:
    """The newest observed evidence, or the day by which the batches that count were closed."""
    observed = [item.at_us for item in seen if item.kind not in model.answers]
    answers = [item.at_us for item in seen if item.kind in model.answers]
    waited_us = model.batch_wait_days * DAY_US
    closed = [min(day_us, max(answers) + waited_us)] if answers else []
    return max(observed + closed)


def told_to_pair(published: bytes) -> bytes | None:
    """The partner-safe part of a published trust; None while there is nothing they may know."""
    trust = json.loads(published)
    safe = trust["partner_safe"]
    if safe["as_of"] is None:
        return None
    return json.dumps({"pair_id": trust["pair_id"], **safe}, separators=(",", ":")).encode()
