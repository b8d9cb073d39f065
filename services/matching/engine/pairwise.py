"""Rules and parts of given pairs, one by one, from bit sets: for what was chosen, not for all.

Another way to the same numbers than the matrix products of engine/layers.
"""

from __future__ import annotations

import numpy as np

from services.matching.domain.fit import PARTS
from services.matching.domain.hours import SLOT_MINUTES
from services.matching.domain.programme import WHOLE
from services.matching.engine.blocks import PER_PERMILLE
from services.matching.engine.features import Encoded, Patterns, Problem
from services.matching.engine.layers import hours_part, learned_part
from services.matching.engine.side import Ints, Shorts

_CHUNK = 250_000


def parts_of(problem: Problem, encoded: Encoded, mentees: Ints, mentors: Ints) -> Shorts:
    """(pairs, 5) int16: what each of PARTS adds to the fit. Asks no rule."""
    found = np.zeros((len(mentees), len(PARTS)), np.int16)
    for at in range(0, len(mentees), _CHUNK):
        here = slice(at, at + _CHUNK)
        found[here] = _parts(problem, encoded, mentees[here], mentors[here])
    return found


def _parts(problem: Problem, encoded: Encoded, mentees: Ints, mentors: Ints) -> Shorts:
    most = problem.shares
    ours, theirs = encoded.mentees, encoded.mentors
    goals = _and(ours.topics, mentees, theirs.topics, mentors)
    common = _count(goals)
    wanted = ours.topics.sizes[ours.topics.codes[mentees]]
    spoken = _count(_and(ours.languages, mentees, theirs.languages, mentors))
    shorter = np.minimum(
        ours.languages.sizes[ours.languages.codes[mentees]],
        theirs.languages.sizes[theirs.languages.codes[mentors]],
    )
    halves = _count(_and(ours.halves, mentees, theirs.halves, mentors))
    longer = _count(_and(ours.longer, mentees, theirs.longer, mentors))
    product = np.einsum("ij,ij->i", ours.vectors[mentees], theirs.vectors[mentors])
    cosine = (product.astype(np.int32) + PER_PERMILLE // 2) // PER_PERMILLE
    learned = np.zeros(len(mentees), np.int32)
    if most[4]:
        bits = np.unpackbits(goals.view(np.uint8), axis=1, bitorder="little")
        learned = learned_part(most[4], (bits @ encoded.lift).astype(np.int32), common)
    return np.column_stack(
        [
            most[0] * common // np.maximum(wanted, 1),
            most[1] * np.clip(cosine, 0, WHOLE) // WHOLE,
            most[2] * spoken // np.maximum(shorter, 1),
            hours_part(most[3], (2 * halves - longer) * SLOT_MINUTES),
            learned,
        ]
    ).astype(np.int16)


def _and(ours: Patterns, mentees: Ints, theirs: Patterns, mentors: Ints) -> np.ndarray:
    """The bits that both of each pair have: (pairs, words) uint64."""
    common = ours.words[ours.codes[mentees]] & theirs.words[theirs.codes[mentors]]
    return np.ascontiguousarray(common)


def _count(words: np.ndarray) -> Ints:
    return np.asarray(np.bitwise_count(words).sum(axis=1, dtype=np.int32))
