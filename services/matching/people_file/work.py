"""Goes through HR's file twice: what would change, then, if that is wanted and safe, the change.

Holds a batch of rows and the ids that were named. Prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import BinaryIO

from services.matching.handlers import imports
from services.matching.people_file.changes import Cells, Change, Reading, Refusal, person_of
from services.matching.people_file.columns import columns_of
from services.matching.people_file.rows import Row, Shape, rows_of, shape_of
from shared.asking import Ask
from shared.errors import Rejected
from shared.ids import PersonId
from shared.postgres.pool import Pool

BATCH = 1_000
Fate = Change | Refusal


class TooManyWouldLeave(Rejected):
    """More people would leave than a file may say at once."""

    slug = "too-many-would-leave"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the one who imports asks for. `max_leaving` is a share of those here, or a number."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    whole: bool = False
    max_leaving: str = "5%"


@dataclass(slots=True)
class Summary:
    """What a file changes, or changed."""

    here: int = 0
    joined: int = 0
    changed: int = 0
    left: int = 0
    unchanged: int = 0
    refused: int = 0
    missing: int = 0
    fields: Counter[str] = field(default_factory=Counter)

    @property
    def leaving(self) -> int:
        """Everybody who is here and would not be."""
        return self.left + self.missing

    def add(self, fate: Fate) -> None:
        """Count what became of one row."""
        if isinstance(fate, Refusal):
            self.refused += 1
            return
        setattr(self, fate.kind, getattr(self, fate.kind) + 1)
        self.fields.update(fate.fields)


class Import:
    """One file, for one tenant."""

    def __init__(self, pool: Pool, ask: Ask, file: BinaryIO, wanted: Wanted, how: Reading) -> None:
        self._pool, self._ask, self._file = pool, ask, file
        self._wanted, self._how = wanted, how
        self.shape: Shape = shape_of(file, wanted.encoding, wanted.delimiter)
        self.columns = columns_of(self.shape.header, wanted.mapping)
        self.summary = Summary()
        self._named: set[PersonId] = set()
        self._nameless = 0

    async def look(self) -> AsyncIterator[Fate]:
        """What each row would change; afterwards `summary` has the whole."""
        tenant = self._ask.tenant
        self.summary = Summary(here=await imports.count_active(self._pool, tenant))
        self._named, self._nameless = set(), 0
        for refused, rows in self._batches():
            for fate in (*refused, *await imports.look(self._pool, tenant, rows, self._how)):
                self.summary.add(fate)
                yield fate
        if self._wanted.whole:
            self.summary.missing = len(await self._missing())

    def require_safe(self) -> None:
        """Raise TooManyWouldLeave beyond the limit; nothing has been changed."""
        allowed = most_leaving(self._wanted.max_leaving, self.summary.here)
        if self.summary.leaving > allowed:
            raise TooManyWouldLeave(
                f"{self.summary.leaving} of {self.summary.here} people would leave, more than"
                f" {allowed}: nothing was changed. If it is right, say --max-deactivations"
                f" {self.summary.leaving}"
            )

    async def apply(self) -> AsyncIterator[Fate]:
        """Change what the rows say, a batch at a time: what is done stays done."""
        self.summary = Summary(here=self.summary.here)
        self._named, self._nameless = set(), 0
        for refused, rows in self._batches():
            for fate in (*refused, *await imports.take(self._pool, self._ask, rows, self._how)):
                self.summary.add(fate)
                yield fate
        missing = await self._missing() if self._wanted.whole else []
        for first in range(0, len(missing), BATCH):
            some = missing[first : first + BATCH]
            await imports.let_go(self._pool, self._ask, some, self._how)
            self.summary.missing += len(some)

    async def _missing(self) -> Sequence[PersonId]:
        if self._nameless:
            raise Rejected(
                f"{self._nameless} rows do not say whom they are about: with --full, somebody would"
                " be taken for missing; nothing was changed by being absent"
            )
        return await imports.missing(self._pool, self._ask.tenant, self._named)

    def _batches(self) -> Iterator[tuple[list[Refusal], list[Cells]]]:
        """Rows in the file's order, some at a time, and those that are refused as they stand."""
        refused, rows = list[Refusal](), list[Cells]()
        for row in rows_of(self._file, self.shape):
            cells = self._cells(row)
            (refused if isinstance(cells, Refusal) else rows).append(cells)  # type: ignore[arg-type]
            if len(refused) + len(rows) >= BATCH:
                yield refused, rows
                refused, rows = [], []
        yield refused, rows

    def _cells(self, row: Row) -> Cells | Refusal:
        said = {name: row.cells.get(at, "") for at, name in self.columns.items()}
        cells = Cells(row.line, said)
        person_id = person_of(cells)
        if isinstance(person_id, Refusal):
            self._nameless += 1
            return Refusal(row.line, "", row.wrong) if row.wrong else person_id
        if person_id in self._named:
            return Refusal(row.line, "person_id", "a row before it is about them too", person_id)
        self._named.add(person_id)
        return Refusal(row.line, "", row.wrong, person_id) if row.wrong else cells


def most_leaving(said: str, here: int) -> int:
    """How many may leave: a number, or a share such as `5%`. Raises Rejected for anything else."""
    text = said.strip()
    number = text.removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf") or (text.endswith("%") and value > 100):
        raise Rejected(f"--max-deactivations: {said!r} is neither a number nor a share like 5%")
    return ceil(here * value / 100) if text.endswith("%") else int(value)
