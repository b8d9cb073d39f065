"""Statements that erase a person: every place where matching keeps their words or their data.

A new table with a person's words or choices has its statement here. That two people were a pair
stays, under ids that nobody knows any longer.
"""

from __future__ import annotations

from shared.erasing import ALL, Erasing


def _rows(table: str) -> Erasing:
    return Erasing(table, ALL, f"DELETE FROM {table} WHERE tenant = $1 AND person_id = $2")


_OTHERS_AVOID = """
    UPDATE profile SET avoid = array_remove(avoid, $2), revision = revision + 1
    WHERE tenant = $1 AND $2 = ANY(avoid)
"""
# What still waits for an answer will have had none: it is not made, whatever the other says.
_INTRODUCTIONS = """
    UPDATE introduction
    SET partner_says = NULL, contact_says = NULL, stopped = stopped OR state = 'offered'
    WHERE tenant = $1 AND $2 IN (mentor_id, mentee_id, contact)
"""
_OTHERS_RANK = "DELETE FROM ranking WHERE tenant = $1 AND other_id = $2"
# A member of groups goes by the directory's id, which only their own row knows.
_MEMBERSHIPS = """
    DELETE FROM scim_member WHERE tenant = $1 AND member_id IN (
        SELECT id FROM scim_user WHERE tenant = $1 AND person_id = $2
    )
"""
# A person's own row is a tombstone by now: queries.people.erase is who leaves it.
ERASED = (
    _rows("person_leave"),
    _rows("person_point"),
    _rows("person_stale"),
    _rows("profile"),
    Erasing("profile", ("avoid",), _OTHERS_AVOID),
    _rows("request"),
    _rows("participation"),
    _rows("place_gain"),
    _rows("ranking_list"),
    _rows("ranking"),
    Erasing("ranking", ("other_id",), _OTHERS_RANK),
    _rows("late_promise"),
    Erasing("exclusion", ALL, "DELETE FROM exclusion WHERE tenant = $1 AND $2 IN (one, other)"),
    _rows("run_unmatched"),
    Erasing("introduction", ("partner_says", "contact_says"), _INTRODUCTIONS),
    Erasing("scim_member", ALL, _MEMBERSHIPS),
    _rows("scim_user"),
)
