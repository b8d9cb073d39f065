"""Sessions that come again, and free times: clocks that change, days off, hours taken."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.events.people import PersonLeaveStarted
from shared.events.sessions import SessionCancelled
from tests.integration.sessions.meeting import agree, moved_to, second_pair, seen
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, World
from tests.support.callers import as_

pytestmark = pytest.mark.stack


async def book(world: World, **changed: object) -> dict[str, Any]:
    body: dict[str, object] = {
        "starts_at_local": "2026-03-16T09:00",
        "duration_minutes": 60,
        "count": 3,
        **changed,
    }
    return await world.ok(MENTOR, f"/v1/pairs/{world.pair}/series", body)


def starts(made: dict[str, Any]) -> list[str]:
    return [each["starts_at"] for each in made["sessions"]]


async def test_a_series_is_at_the_same_time_of_the_clocks_in_ones_own_zone(world: World) -> None:
    await moved_to(world, maria="Europe/Berlin", tom="America/New_York")

    made = await book(world)

    assert (made["zone"], made["every_days"], made["left_out"]) == ("Europe/Berlin", 14, [])
    assert starts(made) == [
        "2026-03-16T08:00:00Z",
        "2026-03-30T07:00:00Z",
        "2026-04-13T07:00:00Z",
    ]
    assert [each["starts_at_local"][11:16] for each in made["sessions"]] == ["09:00"] * 3
    assert [each["starts_at_partner"][11:16] for each in made["sessions"]] == [
        "04:00",
        "03:00",
        "03:00",
    ]
    assert {each["series_id"] for each in made["sessions"]} == {made["series_id"]}
    assert await world.types() == ["session.scheduled"] * 3


async def test_the_agreed_cadence_is_the_rhythm_unless_another_is_named(world: World) -> None:
    await agree(world, cadence_days=10)

    agreed, named = await book(world), await book(world, every_days=1, zone="Asia/Tokyo")

    assert starts(agreed)[:2] == ["2026-03-16T09:00:00Z", "2026-03-26T09:00:00Z"]
    assert starts(named)[:2] == ["2026-03-16T00:00:00Z", "2026-03-17T00:00:00Z"]


async def test_what_does_not_fit_is_left_out_and_named(world: World) -> None:
    other = await second_pair(world)
    taken = {"starts_at": "2026-03-16T09:30:00Z", "duration_minutes": 60}
    await world.ok(MENTOR, f"/v1/pairs/{other}/sessions", taken)
    await world.deliver(
        PersonLeaveStarted(person_id=MENTEE, leave_id="l-1", started_on=date(2026, 3, 30))
    )

    made = await book(world, every_days=7)

    assert starts(made) == ["2026-03-23T09:00:00Z"]
    assert made["left_out"] == [
        {"starts_at": "2026-03-16T09:00:00Z", "reason": "overlap"},
        {"starts_at": "2026-03-30T09:00:00Z", "reason": "leave"},
    ]


async def test_a_series_of_which_nothing_fits_leaves_nothing(world: World) -> None:
    await agree(world)
    body = {"starts_at_local": "2026-03-16T09:00", "duration_minutes": 60, "count": 2}
    path, before = f"/v1/pairs/{world.pair}/series", await world.types()

    refused = await world.post(MENTOR, path, {**body, "channel": "phone"}, key="k")
    made = await world.post(MENTOR, path, {**body, "channel": "video"}, key="k")

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("nothing-fits")
    assert refused.json()["detail"].endswith("2 channel")
    assert made.status_code == 201
    assert (await world.types())[len(before) :] == ["session.scheduled"] * 2


async def test_a_retry_books_once_and_is_told_the_same(world: World) -> None:
    body = {"starts_at_local": "2026-03-16T09:00", "duration_minutes": 60, "count": 2}
    path = f"/v1/pairs/{world.pair}/series"

    one = await world.post(MENTOR, path, body, key="k")
    other = await world.post(MENTOR, path, body, key="k")

    assert one.json() == other.json()
    assert await world.types() == ["session.scheduled"] * 2


async def test_calling_off_a_series_calls_off_what_is_ahead(world: World) -> None:
    made = await book(world, every_days=1)
    first, second, third = (each["session_id"] for each in made["sessions"])
    await world.ok(MENTEE, f"/v1/sessions/{third}/cancel")
    world.clock.at = START + 14 * DAY + HOUR

    headers = as_(MENTEE)
    path = f"/v1/series/{made['series_id']}"
    off = await world.http.delete(path, headers=headers)
    again = await world.http.delete(path, headers=headers)

    assert (off.status_code, again.json()) == (200, off.json())
    states = [(await seen(world, each))["state"] for each in (first, second, third)]
    assert states == ["scheduled", "cancelled", "cancelled"]
    assert (await world.types())[3:] == ["session.cancelled"] * 2
    fact = (await world.published())[-1].fact
    assert isinstance(fact, SessionCancelled)
    assert (fact.by, fact.with_notice) == (MENTEE, False)


async def test_one_of_a_series_is_moved_by_itself(world: World) -> None:
    made = await book(world)
    first = made["sessions"][0]["session_id"]

    await world.ok(MENTEE, f"/v1/sessions/{first}/reschedule", {"starts_at": "2026-03-17T09:00Z"})

    view = (await world.get(MENTOR, f"/v1/series/{made['series_id']}")).json()
    assert starts(view) == [
        "2026-03-17T09:00:00Z",
        "2026-03-30T09:00:00Z",
        "2026-04-13T09:00:00Z",
    ]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"zone": "Europe/Atlantis"}, "body.zone"),
        ({"zone": "../etc/passwd"}, "body.zone"),
        ({"starts_at_local": "2026-03-16T09:00:00Z"}, "body.starts_at_local"),
        ({"starts_at_local": "2026-03-02T09:00"}, "starts_at_local"),
        ({"starts_at_local": "9999-12-31T23:59"}, "starts_at_local"),
        ({"starts_at_local": "0001-01-01T00:00"}, "starts_at_local"),
        ({"count": 27}, "body.count"),
        ({"count": 0}, "body.count"),
        ({"every_days": 0}, "body.every_days"),
    ],
)
async def test_a_bad_series_is_refused_with_its_field(
    world: World, changed: dict[str, object], field: str
) -> None:
    body = {"starts_at_local": "2026-03-16T09:00", "duration_minutes": 60, "count": 2, **changed}

    refused = await world.post(MENTOR, f"/v1/pairs/{world.pair}/series", body)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field


async def test_free_times_are_free_for_both_and_shown_in_both_zones(world: World) -> None:
    await moved_to(world, maria="Europe/Berlin", tom="America/New_York")
    other = await second_pair(world)
    await world.ok(
        MENTOR,
        f"/v1/pairs/{other}/sessions",
        {"starts_at": "2026-03-02T15:00:00Z", "duration_minutes": 30},
    )
    path = f"/v1/pairs/{world.pair}/slots?duration_minutes=60&days=1"

    slots = (await world.get(MENTEE, path)).json()["slots"]

    # Before half past three it would run into the other's hour; after, into Berlin's evening.
    assert [each["starts_at"][11:16] for each in slots] == ["14:00"]
    assert slots[0]["starts_at_local"] == "2026-03-02T09:00:00-05:00"
    assert slots[0]["starts_at_partner"] == "2026-03-02T15:00:00+01:00"


async def test_every_free_time_that_is_named_can_be_booked(world: World) -> None:
    await agree(world)
    path = f"/v1/pairs/{world.pair}/slots?duration_minutes=90&limit=8&from=2026-03-06T15:00:00Z"

    slots = (await world.get(MENTOR, path)).json()["slots"]

    assert [each["starts_at"] for each in slots[:3]] == [
        "2026-03-06T15:00:00Z",
        "2026-03-06T15:15:00Z",
        "2026-03-06T15:30:00Z",
    ]
    assert slots[3]["starts_at"] == "2026-03-09T09:00:00Z"
    session = await world.schedule(datetime.fromisoformat(slots[0]["starts_at"]), 90)
    after = (await world.get(MENTOR, path)).json()["slots"]
    assert (await seen(world, session))["state"] == "scheduled"
    assert after[0]["starts_at"] == "2026-03-09T09:00:00Z"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("duration_minutes=4", "query.duration_minutes"),
        ("days=32", "query.days"),
        ("limit=0", "query.limit"),
        ("from=2026-03-06T15:00:00", "query.from"),
        ("from=2028-03-06T15:00:00Z", "from"),
    ],
)
async def test_a_bad_question_for_slots_names_its_field(
    world: World, query: str, field: str
) -> None:
    refused = await world.get(MENTOR, f"/v1/pairs/{world.pair}/slots?{query}")

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field


async def test_looking_for_times_far_and_wide_is_quick_when_there_are_none(world: World) -> None:
    await moved_to(world, maria="Asia/Tokyo", tom="America/New_York")
    path = f"/v1/pairs/{world.pair}/slots?days=31"

    answer = await world.get(MENTOR, path)

    assert answer.json() == {"slots": []}
    assert answer.elapsed < timedelta(seconds=2)
