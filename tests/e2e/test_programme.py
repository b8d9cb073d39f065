"""A programme as one told story, on the real services, broker and database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.events.envelope import Event
from tests.e2e.a_programme import SECRET, START, tell
from tests.e2e.stage import open_stage

pytestmark = pytest.mark.stack


@dataclass
class Story:
    """What the chapters saw, and what is in the log at the end."""

    seen: dict[str, Any]
    events: list[Event]
    bytes_: bytes

    def types(self, pair_id: str) -> list[str]:
        return [e.fact.type for e in self.events if str(getattr(e.fact, "pair_id", "")) == pair_id]


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    run_dir = tmp_path_factory.mktemp("programme")
    async with open_stage(run_dir, START, ("matching", "sessions")) as stage:
        seen = await tell(stage)
        await stage.read_up("matching", "sessions")
        yield Story(seen, await stage.events(), await stage.everything())


async def test_hrs_facts_make_people_and_a_profile_is_ones_own(story: Story) -> None:
    assert story.seen["people"]["total"] == 9
    assert story.seen["profile"].status_code == 200
    assert SECRET not in str(story.seen["people"])


async def test_settings_that_contradict_themselves_are_refused_with_the_field(
    story: Story,
) -> None:
    refused = story.seen["contradiction"]
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "settings.weights")
    assert story.seen["programme"].json()["version"] == 1


async def test_what_if_is_only_ever_a_question(story: Story) -> None:
    assert story.seen["what if committed"].status_code == 409


async def test_the_report_says_what_is_short_and_why(story: Story) -> None:
    measures = story.seen["report"]["measures"]
    assert (measures["mentees"], measures["places"], measures["placed"]) == (6, 4, 4)
    assert measures["shortage"] == 2
    reasons = {each["person_id"]: each["reason"] for each in story.seen["unmatched"]["unmatched"]}
    assert reasons["mi"] == "no_shared_goal"
    assert sorted(reasons) in (["mel", "mi"], ["mi", "mo"])
    assert next(r for who, r in reasons.items() if who != "mi") == "no_mentor_capacity"


async def test_nothing_is_published_before_a_manager_commits(story: Story) -> None:
    assert story.seen["before commit"] == []


async def test_who_left_meanwhile_is_not_proposed(story: Story) -> None:
    assert "mia" not in story.seen["proposed"]
    assert {"max", "may"} < set(story.seen["proposed"])
    proposed = [e.fact for e in story.events if e.fact.type == "pair.proposed"]
    assert "mia" not in {fact.mentee_id for fact in proposed}  # type: ignore[attr-defined]


async def test_whom_one_avoids_one_is_not_proposed(story: Story) -> None:
    assert story.seen["max"]["mentor"]["person_id"] == "ada"


async def test_a_pair_that_started_is_there_for_sessions(story: Story) -> None:
    assert story.seen["in sessions"]["you_are"] == "mentee"


async def test_without_a_free_place_one_is_told_how_long_it_may_take(story: Story) -> None:
    refused = story.seen["refused"]
    assert (refused.status_code, refused.json()["type"].rsplit(":")[-1]) == (409, "no-free-place")
    assert "wait" in str(story.seen["wait"])


async def test_what_nobody_answered_lapses_and_gives_its_place_back(story: Story) -> None:
    lapsed = [pair for who, pair in story.seen["proposed"].items() if who != "max"]
    for pair in lapsed:
        assert story.types(pair["pair_id"]) == ["pair.proposed", "pair.expired"]
    asked = story.seen["asked"]
    assert story.types(asked["pair_id"])[:3] == ["pair.proposed", "pair.accepted", "pair.accepted"]
    assert story.seen["answered"]["state"] == "accepted"


async def test_a_new_match_says_nothing_of_who_wanted_it(story: Story) -> None:
    ended = [e.fact for e in story.events if e.fact.type == "pair.ended"]
    (fact,) = [f for f in ended if str(f.pair_id) == story.seen["max"]["pair_id"]]  # type: ignore[attr-defined]
    assert fact.reason == "rematched"  # type: ignore[attr-defined]
    assert set(fact.model_dump()) == {"pair_id", "mentor_id", "mentee_id", "ended_at", "reason"}
    # Of the two others who offer it he has one had, and would rather not meet the other.
    assert story.seen["anew"]["pair_id"] == story.seen["max"]["pair_id"]


async def test_no_word_of_a_profile_is_in_any_topic_or_left_after_erasure(story: Story) -> None:
    assert SECRET.encode() not in story.bytes_
    assert SECRET not in story.seen["tables"]
