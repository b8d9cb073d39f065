"""Random programmes over many epochs, three ways to release their aggregates, and an attacker.

The attacker knows every pair of every released cell, and puts cells side by side. Holds no test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from hypothesis import strategies as st

from services.insights.domain import cohorts
from services.insights.domain.cohorts import LEAST, Member, Waiting
from shared.ids import PairId, PersonId

EPOCHS = 7


@dataclass(frozen=True, eq=False)
class Lived:
    """A pair: when it started, ended and was erased; `units` are its mentee's, epoch by epoch."""

    pair_id: PairId
    programme: int
    mentor_id: PersonId
    mentee_id: PersonId
    start: int
    end: int
    erased: int
    units: tuple[str | None, ...]

    def active(self, epoch: int) -> bool:
        return self.start <= epoch < min(self.end, self.erased)


World = list[Lived]
# (programme, unit or None for the whole, epoch): the pairs it is about.
Released = dict[tuple[int, str | None, int], frozenset[Lived]]
Release = Callable[[World], Released]
Attack = Callable[[Released], list[set[Lived]]]
NEVER = EPOCHS + 1


def worlds() -> st.SearchStrategy[World]:
    """Two programmes, three units; few mentors in some, and pairs that come, go and move.

    From a seed: sixty pairs drawn one by one would take longer to make than to attack.
    """
    chance = st.integers(0, 2**32).map(Random)
    return st.builds(_world, chance, st.integers(12, 60), st.sampled_from([6, 12, 40]))


def _world(chance: Random, size: int, mentors: int) -> World:
    return [_pair(chance, number, mentors) for number in range(size)]


def _pair(chance: Random, number: int, mentors: int) -> Lived:
    start = chance.choice([0, 0, 0, 1, 2, 3, 5])
    unit = chance.choice(["sales", "sales", "research", "ops", None])
    moved = chance.choice([unit, unit, unit, "sales", "ops"])
    moves = chance.randint(0, EPOCHS)
    return Lived(
        PairId(UUID(int=number + 1)),
        chance.choice([0, 0, 0, 1]),
        PersonId(f"mentor-{chance.randint(1, mentors)}"),
        PersonId(f"mentee-{chance.choice([number, number, number, 0])}"),
        start,
        start + chance.choice([NEVER, NEVER, 1, 2, 3, 4]),
        chance.choice([NEVER] * 25 + [2, 4]),
        tuple(unit if epoch < moves else moved for epoch in range(EPOCHS)),
    )


def ours(world: World) -> Released:
    """By the rules of `domain.cohorts`, in the order in which `measuring` applies them."""
    return _by_cohorts(world, cohorts.alive)


def half_alive(world: World) -> Released:
    """The same, but a cohort lives as long as half of its pairs are active, however few."""

    def alive(members: Sequence[Member | None]) -> bool:
        active = [member for member in members if member is not None and member.active]
        return len(active) * 2 >= len(members) and None not in members

    return _by_cohorts(world, alive)


def _by_cohorts(world: World, alive: Callable[[Sequence[Member | None]], bool]) -> Released:
    released: Released = {}
    known: dict[tuple[int, int, str | None], list[Lived]] = {}
    closed: set[tuple[int, int, str | None]] = set()
    for epoch in range(EPOCHS):
        for programme in (0, 1):
            taken = {pair.pair_id for members in known.values() for pair in members}
            waiting = {
                pair.pair_id: pair
                for pair in world
                if pair.programme == programme and pair.active(epoch) and pair.pair_id not in taken
            }
            for formed in cohorts.form([_waiting(p, epoch) for p in waiting.values()], epoch):
                key = (programme, epoch, formed.unit)
                known[key] = [waiting[pair_id] for pair_id in formed.pairs]
            mine = [key for key in known if key[0] == programme and key not in closed]
            closed |= {key for key in mine if not alive([_member(p, epoch) for p in known[key]])}
            live = {key: key[2] for key in mine if key not in closed}
            for unit, keys in cohorts.cells(live).items():
                there = (pair for key in keys for pair in known[key] if pair.erased > epoch)
                released[programme, unit, epoch] = frozenset(there)
    return released


def _waiting(pair: Lived, epoch: int) -> Waiting:
    unit = pair.units[epoch]
    return Waiting(pair.pair_id, pair.mentor_id, pair.mentee_id, unit, pair.start)


def _member(pair: Lived, epoch: int) -> Member | None:
    if pair.erased <= epoch:
        return None
    return Member(pair.mentor_id, pair.mentee_id, pair.active(epoch))


def suppressing(world: World) -> Released:
    """The usual way: each cell anew in each epoch, withheld when it is too small by itself."""
    cells: defaultdict[tuple[int, str | None, int], set[Lived]] = defaultdict(set)
    for epoch in range(EPOCHS):
        for pair in world:
            if pair.active(epoch):
                cells[pair.programme, None, epoch].add(pair)
                if pair.units[epoch] is not None:
                    cells[pair.programme, pair.units[epoch], epoch].add(pair)
    return {key: frozenset(pairs) for key, pairs in cells.items() if cohorts.enough(list(pairs))}


def exposed(released: Released) -> list[set[Lived]]:
    """The groups too small to speak of that cells, put side by side, single out.

    Sums and differences of cells are constant on pairs that are in the same cells, so these classes
    are the finest that any arithmetic can reach.
    """
    return _too_small(
        {pair for cell in released.values() for pair in cell},
        lambda pair: frozenset(key for key, cell in released.items() if pair in cell),
    )


def exposed_by_steps(released: Released) -> list[set[Lived]]:
    """The groups too small to speak of whose change since the last epoch shows.

    What a cell adds in an epoch is about its active pairs: the ended ones stand still. The newest
    epoch in a combination of cells is where its newest numbers come from, and in it the combination
    is constant on pairs of the same cells of that epoch.
    """
    found = []
    for epoch in range(EPOCHS):
        now = {key: cell for key, cell in released.items() if key[2] == epoch}
        found += _too_small(
            {pair for cell in now.values() for pair in cell if pair.active(epoch)},
            lambda pair: frozenset(key for key, cell in now.items() if pair in cell),  # noqa: B023
        )
    return found


def _too_small(pairs: Iterable[Lived], by: Callable[[Lived], Hashable]) -> list[set[Lived]]:
    classes: defaultdict[Hashable, set[Lived]] = defaultdict(set)
    for pair in pairs:
        classes[by(pair)].add(pair)
    return [
        each
        for each in classes.values()
        if len(each) < LEAST
        or len({pair.mentor_id for pair in each}) < LEAST
        or len({pair.mentee_id for pair in each}) < LEAST
    ]
