"""Links that stop mails: what we signed is read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.api.unsubscribe_page import language_of, page
from services.notifications.links import Links, Stop
from shared.ids import PersonId, TenantId

OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32
STOP = Stop(TenantId("acme"), PersonId("bo"), "sessions")
LINKS = Links("https://mentoring.example/", [NEW, OLD])
TOKEN = LINKS.token(STOP.tenant, STOP.person, STOP.category)


def test_a_link_is_read_as_what_it_was_made_of() -> None:
    link = LINKS.link(STOP.tenant, STOP.person, STOP.category)

    assert link == f"https://mentoring.example/v1/unsubscribe/{TOKEN}"
    assert LINKS.read(TOKEN) == STOP


def test_a_new_key_signs_and_an_old_one_still_opens() -> None:
    made = Links("https://a.example", [OLD]).token(STOP.tenant, STOP.person, STOP.category)

    assert LINKS.read(made) == STOP
    assert Links("https://a.example", [NEW]).read(made) is None
    assert Links("https://a.example", [NEW]).read(TOKEN) == STOP


@given(st.integers(0, len(TOKEN) - 2), st.sampled_from("AZaz09_-."))
def test_a_changed_link_is_not_ours(at: int, char: str) -> None:
    changed = TOKEN[:at] + char + TOKEN[at + 1 :]

    assert (LINKS.read(changed) == STOP) == (changed == TOKEN)
    assert LINKS.read(changed) in (None, STOP)


@given(st.text())
def test_nothing_else_is_a_link_of_ours(text: str) -> None:
    assert LINKS.read(text) is None


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("de-AT,de;q=0.9,en;q=0.8", "de"), ("pt, FR;q=0.8", "fr"), ("es", "es")],
)
def test_a_page_speaks_its_readers_language(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
    said, text = page(accepted, "sessions", is_done=False)
    assert said == language
    assert f'<html lang="{language}">' in text
    assert text.count("<button") == 1


def test_a_category_cannot_become_mark_up() -> None:
    assert "<script>" not in page("", "<script>", is_done=True)[1]
