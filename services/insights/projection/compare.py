"""Two projections at the same offsets: what one has that the other lacks. Changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

from services.insights import models
from services.insights.domain.packing import unpack
from services.insights.domain.replay import PairOf
from services.insights.projection.verify import TOLERANCE
from services.insights.queries import projection
from services.insights.queries.projection import Line
from services.insights.rebuild import UTTERLY, apart
from shared.postgres.pool import Connection


@dataclass(slots=True)
class Comparison:
    """How the live projection (one) and the new one (other) differ.

    `lost` is what the live one has and the log does not tell: pairs, facts and leaves. `repaired`
    is every pair that the new one has right and the live one had not.
    """

    pairs: int = 0
    facts: int = 0
    lost: int = 0
    found: int = 0
    largest_difference: float = 0.0
    units_apart: int = 0
    repaired: dict[PairOf, str] = field(default_factory=dict)

    def merge(self, later: Comparison) -> None:
        """Take in what was found of some pairs later."""
        self.lost += later.lost
        self.found += later.found
        self.units_apart = later.units_apart
        self.largest_difference = max(self.largest_difference, later.largest_difference)
        self.repaired.update(later.repaired)


async def compare(
    live: Connection, new: Connection, keys: Collection[int] | None = None
) -> Comparison:
    """Compare all pairs, or some, as these connections see them. Both in a transaction."""
    found = Comparison()
    async for one, other in _side_by_side(
        projection.lines(live, keys), projection.lines(new, keys)
    ):
        await _compare_pair(found, one, other, live, new)
    old_leaves, new_leaves = await projection.leaves(live), await projection.leaves(new)
    found.lost += len(old_leaves - new_leaves)
    found.found += len(new_leaves - old_leaves)
    found.units_apart = len(await projection.units(live) ^ await projection.units(new))
    return found


async def _compare_pair(
    found: Comparison,
    one: Line | None,
    other: Line | None,
    live: Connection,
    new: Connection,
) -> None:
    found.pairs += other is not None
    found.facts += other.facts if other else 0
    if one is None or other is None:
        if one is not None:
            found.lost += 1 + one.facts
            found.repaired[one.of] = "is not in the log"
        elif other is not None:
            found.found += 1 + other.facts
            found.repaired[other.of] = "was missing"
        return
    if (one.facts, one.digest) != (other.facts, other.digest):
        old_ids = await projection.events_of(live, one.key)
        new_ids = await projection.events_of(new, other.key)
        found.lost += len(old_ids - new_ids)
        found.found += len(new_ids - old_ids)
        found.repaired[one.of] = "had other evidence"
    elif one.life != other.life:
        found.repaired[one.of] = "began, ended or was made up otherwise"
    elif one.state != other.state:
        difference = await _states_apart(live, one, other)
        found.largest_difference = max(found.largest_difference, difference)
        if difference > TOLERANCE:
            found.repaired[one.of] = f"had another state ({difference:.1e})"


async def _states_apart(live: Connection, one: Line, other: Line) -> float:
    """0.0 where the model has changed meanwhile: the worker refolds such a state when it is next
    needed.
    """
    if one.state is None or other.state is None:
        return UTTERLY
    model = (await models.of_tenant(live, one.tenant)).model
    old, new = unpack(one.state, model), unpack(other.state, model)
    return apart(old, new) if old and new else 0.0


async def _side_by_side(
    ones: AsyncIterator[Line], others: AsyncIterator[Line]
) -> AsyncIterator[tuple[Line | None, Line | None]]:
    """Two sorted streams as one: both lines of a pair, or one and None."""
    one, other = await anext(ones, None), await anext(others, None)
    while one is not None or other is not None:
        if other is None or (one is not None and _place(one) < _place(other)):
            yield one, None
            one = await anext(ones, None)
        elif one is None or _place(other) < _place(one):
            yield None, other
            other = await anext(others, None)
        else:
            yield one, other
            one, other = await anext(ones, None), await anext(others, None)


def _place(line: Line) -> tuple[bytes, bytes]:
    # As Postgres sorts them: bytes of the text in the C collation, then the bytes of the UUID.
    return line.tenant.encode(), line.pair_id.bytes
