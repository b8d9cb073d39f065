"""Cohorts: the atoms of every aggregate. Who forms one, how long it lives, what is made of them.

A pair is in one cohort for ever or in none. Every released number is about whole cohorts, so every
sum and difference of released numbers is, too. Decided by membership alone, never by a value. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from shared.ids import PairId, PersonId

# Pairs, mentors and mentees: a facet about the mentors has to be about so many mentors.
LEAST = 5
# Tries of a unit, one an epoch, until its pairs may join those of other units.
PATIENCE_EPOCHS = 2


class Pair(Protocol):
    """Anything with two sides."""

    @property
    def mentor_id(self) -> PersonId: ...

    @property
    def mentee_id(self) -> PersonId: ...


class Waiting(NamedTuple):
    """An active pair of one programme that is in no cohort; `since` is the epoch it started in."""

    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId
    unit: str | None
    since: int


class Member(NamedTuple):
    """A pair of a cohort, as it stands at the end of an epoch."""

    mentor_id: PersonId
    mentee_id: PersonId
    active: bool


class Formed(NamedTuple):
    """A new cohort. `unit` None is a cohort of the programme: of several units, or of none."""

    unit: str | None
    pairs: tuple[PairId, ...]


def unit_of(name: str | None) -> str | None:
    """A unit's name as HR gave it; blank is none."""
    return (name or "").strip() or None


def enough(pairs: Sequence[Pair]) -> bool:
    """Whether pairs are enough to be spoken of together.

    Five pairs, five mentors and five mentees, and nobody is in more than half of the pairs: what is
    said of forty pairs with one mentor and four with others is said of that mentor.
    """
    people = Counter[PersonId]()
    for pair in pairs:
        people.update({pair.mentor_id, pair.mentee_id})
    return (
        len(pairs) >= LEAST
        and len({pair.mentor_id for pair in pairs}) >= LEAST
        and len({pair.mentee_id for pair in pairs}) >= LEAST
        and max(people.values()) * 2 <= len(pairs)
    )


def form(waiting: Iterable[Waiting], epoch: int) -> list[Formed]:
    """The cohorts that pairs of one programme waiting at the end of an epoch form.

    All pairs of a unit that are enough form one. Those of a unit that was not enough in two epochs,
    and those of no unit, form one of the programme; whoever is left goes on waiting.
    """
    by_unit: defaultdict[str | None, list[Waiting]] = defaultdict(list)
    for pair in waiting:
        by_unit[pair.unit].append(pair)
    others = by_unit.pop(None, [])
    formed = []
    for unit in sorted(by_unit, key=str):
        if enough(by_unit[unit]):
            formed.append(_formed(unit, by_unit[unit]))
        else:
            others += [p for p in by_unit[unit] if epoch - p.since + 1 >= PATIENCE_EPOCHS]
    if enough(others):
        formed.append(_formed(None, others))
    return formed


def _formed(unit: str | None, pairs: Iterable[Waiting]) -> Formed:
    return Formed(unit, tuple(sorted(pair.pair_id for pair in pairs)))


def alive(members: Sequence[Member | None]) -> bool:
    """Whether a cohort may be measured; once it may not, it never may again.

    Its active pairs alone must be enough: of those that ended nothing changes any more, so the step
    from one epoch to the next is about the active ones only. At least half must be active, or the
    number would tell of the past. A pair that was erased (None) ends the whole cohort: without it,
    the step would be about that pair.
    """
    known = [member for member in members if member is not None]
    active = [member for member in known if member.active]
    return len(known) == len(members) and len(active) * 2 >= len(members) and enough(active)


K = TypeVar("K")


def cells(live: Mapping[K, str | None]) -> dict[str | None, list[K]]:
    """What is released of one programme, from the unit of each live cohort.

    None is the programme as a whole: every live cohort. A unit's cell is its own cohorts; those of
    no unit are in no other cell, and what a programme has beside its units is whole cohorts.
    """
    found: dict[str | None, list[K]] = {}
    for cohort, unit in live.items():
        found.setdefault(None, []).append(cohort)
        if unit is not None:
            found.setdefault(unit, []).append(cohort)
    return found
