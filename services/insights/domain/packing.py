"""A pair's state from stored evidence, and as bytes. Pure."""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from services.insights.domain.model import CELLS, RANKED_CELLS, Model
from services.insights.domain.seen import Answer
from services.insights.domain.state import PairState

_FORMAT = 2
_HEAD = Struct("<BBHIqqqqiHHqiHHqQQqHBB")
_PAUSE = Struct("<qq")
_ANSWER = Struct("<qqBB")
_LOW_64 = (1 << 64) - 1
_KNOWN = 4


def pack(state: PairState) -> bytes:
    """The state as bytes: a fixed head, what is rare, then the cells that anything was added to."""
    layout = _layout(state.mask)
    one, other = state.capped
    seen = state.answers
    head = _HEAD.pack(
        _FORMAT, state.model.number, state.cadence_days, state.count,
        state.reference_us, state.agreed_us, state.newest_us, state.newest_shared_us,
        one.week, one.in_week, one.before, one.newest_us,
        other.week, other.in_week, other.before, other.newest_us,
        state.mask & _LOW_64, state.mask >> 64,
        seen.forgotten_us, len(state.pauses), len(seen.answers), state.repaired,
    )  # fmt: skip
    sums, strongest = state.sums, state.strongest
    rare = b""
    if state.pauses or seen.answers:
        rare = b"".join(
            [_PAUSE.pack(*pause) for pause in state.pauses]
            + [
                _ANSWER.pack(one.ref, one.at_us, one.kind, one.about | _KNOWN * one.known)
                for one in seen.answers
            ]
        )
    return (
        head
        + rare
        + layout.tail.pack(
            *[sums[cell] for cell in layout.cells], *[strongest[cell] for cell in layout.ranked]
        )
    )


def unpack(packed: bytes, model: Model) -> PairState | None:
    """What `pack` packed; None if another format or another model did: refold the pair."""
    if packed[0] != _FORMAT or packed[1] != model.number:
        return None
    state = PairState(model)
    seen, (one, other) = state.answers, state.capped
    (
        _, _, state.cadence_days, state.count,
        state.reference_us, state.agreed_us, state.newest_us, state.newest_shared_us,
        one.week, one.in_week, one.before, one.newest_us,
        other.week, other.in_week, other.before, other.newest_us,
        low, high, seen.forgotten_us, pauses, answers, repaired,
    ) = _HEAD.unpack_from(packed)  # fmt: skip
    state.mask = high << 64 | low
    state.repaired = bool(repaired)
    if state.cadence_days:
        state.set_half_life()
    end = _HEAD.size
    if pauses:
        start, end = end, end + pauses * _PAUSE.size
        state.pauses = tuple(_PAUSE.iter_unpack(packed[start:end]))
    if answers:
        start, end = end, end + answers * _ANSWER.size
        seen.answers = [
            Answer(ref, at_us, kind, flags & ~_KNOWN, bool(flags & _KNOWN))
            for ref, at_us, kind, flags in _ANSWER.iter_unpack(packed[start:end])
        ]
    layout = _layout(state.mask)
    values = layout.tail.unpack_from(packed, end)
    for cell, value in zip(layout.cells, values, strict=False):
        state.sums[cell] = value
    for cell, rank in zip(layout.ranked, values[len(layout.cells) :], strict=True):
        state.strongest[cell] = rank
    return state


class _Layout(NamedTuple):
    cells: tuple[int, ...]
    ranked: tuple[int, ...]
    tail: Struct


@lru_cache(maxsize=4096)
def _layout(mask: int) -> _Layout:
    """How the filled cells of `mask` are packed. Few masks are in use at a time."""
    cells = tuple(cell for cell in range(CELLS) if mask >> cell & 1)
    ranked = tuple(cell for cell in cells if cell < RANKED_CELLS)
    return _Layout(cells, ranked, Struct(f"<{len(cells)}d{len(ranked)}q"))
