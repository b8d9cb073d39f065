"""One side of a matching as columns: the mentees, or the mentors. Holds no rule.

Rows stand by person id, so that the same people in any order are the same arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.fit import LENGTH, Candidate
from shared.ids import PersonId

Ints: TypeAlias = NDArray[np.int32]
Longs: TypeAlias = NDArray[np.int64]
Shorts: TypeAlias = NDArray[np.int16]
Floats: TypeAlias = NDArray[np.float32]
Bools: TypeAlias = NDArray[np.bool_]

# What is done, how many steps of it, of how many. It may raise: the run then ends at once.
Progress: TypeAlias = Callable[[str, int, int], None]


class Lift(Protocol):
    """What earlier pairs say about a goal in common, in thousandths by goal (-100 to 100)."""

    @property
    def permille(self) -> Any:
        """A mapping of goals; those it does not name are 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """People as columns of one length, by ascending person id.

    `lines` holds everybody above, nearest first, `()` where nobody asks. `topics` are offers of
    mentors, goals of mentees. `slots` are bit sets of domain/hours, 0 for none given. `vectors`
    is (n, any one width) float32 of any length, a zero row for nothing said. `places` are free
    places; a mentee is looked for one mentor whatever it says. Raises ValueError.
    """

    ids: Sequence[PersonId]
    managers: Sequence[PersonId | None]
    lines: Sequence[tuple[PersonId, ...]]
    units: Sequence[str | None]
    grades: Sequence[int | None]
    languages: Sequence[tuple[str, ...]]
    topics: Sequence[tuple[str, ...]]
    slots: Sequence[int]
    vectors: Floats
    places: Ints

    def __post_init__(self) -> None:
        lengths = {each.name: len(getattr(self, each.name)) for each in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")
        if any(one >= other for one, other in zip(self.ids, self.ids[1:], strict=False)):
            raise ValueError("people stand by ascending id, each once")

    def __len__(self) -> int:
        return len(self.ids)

    def candidate(self, row: int, *, with_vector: bool = True) -> Candidate:
        """One person as the slow and readable rules of domain/fit see them; no rule asks for the
        vector, and it is what takes the time.
        """
        vector = whole(self.vectors[row : row + 1])[0] if with_vector else np.empty(0)
        return Candidate(
            person_id=self.ids[row],
            manager_id=self.managers[row],
            line=self.lines[row],
            unit=self.units[row],
            grade=self.grades[row],
            languages=frozenset(self.languages[row]),
            topics=frozenset(self.topics[row]),
            slots=self.slots[row],
            vector=tuple(vector.astype(int).tolist()),
        )

    def taking(self, rows: Sequence[int] | Ints) -> Side:
        """Only these rows, which have to ascend."""
        kept: dict[str, Any] = {}
        for each in fields(self):
            column = getattr(self, each.name)
            is_array = isinstance(column, np.ndarray)
            kept[each.name] = column[rows] if is_array else [column[row] for row in rows]
        return Side(**kept)


def whole(vectors: Floats) -> Floats:
    """Each row scaled to LENGTH and rounded: products of two are whole and exact in float32."""
    given = vectors.astype(np.float64)
    lengths = np.sqrt((given * given).sum(axis=1, keepdims=True))
    np.divide(given, lengths, out=given, where=lengths > 0)
    return np.rint(given * LENGTH).astype(np.float32)
