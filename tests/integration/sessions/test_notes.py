"""Notes over HTTP and on a real database: for the two of a pair, and in no fact, log or history."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import httpx
import pytest

from shared.ids import new_id
from tests.integration.sessions.meeting import second_pair
from tests.integration.sessions.world import (
    DAY,
    HOUR,
    MENTEE,
    MENTOR,
    START,
    STRANGER,
    TENANT,
    World,
    hidden_from,
)
from tests.support.callers import as_

pytestmark = pytest.mark.stack

SECRET = "Quetzal nest, behind the boiler"
OTHERS = [
    pytest.param(STRANGER, "participant", TENANT, id="a stranger"),
    pytest.param(STRANGER, "manager", TENANT, id="a manager"),
    pytest.param(STRANGER, "hr", TENANT, id="HR"),
    pytest.param(STRANGER, "service", TENANT, id="a service"),
    pytest.param(MENTOR, "participant", "globex", id="somebody of the same name elsewhere"),
]


async def write(world: World, text: str = SECRET, *, by: str = MENTEE, **more: object) -> str:
    """A note's path."""
    made = await world.ok(by, f"/v1/pairs/{world.pair}/notes", {"text": text, **more})
    return f"/v1/notes/{made['note_id']}"


async def send(
    world: World,
    method: str,
    person: str,
    path: str,
    *,
    body: Mapping[str, object] | None = None,
    match: str | None = None,
    role: str = "participant",
    tenant: str = TENANT,
) -> httpx.Response:
    headers = as_(person, role, tenant=tenant)
    if match is not None:
        headers["If-Match"] = match
    return await world.http.request(method, path, json=body, headers=headers)


async def test_a_note_is_read_by_both_and_is_nowhere_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = await write(world)
    await world.post(MENTEE, f"/v1/pairs/{world.pair}/notes", {"text": SECRET}, key="k-1")
    await send(world, "PUT", MENTEE, path, body={"text": f"{SECRET}, still"}, match='"1"')
    refused = {"text": f"{SECRET}\x00"}
    await world.post(MENTEE, f"/v1/pairs/{world.pair}/notes", refused)

    for person, yours in ((MENTEE, True), (MENTOR, False)):
        read = (await world.get(person, path)).json()
        assert (read["text"], read["written_by"], read["yours"]) == (
            f"{SECRET}, still",
            MENTEE,
            yours,
        )
    assert await world.published() == []
    assert "Quetzal" not in caplog.text
    assert "Quetzal" not in (await world.get(MENTOR, f"/v1/pairs/{world.pair}/history")).text
    assert "Quetzal" not in str(await world.view(MENTOR))
    found = await world.look("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    tables = {row["tablename"] for row in found}
    assert tables > {"history", "outbox", "request", "note"}
    for table in tables - {"note"}:
        rows = await world.look(f'SELECT t::text AS row FROM "{table}" t')
        assert not any("quetzal" in each["row"].lower() for each in rows), table


@pytest.mark.parametrize(("person", "role", "tenant"), OTHERS)
async def test_to_everybody_else_there_is_no_note(
    world: World, person: str, role: str, tenant: str
) -> None:
    path, place = await write(world), f"/v1/pairs/{world.pair}/notes"

    answers = [
        await send(world, "GET", person, path, role=role, tenant=tenant),
        await send(world, "GET", person, place, role=role, tenant=tenant),
        await send(world, "POST", person, place, body={"text": "x"}, role=role, tenant=tenant),
        await send(
            world, "PUT", person, path, body={"text": "x"}, match='"1"', role=role, tenant=tenant
        ),
        await send(world, "DELETE", person, path, role=role, tenant=tenant),
        await send(world, "GET", person, f"/v1/notes/{new_id()}", role=role, tenant=tenant),
    ]

    assert [each.status_code for each in answers] == [hidden_from(role)] * 6
    # That it is there is not told either: what is not there is answered in the same words.
    assert {each.text for each in (answers[0], answers[5])} == {answers[5].text}
    assert "Quetzal" not in "".join(each.text for each in answers)
    assert (await world.get(MENTOR, path)).json()["text"] == SECRET


async def test_the_other_side_reads_a_note_and_leaves_it_as_it_is(world: World) -> None:
    path = await write(world)

    put = await send(world, "PUT", MENTOR, path, body={"text": "x"}, match='"1"')
    deleted = await send(world, "DELETE", MENTOR, path)

    assert (put.status_code, deleted.status_code) == (403, 403)
    assert (await world.get(MENTEE, path)).json()["text"] == SECRET


async def test_a_note_is_written_anew_only_over_what_was_read(world: World) -> None:
    path = await write(world)
    world.clock.at += DAY

    unread = await send(world, "PUT", MENTEE, path, body={"text": "x"})
    done = await send(world, "PUT", MENTEE, path, body={"text": "a\nb"}, match='"1"')
    stale = await send(world, "PUT", MENTEE, path, body={"text": "c"}, match='"1"')
    stale_delete = await send(world, "DELETE", MENTEE, path, match='"1"')

    assert (unread.status_code, done.status_code) == (428, 200)
    assert (stale.status_code, stale_delete.status_code) == (412, 412)
    assert done.headers["ETag"] == '"2"'
    assert done.json()["text"] == "a\nb"
    assert done.json()["edited_at"] == "2026-03-03T09:00:00Z"


async def test_of_a_deleted_note_nothing_is_left(world: World) -> None:
    path = await write(world)

    first = await send(world, "DELETE", MENTEE, path, match='"1"')
    again = await send(world, "DELETE", MENTEE, path)

    assert (first.status_code, first.content, again.status_code) == (204, b"", 404)
    assert await world.look("SELECT FROM note") == []
    assert (await world.get(MENTEE, path)).status_code == 404


async def test_a_note_is_of_a_session_of_this_pair_or_of_none(world: World) -> None:
    session = await world.schedule(START + DAY)
    path = await write(world, session_id=session)
    other = await second_pair(world)
    at = (START + 3 * DAY).isoformat()
    theirs = await world.ok(
        MENTOR, f"/v1/pairs/{other}/sessions", {"starts_at": at, "duration_minutes": 30}
    )

    for wrong in (theirs["session_id"], str(new_id())):
        body = {"text": "x", "session_id": wrong}
        made = await world.post(MENTOR, f"/v1/pairs/{world.pair}/notes", body)
        changed = await send(world, "PUT", MENTEE, path, body=body, match='"1"')
        assert (made.status_code, changed.status_code) == (404, 404)
        assert "session_id" in made.text
    await write(world, "of none")
    listed = await world.get(MENTOR, f"/v1/pairs/{world.pair}/notes?session={session}")
    assert [each["session_id"] for each in listed.json()["notes"]] == [session]


async def test_notes_come_in_pages_the_newest_first_and_each_once(world: World) -> None:
    for n in range(5):
        if n % 2:
            world.clock.at += HOUR  # two of them at the same instant, twice
        await write(world, f"note {n}")
    seen, cursor = [], ""
    for _ in range(3):
        page = await world.get(MENTOR, f"/v1/pairs/{world.pair}/notes?limit=2{cursor}")
        seen += [each["text"] for each in page.json()["notes"]]
        cursor = f"&cursor={page.json()['next_cursor']}"

    assert sorted(seen) == [f"note {n}" for n in range(5)]
    assert {*seen[:2]} == {"note 3", "note 4"}
    assert page.json()["next_cursor"] is None
    bad = await world.get(MENTOR, f"/v1/pairs/{world.pair}/notes?cursor=nonsense")
    assert (bad.status_code, "cursor" in bad.text) == (422, True)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        pytest.param("two\nlines", True, id="lines"),
        pytest.param("żółw 🐢", True, id="any letter"),
        pytest.param("x" * 4000, True, id="as long as can be"),
        pytest.param("x" * 4001, False, id="too long"),
        pytest.param("  \n ", False, id="nothing"),
        pytest.param("a\x00b", False, id="a nul, which the database would not take"),
        pytest.param("a\tb", False, id="a tab"),
        pytest.param("a\r\nb", False, id="a carriage return"),
        pytest.param("a\x1b[2Jb", False, id="an escape"),
        pytest.param("a\x7fb", False, id="a delete"),
    ],
)
async def test_a_note_is_lines_of_text(world: World, text: str, allowed: bool) -> None:
    answer = await world.post(MENTEE, f"/v1/pairs/{world.pair}/notes", {"text": text})

    assert answer.status_code == (201 if allowed else 422), answer.text
    if allowed:
        assert answer.json()["text"] == text
    else:
        assert {each["field"] for each in answer.json()["errors"]} == {"body.text"}


async def test_half_a_letter_is_no_text(world: World) -> None:
    answer = await world.http.post(
        f"/v1/pairs/{world.pair}/notes",
        content=b'{"text": "\\ud800"}',
        headers=as_(MENTEE, tenant=TENANT) | {"Content-Type": "application/json"},
    )

    assert answer.status_code == 422


async def test_a_retry_writes_no_second_note(world: World) -> None:
    place = f"/v1/pairs/{world.pair}/notes"

    made = [await world.post(MENTEE, place, {"text": "once"}, key="k-1") for _ in range(2)]

    assert made[0].json() == made[1].json()
    assert len((await world.get(MENTEE, place)).json()["notes"]) == 1
    assert (await world.post(MENTEE, place, {"text": "two"}, key="k-1")).status_code == 409


async def test_an_ended_pair_reads_its_notes_and_writes_no_more(world: World) -> None:
    path = await write(world)
    world.clock.at += DAY
    await world.end_pairs(world.clock.at)

    assert (await world.get(MENTOR, path)).status_code == 200
    answer = await world.post(MENTEE, f"/v1/pairs/{world.pair}/notes", {"text": "x"})
    assert answer.status_code == 409
    assert (await send(world, "DELETE", MENTEE, path)).status_code == 204
