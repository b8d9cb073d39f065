"""A note: its author changes and deletes it, the other side reads it, and it is never a fact."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.sessions.domain import note as rules_of
from services.sessions.domain.note import MAX_NOTES, Note, Text, TooManyNotes
from services.sessions.domain.pair import PairEnded
from shared.errors import Forbidden, NotFound
from shared.ids import SessionId, derived_id
from tests.unit.sessions.given import DAY, ENDED, MENTEE, MENTOR, NOW, PAIR, STRANGER

ID: UUID = derived_id("note")
TEXT = Text("She prefers mornings.\nAsk about the talk.")


def note() -> Note:
    return rules_of.write(PAIR, ID, MENTEE, TEXT, NOW, 0)[0]


def test_a_note_waits_for_nobody_and_nothing_of_it_happened() -> None:
    it, happened = rules_of.write(PAIR, ID, MENTEE, TEXT, NOW, MAX_NOTES - 1)

    assert (it.written_by, it.content, it.edited_at, it.reply) == (MENTEE, TEXT, None, None)
    assert happened == ()


def test_only_its_author_changes_a_note() -> None:
    new = Text("She prefers evenings.", SessionId(derived_id("session")))

    it, happened = rules_of.rewrite(PAIR, note(), MENTEE, new, NOW + DAY)

    assert (it.content, it.written_at, it.edited_at, happened) == (new, NOW, NOW + DAY, ())
    assert rules_of.rewrite(PAIR, note(), MENTEE, TEXT, NOW + DAY) == (note(), ())
    with pytest.raises(Forbidden):
        rules_of.rewrite(PAIR, note(), MENTOR, new, NOW)
    with pytest.raises(NotFound):
        rules_of.rewrite(PAIR, note(), STRANGER, new, NOW)


def test_only_its_author_deletes_a_note() -> None:
    rules_of.require_author(PAIR, note(), MENTEE)
    with pytest.raises(Forbidden):
        rules_of.require_author(PAIR, note(), MENTOR)
    with pytest.raises(NotFound):
        rules_of.require_author(PAIR, note(), STRANGER)


def test_a_pair_that_has_ended_writes_no_more_but_its_notes_stay_their_authors() -> None:
    with pytest.raises(PairEnded):
        rules_of.write(ENDED, ID, MENTEE, TEXT, NOW, 0)
    assert rules_of.rewrite(ENDED, note(), MENTEE, Text("x"), NOW)[0].content.text == "x"


def test_a_pair_has_so_many_notes_and_a_stranger_none() -> None:
    with pytest.raises(TooManyNotes):
        rules_of.write(PAIR, ID, MENTEE, TEXT, NOW, MAX_NOTES)
    with pytest.raises(NotFound):
        rules_of.write(PAIR, ID, STRANGER, TEXT, NOW, 0)
