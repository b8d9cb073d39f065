"""Statements that erase a person: what insights keeps of one beside what they did in a pair.

What they did stays, and when they were away, under an id that nobody knows: the partner's score
rests on it, and has to come out the same from the log.
"""

from __future__ import annotations

from shared.erasing import Erasing

# The row that `save_units` leaves is a tombstone; here it is seen that nothing is in it.
_UNIT = """
    UPDATE person SET org_unit = NULL
    WHERE tenant = $1 AND person_id = $2 AND org_unit IS NOT NULL
"""
ERASED = (Erasing("person", ("org_unit",), _UNIT),)
