"""What a repair gives back: a part of what the miss it repairs had cost. Pure.

A promise alone gives a quarter back until it is broken, a delivery half; together never more than
three quarters, and no more than two misses of a direction in any ninety days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.insights.domain.evidence import DAY_US, Evidence, Kind
from services.insights.domain.model import Model

REPAIR = frozenset((Kind.REPAIR_PROMISED, Kind.REPAIR_BROKEN, Kind.REPAIR_DELIVERED))

# Whose miss of what: the side, and the commitment or session.
Miss = tuple[int, int]


def refunds_of(counted: Sequence[Evidence], model: Model) -> dict[Miss, dict[int, float]]:
    """Of each repaired miss, the share of its weight that each kind of repair gives back.

    `counted` is in time order. What a kind gives back is 0 where another already reached the most.
    """
    done: dict[Miss, set[int]] = {}
    first: dict[Miss, int] = {}
    for item in counted:
        if item.kind in REPAIR:
            miss = (item.about, item.ref)
            done.setdefault(miss, set()).add(item.kind)
            first.setdefault(miss, item.at_us)
    if not done:
        return {}
    missed = {
        (side, item.ref)
        for item in counted
        if item.kind in model.refundable
        for side in (1, 2)
        if side & item.about
    }
    found = {}
    for miss in _admitted([miss for miss in first if miss in missed], first, model):
        shares = _shares(done[miss], model)
        if shares:
            found[miss] = shares
    return found


def _admitted(misses: Iterable[Miss], first: dict[Miss, int], model: Model) -> list[Miss]:
    """The first so many repairs of a side in any window of time, by when each began."""
    window_us = model.repair_window_days * DAY_US
    admitted: list[Miss] = []
    for miss in sorted(misses, key=lambda miss: (first[miss], miss)):
        lately = [
            other
            for other in admitted
            if other[0] == miss[0] and first[miss] - first[other] < window_us
        ]
        if len(lately) < model.repairs_per_window:
            admitted.append(miss)
    return admitted


def _shares(done: set[int], model: Model) -> dict[int, float]:
    shares = {}
    if Kind.REPAIR_DELIVERED in done:
        shares[int(Kind.REPAIR_DELIVERED)] = model.repair_delivered
    if Kind.REPAIR_PROMISED in done and Kind.REPAIR_BROKEN not in done:
        left = model.repair_most - sum(shares.values())
        shares[int(Kind.REPAIR_PROMISED)] = min(model.repair_promised, left)
    return shares
