"""Public holidays by country: the one place that knows the library of that name. Decides nothing.

Of every country it knows what the state itself calls a public holiday in YEARS; a plain Sunday or a
bank's own day is none. What a country has not announced yet (a moon to be seen, an election) is as
the library estimates it.
"""

from __future__ import annotations

import warnings
from datetime import date
from functools import lru_cache

# A promise reaches a year ahead; a history that is replayed reaches back. Measured: a country costs
# 3-7 ms and 50 kB once, the library itself 0.25 s and only when somebody's country is known.
YEARS = range(2020, 2046)

_NONE: frozenset[date] = frozenset()


# About as many countries and parts of countries as there are.
@lru_cache(maxsize=2_000)
def holidays_of(country: str | None) -> frozenset[date]:
    """The public holidays of "DE", or of "DE-BY" where parts of a country have their own.

    A part that is not known has its country's; a country that is not known has none. Never raises.
    """
    if country is None:
        return _NONE
    code, _, part = country.partition("-")
    days = _days(code, part or None)
    return days if days is not None else _days(code, None) or _NONE


def _days(code: str, part: str | None) -> frozenset[date] | None:
    # Imported here: it takes longer than the rest of the service, which can start without it.
    import holidays

    with warnings.catch_warnings():
        # Of a lunar calendar it knows fewer years than were asked for, and says so.
        warnings.simplefilter("ignore")
        try:
            return frozenset(holidays.country_holidays(code, subdiv=part, years=YEARS))
        except NotImplementedError:  # its word for a country or part that it does not know
            return None
