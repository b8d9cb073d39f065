"""Which private answers somebody else may learn of, and from when on. Pure.

The other side: an answer that its giver shares, or that both gave about one session within the
reveal window, each before seeing the other's (double-blind). A programme manager: answers in
batches, each closed only when it holds enough of them and its first is old enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from services.insights.domain.evidence import DAY_US, Evidence
from services.insights.domain.model import Model

SHARED = 1


def revealed(counted: Iterable[Evidence], model: Model) -> dict[UUID, int]:
    """The answers among `counted` that the other side may know, and from which instant on."""
    found: dict[UUID, int] = {}
    by_session: defaultdict[int, list[Evidence]] = defaultdict(list)
    for item in counted:
        if item.kind in model.answers:
            if item.detail == SHARED:
                found[item.event_id] = item.at_us
            if item.ref:
                by_session[item.ref].append(item)
    window_us = model.reveal_within_days * DAY_US
    for answers in by_session.values():
        for item in answers:
            met = [
                max(item.at_us, other.at_us)
                for other in answers
                if other.about != item.about and abs(other.at_us - item.at_us) <= window_us
            ]
            if met and item.event_id not in found:
                found[item.event_id] = min(met)
    return found


def matured(counted: Iterable[Evidence], model: Model, at_us: int) -> dict[UUID, int]:
    """The answers that may have moved a manager's view by `at_us`, and from which instant on.

    `counted` is in time order. Each direction has batches of its own. A batch closes at the first
    midnight at which it holds enough answers and its oldest has waited long enough; until then none
    of it counts.
    """
    found: dict[UUID, int] = {}
    wait_us = model.batch_wait_days * DAY_US
    batches: dict[int, list[Evidence]] = {}

    def close(batch: Sequence[Evidence]) -> None:
        found.update((each.event_id, int(_closes_us(batch, model, wait_us))) for each in batch)

    for item in counted:
        if item.kind not in model.answers:
            continue
        batch = batches.get(item.about, [])
        if batch and item.at_us > _closes_us(batch, model, wait_us):
            close(batch)
            batch = []
        batch.append(item)
        batches[item.about] = batch
    for batch in batches.values():
        if _closes_us(batch, model, wait_us) <= at_us:
            close(batch)
    return found


def next_maturity_us(counted: Sequence[Evidence], model: Model, at_us: int) -> int | None:
    """When, after `at_us`, a batch closes by time alone; None if more answers are needed first."""
    wait_us = model.batch_wait_days * DAY_US
    open_until = []
    known = matured(counted, model, at_us)
    for about in (1, 2):
        batch = [
            item
            for item in counted
            if item.kind in model.answers and item.about == about and item.event_id not in known
        ]
        if len(batch) >= model.batch_least:
            open_until.append(int(_closes_us(batch, model, wait_us)))
    return min(open_until, default=None)


def _closes_us(batch: Sequence[Evidence], model: Model, wait_us: int) -> float:
    if len(batch) < model.batch_least:
        return float("inf")
    enough_us = max(batch[0].at_us + wait_us, batch[model.batch_least - 1].at_us)
    # At the next midnight (UTC), whatever was enough: the hour of an answer is nobody's business.
    return -(-enough_us // DAY_US) * DAY_US
