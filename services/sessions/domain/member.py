"""One side of a pair, as far as its calendar matters. Reads nothing and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared.ids import PersonId


@dataclass(frozen=True, slots=True)
class Away:
    """One leave in local days: away from `started_on` on, back on `back_on` if that is known."""

    started_on: date
    back_on: date | None

    def covers(self, day: date) -> bool:
        """Whether `day` is one of the leave. The day somebody is back is not."""
        return self.started_on <= day and (self.back_on is None or day < self.back_on)


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a pair. `zone` is an IANA name; leaves and holidays are days in that zone.

    Of who is `erased` nothing else is known, and they say nothing more.
    """

    person_id: PersonId
    zone: str = "UTC"
    country: str | None = None
    name: str | None = None
    away: tuple[Away, ...] = ()
    holidays: frozenset[date] = frozenset()
    erased: bool = False
