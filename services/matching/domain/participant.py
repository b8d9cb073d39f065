"""A person as they would be matched: what HR says, and what they say of themselves. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.matching.domain.person import Person
from shared.ids import PersonId


@dataclass(frozen=True, slots=True)
class Participant:
    """`there`: they take part today, and are not away. `avoid` is for no eyes but the rules'."""

    person: Person
    about: str
    wishes: str
    avoid: frozenset[PersonId]
    there: bool
