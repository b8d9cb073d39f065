"""Ids that say who somebody is: they would put a name into every fact. Pure."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Za-z]+[._-][A-Za-z]{2,}\d*|[^0-9]+|.*@.*")


def says_who_it_is(person_id: str) -> bool:
    """Whether an id looks like a name or an address."""
    return _WORDS.fullmatch(person_id) is not None
