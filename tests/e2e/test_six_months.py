"""A pair's six months as one told story, on the real services, broker and database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from shared.events.envelope import Event
from tests.e2e.six_months import MARIA, SECRETS, START, TOM, tell
from tests.e2e.stage import open_stage

pytestmark = pytest.mark.stack


@dataclass
class Story:
    """What the chapters saw, and what is in the log at the end."""

    seen: dict[str, Any]
    events: list[Event]
    bytes_: bytes
    tables: str

    def types(self, prefix: str) -> list[str]:
        return [e.fact.type for e in self.events if e.fact.type.startswith(prefix)]


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with open_stage(tmp_path_factory.mktemp("story"), START) as stage:
        seen = (await tell(stage)).seen
        await stage.read_up("sessions", "insights")
        yield Story(seen, await stage.events(), await stage.everything(), await stage.tables())


async def test_they_know_who_they_are_with(story: Story) -> None:
    assert story.seen["met"]["you_are"] == "mentee"
    assert story.seen["met"]["partner_name"] == "Maria Amina Roth"
    assert story.seen["met"]["next_step"]["facet"] == "E"


async def test_the_agreement_is_signed_by_both_and_its_hours_are_published(story: Story) -> None:
    assert story.types("agreement.") == ["agreement.proposed", "agreement.signed"]
    signed = next(e.fact for e in story.events if e.fact.type == "agreement.signed")
    told = signed.model_dump()
    assert (told["cadence_days"], told["channels"], len(told["hours"])) == (14, ("video",), 10)


async def test_a_sunday_is_refused_with_the_term_and_allowed_once(story: Story) -> None:
    refused = story.seen["sunday refused"]
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("breaks-agreement")
    assert "hours" in refused.json()["detail"]
    assert [each["what"] for each in story.seen["waiting for maria"]] == ["proposal"]
    allowed = story.seen["sunday allowed"]
    assert (allowed["broken_term"], allowed["allowed_by"]) == ("hours", MARIA)


async def test_a_series_keeps_its_time_on_the_wall_through_the_change_of_clocks(
    story: Story,
) -> None:
    starts = [datetime.fromisoformat(s["starts_at"]) for s in story.seen["series"]["sessions"]]
    in_new_york = {at.astimezone(ZoneInfo("America/New_York")).hour for at in starts}

    assert in_new_york == {10}
    # From the 8th to the 29th of March the two cities are five hours apart, not six.
    assert {at.hour for at in starts} == {14, 15}


async def test_an_answer_is_seen_by_the_other_when_both_have_answered(story: Story) -> None:
    blind, revealed = story.seen[f"feedback after {TOM}"], story.seen[f"feedback after {MARIA}"]
    assert set(story.seen["answered"].values()) <= {200, 201, 204}
    assert blind != revealed
    assert story.types("feedback.") == ["feedback.given"] * 2


async def test_promises_are_kept_moved_and_missed_to_the_minute(story: Story) -> None:
    assert story.seen["kept"]["state"] == "kept"
    assert story.seen["more time"]["state"] == "open"
    assert story.seen["a minute before the grace is over"]["state"] == "open"
    assert story.seen["missed"]["state"] == "missed"
    missed = next(e for e in story.events if e.fact.type == "commitment.missed")
    assert missed.occurred_at == missed.fact.due_at + timedelta(hours=48)  # type: ignore[attr-defined]
    assert story.types("commitment.renegotiated") == ["commitment.renegotiated"]
    assert story.types("commitment.acknowledged") == ["commitment.acknowledged"]


async def test_a_repair_visibly_restores_trust(story: Story) -> None:
    trust = story.seen["trust"]

    assert story.types("repair.") == ["repair.promised", "repair.delivered"]
    assert trust["missed"] < trust["before"] - 0.05
    assert trust["repaired"] > trust["missed"] + 0.02


async def test_leave_stops_the_clock_of_a_promise(story: Story) -> None:
    assert story.seen["while she is away"]["state"] == "open"
    moved = datetime.fromisoformat(story.seen["moved"]["due_at"])
    assert moved - story.seen["promised for"] == timedelta(days=10)
    assert story.types("commitment.moved")
    assert len(story.types("commitment.missed")) == 1


async def test_a_dispute_is_settled_by_somebody_else_and_published_only_then(
    story: Story,
) -> None:
    assert [each["kind"] for each in story.seen["disputes"]["disputes"]] == ["session"]
    assert story.seen["judged by tom"].status_code == 403
    assert story.seen["judged"]["state"] == "held"
    assert story.types("session.missed") == []
    assert story.types("session.cancelled") == ["session.cancelled"]


async def test_a_reminder_is_a_fact_and_a_claim_that_is_taken_back_is_none(story: Story) -> None:
    assert story.types("boundary.") == ["boundary.reminded"]
    assert [each["what"] for each in story.seen["line waits"]] == ["boundary"]
    asked, settled = story.types("reply.requested"), story.types("reply.settled")
    assert len(asked) == len(settled) > 0


async def test_goals_move_and_notes_stay_between_the_two(story: Story) -> None:
    assert story.types("goal.") == ["goal.set", "goal.progressed"]
    assert story.seen["note for a stranger"].status_code == 404
    assert story.seen["agenda"]


async def test_the_calendar_is_read_by_a_calendar_until_it_is_revoked(story: Story) -> None:
    events = icalendar.Calendar.from_ical(story.seen["calendar"]).walk("VEVENT")
    assert {str(each["STATUS"]) for each in events} == {"CONFIRMED", "CANCELLED"}
    assert any("Maria Amina Roth" in str(each["SUMMARY"]) for each in events)
    assert story.seen["calendar revoked"] == 404


async def test_a_power_cut_changes_nothing(story: Story) -> None:
    before, after = story.seen["power"]
    assert before == after


async def test_what_they_said_to_each_other_is_in_no_topic(story: Story) -> None:
    assert [secret for secret in SECRETS if secret.encode() in story.bytes_] == []


async def test_who_is_erased_is_nowhere_and_the_partner_s_story_stays_true(story: Story) -> None:
    before, after = story.seen["history"]

    assert story.seen["erased"]["partner_name"] is None
    assert [e["event_id"] for e in before["entries"]] == [e["event_id"] for e in after["entries"]]
    assert [e["details"] for e in before["entries"]] == [e["details"] for e in after["entries"]]
    assert "Tom Amina Hill" not in story.tables
    # Tom's own words are gone; Maria's note is hers.
    assert [secret for secret in (SECRETS[2], SECRETS[3]) if secret in story.tables] == []
