"""What a participant says of themselves, laid over what HR says. Pure.

None is "as HR has it". `avoid` is for no eyes but the participant's own, and the rules'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.matching.domain.person import Person
from shared.errors import Rejected
from shared.events.people import WeeklyHours
from shared.ids import PersonId


@dataclass(frozen=True, slots=True)
class Said:
    """All that somebody can say of themselves; nothing said is this without arguments."""

    roles: tuple[str, ...] | None = None
    capacity: int | None = None
    offers: tuple[str, ...] | None = None
    goals: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    hours: tuple[WeeklyHours, ...] | None = None
    about: str = ""
    wishes: str = ""
    avoid: tuple[PersonId, ...] = ()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person said, and how often they changed it: 0 for nothing said."""

    person_id: PersonId
    said: Said
    changed_at: datetime | None = None
    revision: int = 0


def settled(said: Said, person_id: PersonId) -> Said:
    """The same with nothing named twice, in the order named. Raises Rejected naming the field."""
    if person_id in said.avoid:
        raise Rejected("you cannot avoid yourself", field="avoid")
    if said.capacity and said.roles is not None and "mentor" not in said.roles:
        raise Rejected("only a mentor has places", field="capacity")
    return replace(
        said,
        roles=_once(said.roles),
        offers=_once(said.offers),
        goals=_once(said.goals),
        languages=_once(said.languages),
        avoid=tuple(dict.fromkeys(said.avoid)),
    )


def over(person: Person, said: Said) -> Person:
    """The person as HR has them, with what they say of themselves over it."""
    given = {
        name: getattr(said, name)
        for name in ("roles", "capacity", "offers", "goals", "languages", "hours")
        if getattr(said, name) is not None
    }
    return replace(person, **given)


def _once(named: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if named is None else tuple(dict.fromkeys(named))
