"""A person's calendar by its secret address: who can read it, and what it says over time."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from shared.events.people import PersonChanged, PersonLeaveEnded, PersonLeft
from shared.ids import PersonId
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, TENANT, World
from tests.support.callers import as_


async def address(world: World, person: str = MENTOR, tenant: str = TENANT) -> str:
    answer = await world.post(person, "/v1/me/calendar", tenant=tenant)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["path"])


async def read(world: World, path: str, **headers: str) -> httpx.Response:
    """As a calendar client does: nothing but the address."""
    return await world.http.get(path, headers=headers)


async def entries(world: World, path: str) -> dict[str, Any]:
    """What is in the calendar, by the id of the thing."""
    answer = await read(world, path)
    assert answer.status_code == 200, answer.text
    found: list[Any] = Calendar.from_ical(answer.content).walk("VEVENT")
    return {str(each["UID"]).partition("@")[0]: each for each in found}


async def hr_says(world: World, person: PersonId, name: str, zone: str = "Europe/Berlin") -> None:
    fact = PersonChanged(
        person_id=person, email="a@example.org", display_name=name, timezone=zone, country="DE"
    )
    await world.deliver(fact)


async def test_a_calendar_opens_with_nothing_but_its_address(world: World) -> None:
    await hr_says(world, MENTEE, "Tom, B.; Åse")
    session = await world.schedule(START + DAY)
    mine, theirs = (
        await world.promise(START + 3 * DAY, by=MENTOR, title="a paper; read, by both"),
        await world.promise(START + 3 * DAY, by=MENTEE),
    )
    path = await address(world)
    answer = await read(world, path)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"].startswith("private")
    found = await entries(world, path)
    assert found[session]["SUMMARY"] == "Mentoring session with Tom, B.; Åse"
    assert found[session].start == START + DAY
    assert found[mine]["SUMMARY"] == "Due: a paper; read, by both"
    assert theirs not in found, "what others promised is in their calendar"


async def test_each_sees_the_other_sides_name_and_their_own_zone(world: World) -> None:
    await hr_says(world, MENTOR, "Maria Weber", "Asia/Tokyo")
    await world.schedule(START + DAY)
    (event,) = (await entries(world, await address(world, MENTEE))).values()
    assert event["SUMMARY"] == "Mentoring session with Maria Weber"
    text = (await read(world, await address(world, MENTOR))).text
    assert "X-WR-TIMEZONE:Asia/Tokyo" in text


async def test_only_a_digest_of_the_secret_is_kept(world: World) -> None:
    path = await address(world)
    secret = path.removeprefix("/v1/calendar/").removesuffix(".ics")
    assert re.fullmatch(r"acme\.[A-Za-z0-9_-]{43}", secret)
    (row,) = await world.look("SELECT * FROM calendar")
    assert row["digest"] == sha256(secret.encode()).digest()
    assert secret not in str(await world.look("SELECT to_jsonb(calendar)::text FROM calendar"))
    look = (await world.get(MENTOR, "/v1/me/calendar")).json()
    assert look == {"open": True, "since": "2026-03-02T09:00:00Z"}


async def test_a_new_address_closes_the_old_one_and_a_revoked_one_is_gone(world: World) -> None:
    first = await address(world)
    second = await address(world)
    assert (await read(world, first)).status_code == 404
    assert (await read(world, second)).status_code == 200
    headers = as_(MENTOR, tenant=TENANT)
    for _ in range(2):  # revoking again is no error
        assert (await world.http.delete("/v1/me/calendar", headers=headers)).status_code == 204
    gone = await read(world, second)
    assert gone.status_code == 404
    assert (await world.get(MENTOR, "/v1/me/calendar")).json() == {"open": False, "since": None}


async def test_what_is_wrong_with_an_address_cannot_be_told_from_the_answer(world: World) -> None:
    path = await address(world)
    secret = path.removeprefix("/v1/calendar/acme.").removesuffix(".ics")
    wrong = [
        f"acme.{'A' * 43}",  # no such secret
        f"globex.{secret}",  # another tenant's, and the secret is whole
        f"*.{secret}",  # every tenant's, if it were let through
        f"nobody.{secret}",
        f"acme.{secret}x",
        f"acme.{secret[:-1]}",
        "acme",
        "x" * 500,
        "acme.' OR 1=1 --",
    ]
    answers = [await read(world, f"/v1/calendar/{each}.ics") for each in wrong]
    assert {each.status_code for each in answers} == {404}
    assert len({each.text for each in answers}) == 1


async def test_addresses_of_two_tenants_are_apart(world: World) -> None:
    await world.schedule(START + DAY)
    other = await address(world, MENTOR, "globex")
    assert await entries(world, other) == {}
    assert len(await entries(world, await address(world))) == 1
    assert (await read(world, other)).status_code == 200, "one tenant's closes no other's"


async def test_a_calendar_that_has_not_changed_is_not_sent_again(world: World) -> None:
    session = await world.schedule(START + DAY)
    path = await address(world)
    first = await read(world, path)
    world.clock.at += HOUR
    again = await read(world, path, **{"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    world.clock.at = START + DAY + HOUR
    for person in (MENTOR, MENTEE):
        await world.ok(person, f"/v1/sessions/{session}/confirm")
    after = await read(world, path, **{"If-None-Match": first.headers["etag"]})
    assert after.status_code == 200


async def test_what_a_pairs_end_released_is_cancelled_where_it_was(world: World) -> None:
    session = await world.schedule(START + 3 * DAY)
    path = await address(world)
    (before,) = (await entries(world, path)).values()
    world.clock.at = START + DAY
    await world.end_pairs(START + DAY)
    after = (await entries(world, path))[session]
    assert (before["STATUS"], after["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["LAST-MODIFIED"].dt == START + DAY


async def test_it_reaches_ninety_days_back(world: World) -> None:
    session = await world.schedule(START + DAY)
    path = await address(world)
    world.clock.at = START + 91 * DAY
    assert session in await entries(world, path)
    world.clock.at += timedelta(seconds=1)
    assert session not in await entries(world, path)


async def test_who_has_left_takes_their_calendar_with_them(world: World) -> None:
    path = await address(world, MENTEE)
    await world.deliver(PersonLeft(person_id=MENTEE, left_on=START.date()))
    assert (await read(world, path)).status_code == 404


@pytest.mark.parametrize("method", ["post", "get", "delete"])
async def test_the_address_is_managed_by_a_caller_who_says_who_they_are(
    world: World, method: str
) -> None:
    assert (await world.http.request(method, "/v1/me/calendar")).status_code == 401


async def test_a_session_that_is_moved_and_cancelled_stays_one_entry(world: World) -> None:
    session = await world.schedule(START + 3 * DAY)
    path = await address(world)
    seen = [(await entries(world, path))[session]]
    world.clock.at += HOUR
    there = {"starts_at": (START + 4 * DAY).isoformat(), "duration_minutes": 60}
    await world.ok(MENTOR, f"/v1/sessions/{session}/reschedule", there)
    seen.append((await entries(world, path))[session])
    world.clock.at += HOUR
    await world.ok(MENTOR, f"/v1/sessions/{session}/cancel")
    seen.append((await entries(world, path))[session])
    assert [each.start for each in seen[:2]] == [START + 3 * DAY, START + 4 * DAY]
    assert [str(each["STATUS"]) for each in seen] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    sequences = [each["SEQUENCE"] for each in seen]
    assert sequences == sorted(set(sequences))
    assert [each["LAST-MODIFIED"].dt for each in seen] == [START, START + HOUR, START + 2 * HOUR]


async def test_a_promise_that_a_leave_moves_is_moved_in_the_calendar(world: World) -> None:
    promise = await world.promise(START + 7 * DAY)
    path = await address(world, MENTEE)
    first = (await entries(world, path))[promise]
    leave = PersonLeaveEnded(
        person_id=MENTEE,
        leave_id="l",
        started_on=(START + DAY).date(),
        back_on=(START + 3 * DAY).date(),
    )
    await world.deliver(leave)
    then = (await entries(world, path))[promise]
    assert then.end == first.end + 2 * DAY
    assert then["SEQUENCE"] > first["SEQUENCE"]
