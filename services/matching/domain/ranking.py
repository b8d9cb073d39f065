"""Two stages: people are shown whom they could meet, and rank them, each in private. Pure.

    preparing --lists are made--> open --time, or a manager--> closed

A list is one person's on one side, in the order of fit until they say otherwise. Nobody else reads
it: it goes into one run, and there a `never` of either side is a hard no.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from services.matching.domain.decision import Decision
from services.matching.domain.fit import Shares
from shared.errors import Conflict, Rejected
from shared.ids import PersonId, ProgrammeId

# So many people can be told apart; with more, the last ones are put in any order.
SHORTLIST = 10
# For somebody who is not on the other's list: after all who are.
UNLISTED = SHORTLIST + 1

Side: TypeAlias = Literal["mentor", "mentee"]
State: TypeAlias = Literal["preparing", "open", "closed"]
# By (mentor, mentee): the mentee's rank and the mentor's, from 1; None for a `never` of either.
Ranks: TypeAlias = "dict[tuple[PersonId, PersonId], tuple[int, int] | None]"


class RankingClosed(Conflict):
    """The ranking is closed: what was said before counts."""

    slug = "ranking-closed"


class RankingOpen(Conflict):
    """People are still ranking: close the round, or wait until its time is over."""

    slug = "ranking-open"


class OneRoundAtATime(Conflict):
    """A round of this programme is open: close it first."""

    slug = "ranking-under-way"


@dataclass(frozen=True, slots=True)
class Round:
    """A programme's people rank whom they were shown, until `until`."""

    ranking_id: UUID
    programme_id: ProgrammeId
    opened_at: datetime
    until: datetime
    state: State = "preparing"
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody on a list. `parts` are those of the fit, in thousandths."""

    person_id: PersonId
    parts: Shares
    never: bool = False

    @property
    def fit_permille(self) -> int:
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class Ranking:
    """One person's list, in their order. `side` is theirs: the people on it are of the other."""

    ranking_id: UUID
    programme_id: ProgrammeId
    person_id: PersonId
    side: Side
    until: datetime
    people: tuple[Listed, ...]
    ranked_at: datetime | None = None
    revision: int = 1


def opened(
    ranking_id: UUID, programme_id: ProgrammeId, now: datetime, within: timedelta
) -> Decision[Round]:
    """A round whose lists are still to be made."""
    return Decision(Round(ranking_id, programme_id, now, now + within))


def by_now(it: Round, now: datetime) -> Round:
    """The round as time has left it, whether or not that has been written down."""
    return replace(it, state="closed") if it.state == "open" and now >= it.until else it


def close(it: Round, now: datetime) -> Decision[Round]:
    """A manager closes it before its time. Closed again, it stays as it was."""
    if by_now(it, now).state == "closed":
        return Decision(it)
    if it.state == "preparing":
        raise Conflict("the lists are being made: close it once it is open")
    return Decision(replace(it, state="closed", until=now))


def require_closed(it: Round, now: datetime) -> None:
    """Raise RankingOpen while people may still rank."""
    if by_now(it, now).state != "closed":
        raise RankingOpen


def rank(
    it: Ranking, order: Sequence[PersonId], never: Collection[PersonId], now: datetime
) -> Decision[Ranking]:
    """The person's own order, and whom they would rather not meet at all.

    Whoever is named in neither comes after `order`, by fit. Raises RankingClosed from `until` on,
    and Rejected naming the field.
    """
    if now >= it.until:
        raise RankingClosed
    known = {each.person_id: each for each in it.people}
    for field, named in (("order", order), ("never", never)):
        if not known.keys() >= set(named):
            raise Rejected("name people of your list only", field=field)
        if len(set(named)) != len(named):
            raise Rejected("name everybody once", field=field)
    if not set(order).isdisjoint(never):
        raise Rejected("nobody can be in the order and in never", field="never")
    rest = [each for each in by_fit(it.people) if each.person_id not in order]
    first = [known[person] for person in order]
    people = tuple(replace(each, never=each.person_id in never) for each in (*first, *rest))
    return Decision(replace(it, people=people, ranked_at=now))


def by_fit(people: Sequence[Listed]) -> list[Listed]:
    """The best fit first, the smaller id where they tie."""
    return sorted(people, key=lambda each: (-each.fit_permille, each.person_id))
