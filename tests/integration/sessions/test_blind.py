"""Two histories that differ in one private answer are the same to the partner, in every route.

What was answered is changed, and then taken away, underneath the running service: whatever the
partner reads before and after is compared byte by byte, headers and entity tags included.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.postgres.tenancy import acting_for
from tests.integration.sessions.meeting import agree
from tests.integration.sessions.world import DAY, MENTEE, MENTOR, START, TENANT, World

pytestmark = pytest.mark.stack

# Right after the answer, before and after the questions close, and long after.
WHEN = [START + 2 * DAY, START + 14 * DAY, START + 16 * DAY, START + 60 * DAY]
# What no id of the pair leads to: the address of a calendar, and what is for others to read.
NOT_THEIRS = {"/v1/calendar/{secret}.ics", "/v1/disputes", "/v1/sweeper"}
# Says who asked for what, this test's own questions included, and nothing that was answered.
AUDIT = "/v1/audit"

Reading = dict[str, tuple[int, bytes, list[tuple[str, str]]]]


async def something_of_each(world: World) -> dict[str, str]:
    """A pair that has done a bit of everything: an id for every part of a path."""
    await agree(world)
    place = f"/v1/pairs/{world.pair}"
    ids = {"pair": str(world.pair), "version": "1", "programme": "leaders"}

    async def make(name: str, what: str, body: dict[str, Any]) -> None:
        ids[name] = str((await world.ok(MENTEE, f"{place}/{what}", body))[f"{name}_id"])

    await make("goal", "goals", {"words": "lead a team"})
    await make("note", "notes", {"text": "what we said"})
    await make("item", "agenda", {"text": "the offer"})
    await make("boundary", "boundaries", {"term": "hours"})
    later = (START + 30 * DAY).isoformat()
    await make("proposal", "proposals", {"slots": [{"starts_at": later, "duration_minutes": 30}]})
    first = (START + 40 * DAY).replace(tzinfo=None).isoformat()
    series = {"starts_at_local": first, "duration_minutes": 30, "count": 2}
    await make("series", "series", series)
    missed = ids["commitment"] = await world.promise(START + DAY)
    ids["session"] = await world.schedule(START + DAY)
    world.clock.at = START + DAY + DAY / 2
    await world.ok(MENTEE, f"/v1/commitments/{missed}/tell")
    world.clock.at = START + 4 * DAY
    await world.sweep()
    await make("repair", "repairs", {"repairs": missed, "due_at": (START + 9 * DAY).isoformat()})
    return ids


async def answered_in_private(world: World, session: str) -> None:
    """Both say that it was held, and the mentee answers what is asked of them."""
    for who in (MENTOR, MENTEE):
        await world.ok(who, f"/v1/sessions/{session}/confirm")
    item = (await world.get(MENTEE, f"/v1/sessions/{session}/question")).json()["item"]
    await world.ok(MENTEE, f"/v1/sessions/{session}/feedback", {"item": item, "answer": False})


async def all_that(who: str, world: World, ids: dict[str, str], role: str) -> Reading:
    """Every route that only reads, as `who` in that role sees it."""
    document = (await world.http.get("/openapi.json")).json()
    found = {}
    for path, methods in document["paths"].items():
        if "get" not in methods or path == AUDIT:
            continue
        url = path.replace("_id}", "}")
        for name, value in ids.items():
            url = url.replace(f"{{{name}}}", value)
        answer = await world.get(who, url, role=role)
        found[path] = (answer.status_code, answer.content, sorted(answer.headers.items()))
    return found


async def do(world: World, statement: str, *args: object) -> Any:
    """Change what the service keeps, as nobody can over HTTP; the first value of the answer."""
    async with acting_for(world.pool, TENANT) as conn:
        return await conn.fetchval(statement, *args)


_FLIP = "UPDATE feedback SET answer = NOT answer RETURNING true"
_TAKE_AWAY = """
    WITH gone AS (DELETE FROM feedback RETURNING *) SELECT jsonb_agg(gone)::text FROM gone
"""
_PUT_BACK = """
    INSERT INTO feedback SELECT * FROM jsonb_populate_recordset(NULL::feedback, $1::jsonb)
    RETURNING true
"""


@pytest.mark.parametrize("role", ["participant", "manager", "hr"])
async def test_no_route_says_whether_or_what_was_answered(world: World, role: str) -> None:
    ids = await something_of_each(world)
    await answered_in_private(world, ids["session"])
    for at in WHEN:
        world.clock.at = max(at, world.clock.at)
        await world.sweep()
        before = await all_that(MENTOR, world, ids, role)
        assert {path for path, (status, _, _) in before.items() if status != 200} == (
            NOT_THEIRS if role != "manager" else NOT_THEIRS - {"/v1/disputes"}
        )

        assert await do(world, _FLIP)
        assert await all_that(MENTOR, world, ids, role) == before
        rows = await do(world, _TAKE_AWAY)
        assert await all_that(MENTOR, world, ids, role) == before
        assert await do(world, _PUT_BACK, rows)
