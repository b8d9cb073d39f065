"""From a whole log to the trust of every pair in it, by the plain fold. Pure.

The independent check of everything that is incremental: read the log, fold, compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from services.insights.domain.evidence import Evidence, observe
from services.insights.domain.model import V1, Model
from services.insights.domain.trust import PairTrust, fold
from shared.events.envelope import Event
from shared.events.fact import PairFact
from shared.ids import PairId


def fold_log(events: Iterable[Event], model: Model = V1) -> dict[PairId, PairTrust]:
    """The trust of each pair of ONE tenant as of its newest evidence; pairs without are left out.

    Any order, duplicates included. Raises PoisonMessage as `observe` does.
    """
    by_pair: defaultdict[PairId, list[Evidence]] = defaultdict(list)
    for event in events:
        item = observe(event)
        if item is not None:
            assert isinstance(event.fact, PairFact)
            by_pair[event.fact.pair_id].append(item)
    return {
        pair_id: fold(evidence, model, max(item.at_us for item in evidence))
        for pair_id, evidence in by_pair.items()
    }
