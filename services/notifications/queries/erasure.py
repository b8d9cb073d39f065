"""Statements that erase a person: every place where notifications keeps their data or choices.

That something was said to them stays, without the words, under an id that nobody knows any longer.
"""

from __future__ import annotations

from shared.erasing import ALL, Erasing


def _rows(table: str, whose: str = "person_id") -> Erasing:
    return Erasing(table, ALL, f"DELETE FROM {table} WHERE tenant = $1 AND {whose} = $2")


# A tombstone is left: infinitely new, so that nothing told of the person ever counts again.
_PERSON = """
    INSERT INTO person (tenant, person_id, locale, timezone, has_left, as_of)
    VALUES ($1, $2, 'en', 'UTC', true, 'infinity')
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET email = NULL, display_name = NULL, locale = 'en', timezone = 'UTC', has_left = true,
        as_of = 'infinity'
"""
_UNSENT = """
    UPDATE message SET state = 'suppressed', reason = 'person_left'
    WHERE tenant = $1 AND person_id = $2 AND state IN ('waiting_for_address', 'queued', 'gathered')
"""
ERASED = (
    Erasing("person", ("email", "display_name", "locale", "timezone"), _PERSON),
    _rows("preference", "of_whom"),
    _rows("preference_change", "of_whom"),
    _rows("person_leave"),
    _rows("attention"),
    _rows("digest"),
    _rows("chat_address"),
    _rows("suppression"),
    _rows("suppression_change"),
    _rows("bounce"),
    _rows("request"),
    Erasing("message", (), _UNSENT),
)
