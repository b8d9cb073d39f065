"""What holds for every command: retries, revisions, and rows that other tenants cannot see."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import asyncpg
import pytest

from deploy.local.stack import Stack
from shared.ids import TenantId
from shared.postgres.tenancy import acting_for, reading_for
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, TENANT, World
from tests.support.callers import as_
from tests.support.databases import as_administrator

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY

AWAY = "ALTER TABLE history RENAME TO history_away"
BACK = "ALTER TABLE history_away RENAME TO history"


async def test_a_retry_of_a_change_changes_nothing_and_gets_the_thing_as_it_is(
    world: World,
) -> None:
    commitment = await world.promise(DUE)
    path = f"/v1/commitments/{commitment}/warn"
    first = await world.post(MENTEE, path, key="k-1")
    await world.ok(MENTOR, f"/v1/commitments/{commitment}/keep")
    before = await world.types()

    again = await world.post(MENTEE, path, key="k-1")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["state"] == "kept"
    assert await world.types() == before


async def test_a_key_belongs_to_one_request(world: World) -> None:
    one, other = await world.promise(DUE), await world.promise(DUE + DAY)
    await world.post(MENTEE, f"/v1/commitments/{one}/warn", key="k-1")

    reused = await world.post(MENTEE, f"/v1/commitments/{other}/warn", key="k-1")

    assert reused.status_code == 409
    assert reused.json()["type"].endswith("key-reused")


async def test_the_same_key_at_the_same_time_happens_once(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/commitments"
    body = {"due_at": DUE.isoformat(), "title": "read it"}

    answers = await asyncio.gather(*(world.post(MENTEE, path, body, key="k") for _ in range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["commitment_id"] for answer in answers}) == 1
    assert await world.told() == ["commitment.made"]


async def test_every_post_takes_a_key_and_a_revision(world: World) -> None:
    document = (await world.http.get("/openapi.json")).json()

    for path, methods in document["paths"].items():
        if "post" not in methods:
            continue
        taken = {each["name"] for each in methods["post"].get("parameters", ())}
        assert {"Idempotency-Key", "If-Match"} <= taken, path


async def test_a_change_of_what_has_changed_since_is_refused(world: World) -> None:
    body = {"due_at": DUE.isoformat(), "title": "read it"}
    made = await world.post(MENTEE, f"/v1/pairs/{world.pair}/commitments", body)
    path = f"/v1/commitments/{made.json()['commitment_id']}"
    seen = (await world.post(MENTOR, f"{path}/accept")).headers["ETag"]
    warned = await world.post(MENTEE, f"{path}/warn", match=seen)

    stale = await world.post(MENTOR, f"{path}/keep", match=seen)
    fresh = await world.post(MENTOR, f"{path}/keep", match=warned.headers["ETag"])

    assert seen != warned.headers["ETag"]
    assert (stale.status_code, fresh.status_code) == (412, 200)
    assert stale.json()["type"].endswith("changed-meanwhile")


async def test_of_two_who_saw_the_same_revision_one_changes_it(world: World) -> None:
    body = {"due_at": DUE.isoformat(), "title": "read it"}
    made = await world.post(MENTEE, f"/v1/pairs/{world.pair}/commitments", body)
    path = f"/v1/commitments/{made.json()['commitment_id']}"
    seen = (await world.post(MENTOR, f"{path}/accept")).headers["ETag"]

    answers = await asyncio.gather(
        world.post(MENTEE, f"{path}/warn", match=seen),
        world.post(MENTOR, f"{path}/keep", match=seen),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert len(await world.told("commitment.accepted")) == 2


@pytest.mark.parametrize("match", ["1", "*", '"x"', 'W/"1"'])
async def test_a_revision_that_is_none_is_named(world: World, match: str) -> None:
    commitment = await world.promise(DUE)

    refused = await world.post(MENTEE, f"/v1/commitments/{commitment}/warn", match=match)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "header.If-Match"


TABLES = """
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND column_name = 'tenant'
      AND table_name NOT IN ('outbox', 'inbox', 'dead_letter', 'consumer_offset')
"""


async def test_every_table_with_a_tenant_keeps_tenants_apart(world: World) -> None:
    tables = {row["table_name"] for row in await world.look(TABLES)}
    secured = await world.look(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
        " AND relnamespace = current_schema()::regnamespace"
    )

    assert {"pair", "session", "commitment", "history"} <= tables
    assert tables == {row["relname"] for row in secured}


async def test_without_a_tenant_there_is_nothing_and_another_one_sees_nothing(
    world: World,
) -> None:
    await world.promise(DUE)
    everything = "SELECT pair_id FROM commitment"

    assert await world.pool.fetch(everything) == []
    async with reading_for(world.pool, TenantId("globex")) as conn:
        assert await conn.fetch(everything) == []
    async with reading_for(world.pool, TENANT) as conn:
        assert len(await conn.fetch(everything)) == 1


async def test_nothing_is_written_for_another_tenant(world: World) -> None:
    write = "INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id, started_at)"
    values = "VALUES ('acme', gen_random_uuid(), 'a', 'b', now())"

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with acting_for(world.pool, TenantId("globex")) as conn:
            await conn.execute(f"{write} {values}")


async def test_a_tenant_is_forgotten_with_its_transaction(world: World) -> None:
    for _ in range(3):
        async with acting_for(world.pool, TENANT) as conn:
            assert await conn.fetch("SELECT FROM pair")
    assert await world.pool.fetch("SELECT FROM pair") == []


@pytest.mark.parametrize("tenant", ["a'; DROP TABLE pair; --", "", "x" * 65, "a b"])
async def test_what_is_no_tenant_begins_no_transaction(world: World, tenant: str) -> None:
    with pytest.raises(ValueError, match="not the id of a tenant"):
        async with acting_for(world.pool, TenantId(tenant)):
            pass


async def test_a_command_that_fails_leaves_nothing(world: World, stack: Stack) -> None:
    commitment = await world.promise(DUE)
    await as_administrator(stack.postgres_dsn, world.pool, AWAY)
    try:
        with pytest.raises(asyncpg.UndefinedTableError):
            await world.post(MENTEE, f"/v1/commitments/{commitment}/warn", key="k-1")
    finally:
        await as_administrator(stack.postgres_dsn, world.pool, BACK)

    assert await world.told("commitment.accepted") == ["commitment.made"]
    world.clock.at = START + HOUR + timedelta(minutes=1)
    retried = await world.post(MENTEE, f"/v1/commitments/{commitment}/warn", key="k-1")
    assert retried.status_code == 200


@pytest.mark.parametrize("title", ["a\x00b", "a\nb", "   ", "x" * 201, "\ud800"])
async def test_words_that_cannot_be_kept_are_refused_by_name(world: World, title: str) -> None:
    raw = json.dumps({"due_at": DUE.isoformat(), "title": title})
    headers = as_(MENTEE, tenant=TENANT) | {"Content-Type": "application/json"}

    refused = await world.http.post(
        f"/v1/pairs/{world.pair}/commitments", content=raw, headers=headers
    )

    assert refused.status_code == 422
    assert "title" in refused.json()["detail"] or "body" in refused.json()["detail"]
