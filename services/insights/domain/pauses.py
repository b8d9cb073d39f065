"""When the clock of a pair stands still: while either side is on leave. Pure.

Decay counts working presence, not the calendar: an age is the difference of two presence times.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.insights.domain.evidence import Evidence, Kind

Pause = tuple[int, int]
LEAVE = frozenset((Kind.LEAVE_STARTED, Kind.LEAVE_ENDED))
NEVER_ENDS = 2**63 - 1


def pauses_of(evidence: Iterable[Evidence]) -> tuple[Pause, ...]:
    """The leaves of both sides as intervals [from, until), merged, in order.

    A leave that was told twice began at its earlier beginning and ended at its earlier end.
    """
    began: dict[int, int] = {}
    ended: dict[int, int] = {}
    for item in evidence:
        if item.kind in LEAVE:
            told = began if item.kind == Kind.LEAVE_STARTED else ended
            told[item.ref] = min(item.at_us, told.get(item.ref, item.at_us))
    merged: list[Pause] = []
    for start, end in sorted((at, ended.get(ref, NEVER_ENDS)) for ref, at in began.items()):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def presence_us(at_us: int, pauses: Iterable[Pause]) -> int:
    """The calendar time less all the time that stood still before it. Never runs backwards."""
    away = 0
    for start, end in pauses:
        if start >= at_us:
            break
        away += min(end, at_us) - start
    return at_us - away
