"""The best few of each row and of each column, kept while blocks of fits go by. Exact.

A place in the order is one number: the fit above, and below it a tie-break that begins at another
candidate for everybody. Without it a thousand equal mentees would all be shown the same thirty of
a thousand equal mentors, and most of both would go without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from services.matching.engine.side import Ints, Longs, Shorts
from shared.ids import PersonId

_HASH_BITS = 32
# A fit up to 1,023 and the tie-break share the 31 bits of a positive int32.
_MOST_TIE_BITS = 21
# So many waiting entries are looked through at once.
_WAITING = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """The people of one side on a ring, in an order drawn from their ids; and its inverse.

    `size_bits` says how long the ring is: 2**size_bits, no shorter than there are people.
    """

    place: Ints
    person: Ints
    size_bits: int

    def key(self, fits: Ints, people: Ints, starts: Ints) -> Ints:
        """One number for each fit with `people`, from the point of view of who starts there."""
        tie = (self.place[people] + starts) & ((1 << self.size_bits) - 1)
        return np.asarray(fits << self.size_bits | tie, np.int32)

    def who(self, keys: Ints, starts: Ints) -> Ints:
        """The people that keys stand for."""
        return np.asarray(self.person[(keys - starts) & ((1 << self.size_bits) - 1)])


def ring(ids: Sequence[PersonId]) -> Ring:
    """The ring of these people. Raises ValueError for more than two million."""
    size_bits = max(1, (len(ids) - 1).bit_length())
    if size_bits > _MOST_TIE_BITS:
        raise ValueError(f"at most {1 << _MOST_TIE_BITS:,} people on one side")
    order = np.argsort(_drawn(ids), kind="stable").astype(np.int32)
    # Evenly around the ring: whoever began in a gap would begin at the same person.
    even = (np.arange(len(ids)) << size_bits) // max(1, len(ids))
    place = np.empty(len(ids), np.int32)
    place[order] = even
    person = np.zeros(1 << size_bits, np.int32)
    person[even] = order
    return Ring(place, person, size_bits)


def starts(ids: Sequence[PersonId], among: Ring) -> Ints:
    """Where on the ring of the other side each of these people begins."""
    return (_drawn(ids) >> (_HASH_BITS - among.size_bits)).astype(np.int32)


def _drawn(ids: Sequence[PersonId]) -> Longs:
    return np.fromiter((crc32(each.encode()) for each in ids), np.int64, len(ids))


class BestOfRows:
    """For each mentee of a block the `most` best mentors."""

    def __init__(self, mentees: Sequence[PersonId], mentors: Sequence[PersonId], most: int) -> None:
        self._ring = ring(mentors)
        self._starts = starts(mentees, self._ring)
        self._most = min(most, len(mentors))

    def choose(self, mentees: Ints, fits: Shorts, keys: Ints, ties: Ints) -> tuple[Ints, Ints]:
        """Mentee and mentor of every pair chosen; `keys` and `ties` are overwritten."""
        begin = self._starts[mentees]
        _spread(fits, self._ring.size_bits, begin[:, None], self._ring.place, (keys, ties))
        if self._most < keys.shape[1]:
            # On values, not on positions: the key says who it is.
            keys.partition(keys.shape[1] - self._most, axis=1)
            keys = keys[:, -self._most :]
        rows, at = np.nonzero(keys >= 0)
        return mentees[rows], self._ring.who(keys[rows, at], begin[rows])


class BestOfColumns:
    """For each mentor the `most` best mentees among the blocks seen so far."""

    def __init__(self, mentees: Sequence[PersonId], mentors: Sequence[PersonId], most: int) -> None:
        self._ring = ring(mentees)
        self._starts = starts(mentors, self._ring)
        self._most = most
        # What a newcomer has to be above; allowed fits are 0 or more.
        self._bar = np.full(len(mentors), -1, np.int32)
        self._waiting: list[Longs] = []
        self._count = 0
        self._enough = max(_WAITING, 2 * most * len(mentors))

    def see(self, mentees: Ints, fits: Shorts, keys: Ints, ties: Ints) -> None:
        """Take in a block; `keys` and `ties` are overwritten."""
        place = self._ring.place[mentees][:, None]
        _spread(fits, self._ring.size_bits, place, self._starts, (keys, ties))
        found = np.flatnonzero(keys > self._bar)
        columns = found % keys.shape[1]
        self._waiting.append(columns << _HASH_BITS | keys.reshape(-1)[found])
        self._count += len(found)
        if self._count > self._enough:
            self._settle()

    def chosen(self) -> tuple[Ints, Ints]:
        """Mentee and mentor of every pair that is among the best of its mentor."""
        self._settle()
        columns, keys = self._parted(self._waiting[0])
        return self._ring.who(keys, self._starts[columns]), columns

    def merge(self, other: BestOfColumns) -> None:
        """Take in what another has seen of the same problem."""
        self._waiting += other._waiting
        self._settle()

    def _settle(self) -> None:
        """Keep only the best of each column, and raise the bar where there are enough."""
        entries = np.concatenate([np.empty(0, np.int64), *self._waiting])
        entries.sort()
        columns, keys = self._parted(entries)
        ends = np.searchsorted(columns, np.arange(len(self._bar)), side="right")
        kept = ends[columns] - np.arange(len(entries)) <= self._most
        counts = np.diff(ends, prepend=0)
        full = np.flatnonzero(counts >= self._most)
        self._bar[full] = keys[ends[full] - self._most]
        self._waiting = [entries[kept]]
        self._count = len(self._waiting[0])

    @staticmethod
    def _parted(entries: Longs) -> tuple[Ints, Ints]:
        columns = (entries >> _HASH_BITS).astype(np.int32)
        return columns, (entries & ((1 << _HASH_BITS) - 1)).astype(np.int32)


def _spread(fits: Shorts, bits: int, rows: Ints, columns: Ints, room: tuple[Ints, Ints]) -> None:
    """Keys of a block into the first of `room`: fit above, place plus start on the ring below."""
    keys, ties = room
    np.add(rows, columns, out=ties)
    np.bitwise_and(ties, (1 << bits) - 1, out=ties)
    np.copyto(keys, fits)
    np.left_shift(keys, bits, out=keys)
    np.bitwise_or(keys, ties, out=keys)
