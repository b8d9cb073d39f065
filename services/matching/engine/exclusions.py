"""Why somebody has no mentor: which rule stood between them and whom, and what lifting it gives.

Looks at all mentors, those without a free place too. Explains; proposes nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.matching.domain.fit import Barrier
from services.matching.engine.blocks import Blocks
from services.matching.engine.features import BITS, Problem, encode
from services.matching.engine.matched import Matched
from services.matching.engine.side import Bools, Ints, Progress
from shared.ids import PersonId

STAGE = "reasons"


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A mentee without a mentor. `reason` is the last rule that stood in the way of anybody.

    `lost` counts the mentors that each rule kept from them, each at the first rule that did; with
    those who had a free place and were given to others it is everybody.
    """

    person_id: PersonId
    reason: Barrier
    lost: Mapping[Barrier, int]


@dataclass(frozen=True, slots=True)
class RuleFigure:
    """`bars_all` mentees have no mentor whom this rule would let them meet, whatever the others
    say; `would_help` are those with no candidate who would have one if it alone were lifted.
    """

    rule: Barrier
    bars_all: int
    would_help: int


@dataclass(frozen=True, slots=True, eq=False)
class Exclusions:
    """For each of `rows`, by rule (columns as in `list(Barrier)`): mentors `lost` to it first;
    whether it `bars_all`; whether lifting it alone `would_help`. `has_open`: some mentor is left.
    """

    rows: Ints
    lost: Ints
    bars_all: Bools
    would_help: Bools
    has_open: Bools


def explain(problem: Problem, rows: Ints, progress: Progress) -> Exclusions:
    """Every rule for every mentor, for these mentees."""
    shape = (len(rows), len(Barrier))
    found = Exclusions(
        rows,
        np.zeros(shape, np.int32),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.bool_),
        np.zeros(len(rows), np.bool_),
    )
    if not len(rows) or not len(problem.mentors):
        return found
    blocks = Blocks(problem, encode(problem))
    full = (problem.mentors.places <= 0).astype(np.uint16) * BITS[Barrier.NO_MENTOR_CAPACITY]
    room = np.empty((blocks.block_rows, len(problem.mentors)), np.int16)
    for at in range(0, len(rows), blocks.block_rows):
        here = slice(at, at + blocks.block_rows)
        _count(found, here, _bits(blocks, rows[here], full.astype(np.uint16), room))
        progress(STAGE, min(at + blocks.block_rows, len(rows)), len(rows))
    return found


def unmatched(problem: Problem, matched: Matched, why: Exclusions) -> tuple[Unmatched, ...]:
    """Everybody whom the matching left out, with a reason, by id. `why` is of all of them."""
    barriers = list(Barrier)
    has_edges = np.diff(matched.edges.starts)[why.rows] > 0
    told = []
    for at, row in enumerate(why.rows.tolist()):
        lost: dict[Barrier, int] = {
            barrier: int(count)
            for barrier, count in zip(barriers, why.lost[at].tolist(), strict=True)
            if count and barrier is not Barrier.NO_MENTORS
        }
        if has_edges[at]:
            reason = Barrier.NO_MENTOR_CAPACITY
        elif why.has_open[at]:
            reason = Barrier.NO_CANDIDATE_LEFT
        else:
            reason = max(lost, key=barriers.index, default=Barrier.NO_MENTORS)
        told.append(Unmatched(problem.mentees.ids[row], reason, lost))
    return tuple(told)


def rule_figures(why: Exclusions) -> tuple[RuleFigure, ...]:
    """The rules that leave somebody without a candidate, in the order in which they are asked."""
    figures = (
        RuleFigure(barrier, int(why.bars_all[:, at].sum()), int(why.would_help[:, at].sum()))
        for at, barrier in enumerate(Barrier)
        if barrier is not Barrier.NO_MENTORS
    )
    return tuple(figure for figure in figures if figure.bars_all or figure.would_help)


def _bits(blocks: Blocks, mentees: Ints, full: np.ndarray, room: np.ndarray) -> np.ndarray:
    """(mentees, mentors) uint16: every rule that stands in the way, as BITS."""
    bits = np.empty((len(mentees), len(full)), np.uint16)
    bits[:] = full
    for layer in blocks.layers:
        barred = layer.rows(mentees, room[: len(mentees)]) < 0
        bits |= barred * np.uint16(BITS[layer.barrier])
    rows, columns, named = blocks.apart(mentees)
    bits[rows, columns] |= named.astype(np.uint16)
    return bits


def _count(found: Exclusions, here: slice, bits: np.ndarray) -> None:
    # The lowest bit is the first rule; oneself is no mentor, and stands in no rule's way.
    first = bits & (~bits + np.uint16(1))
    oneself = first == BITS[Barrier.NO_MENTORS]
    others = bits.shape[1] - np.count_nonzero(oneself, axis=1)
    found.has_open[here] = (bits == 0).any(axis=1)
    met = int(np.bitwise_or.reduce(bits, axis=None))
    for at, bit in enumerate(BITS.values()):
        if not met & bit:
            continue
        found.lost[here, at] = np.count_nonzero(first == bit, axis=1)
        barred = ((bits & np.uint16(bit)) != 0) & ~oneself
        found.bars_all[here, at] = (np.count_nonzero(barred, axis=1) == others) & (others > 0)
        found.would_help[here, at] = (bits == bit).any(axis=1) & ~found.has_open[here]
