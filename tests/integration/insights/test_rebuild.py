"""`trustfold insights rebuild`: the projection built anew beside the live one, and swapped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest

from services.insights import handlers
from services.insights.projection.place import GROUP, RebuildRefused
from services.insights.projection.swap import roll_back
from services.insights.queries import swapping
from shared.clock import FixedClock
from shared.kafka import dead_letters
from shared.kafka.delivery import Delivery
from tests.integration.insights.live import Facts, Live, command, environ, pair_id, poison
from tests.integration.insights.reading import Readers
from tests.support.databases import ROOT
from tests.support.seeing import seeing
from tests.support.waiting import until

pytestmark = pytest.mark.stack

FOR_OTHERS = "insights_v1"
RELEASED = ROOT / "shared/events/examples/programme.measured.v1.json"


async def keys(live: Live) -> dict[Any, int]:
    rows = await live.seen.fetch("SELECT tenant, pair_id, pair_key FROM pair")
    return {(row[0], row[1]): row[2] for row in rows}


async def schemas(live: Live) -> set[str]:
    named = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'insights%' AND nspname <> $1"
    return {row[0] for row in await live.seen.fetch(named, FOR_OTHERS)}


async def test_the_new_projection_is_the_live_one_row_by_row(live: Live) -> None:
    """Late and repeated facts, leaves and dead letters included."""
    facts = Facts()
    await live.say(facts.some(1_500))
    await live.send(poison(1))
    await live.say(facts.some(500))
    async with live.worker():
        await live.caught_up()

    done = await live.rebuild(swap=False)

    assert await live.picture("insights_next") == await live.picture()
    assert (done.comparison.repaired, done.comparison.lost, done.comparison.found) == ({}, 0, 0)
    assert done.comparison.largest_difference <= 1e-9
    assert (done.records, done.unreadable) == (live.sent, 0)


async def test_it_is_swapped_under_traffic_and_nothing_is_lost_or_doubled(live: Live) -> None:
    """Seen to fail (facts missing) when the last records are applied before the workers wait."""
    facts = Facts()
    await live.say(facts.some(1_000))
    async with live.worker(), live.traffic(facts):
        await live.caught_up()
        before = await keys(live)
        first = await live.rebuild()
        assert await schemas(live) == {"insights", "insights_previous"}
        second = await live.rebuild()
    async with live.worker():
        await live.caught_up()

    assert (first.swapped, second.swapped) == (True, True)
    assert first.comparison.repaired == second.comparison.repaired == {}
    verdict = await live.proved()
    assert verdict.ok
    assert verdict.told.records == live.sent
    assert await keys(live) == before


async def test_who_reads_what_was_released_reads_on_over_a_rebuild_and_back(live: Live) -> None:
    """The views are of tables that stay; a new projection makes none of its own."""
    told = json.dumps(json.loads(RELEASED.read_bytes())["value"]).encode()
    release = "INSERT INTO release VALUES ('acme', 'spring-2026', 24313, 'platform', $1)"
    await live.seen.execute(release, told)
    async with live.worker():
        await live.say(Facts().some(300))
        await live.caught_up()
    readers = Readers(live.place.admin_dsn, live.place.dsn)
    measures = "SELECT unit, epoch::text, pairs, health FROM programme_measure"
    try:
        async with readers.signed_in("acme") as conn:
            for step in (live.rebuild, live.rebuild, partial(roll_back, live.place)):
                await step()
                assert [tuple(row) for row in await conn.fetch(measures)] == [
                    ("platform", "2026-02-01", 40, 0.71)
                ]
    finally:
        await readers.clear()


async def test_workers_go_on_over_the_same_connections_and_statements(live: Live) -> None:
    """The very sessions that prepared their statements before the swap use the new tables after."""
    facts = Facts()
    pids = "SELECT array_agg(pid) FROM pg_stat_activity WHERE application_name LIKE 'trustfold-in%'"
    async with live.worker():
        await live.say(facts.some(500))
        await live.caught_up()
        held = [await live.seen.acquire() for _ in range(2)]
        statements = [await conn.prepare("SELECT count(*) FROM evidence") for conn in held]
        (old,) = {await statement.fetchval() for statement in statements}
        sessions = set(await live.seen.fetchval(pids))
        await live.rebuild()
        await live.say(facts.some(500))
        await live.caught_up()
        assert sessions <= set(await live.seen.fetchval(pids))
        found = {await statement.fetchval() for statement in statements}
    previous = "SELECT count(*) FROM insights_previous.evidence"
    assert found == {await live.seen.fetchval("SELECT count(*) FROM insights.evidence")}
    assert await live.seen.fetchval(previous) == old < found.pop()
    for conn in held:
        await live.seen.release(conn)


async def test_a_statement_that_waited_for_the_swap_writes_to_the_new_tables(live: Live) -> None:
    """Seen to fail (a deadlock) when rows are locked instead of the table."""
    async with live.worker():
        await live.say(Facts().some(300))
        await live.caught_up()
    await live.rebuild(swap=False)
    admin = await asyncpg.connect(live.place.admin_dsn, server_settings={"search_path": "insights"})
    lock = "SELECT next_offset FROM consumer_offset WHERE topic = $1 FOR UPDATE"
    move = "UPDATE consumer_offset SET next_offset = next_offset + 1000 WHERE topic = $1"
    of = "SELECT partition, next_offset FROM {}.consumer_offset WHERE topic = $1"
    topic = f"{live.namespace}mentoring.public.sessions.v1"

    async def deliver() -> None:
        async with seeing(live.seen) as conn:
            await conn.fetch(lock, topic)
            await conn.execute(move, topic)

    async with seeing(live.seen) as conn:  # its plan is cached
        await conn.fetch(lock, topic)
    async with admin.transaction():
        await swapping.stop_writers(admin, (), 3)
        waiting = [asyncio.create_task(deliver()) for _ in range(3)]
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"

        async def all_wait() -> object:
            return await admin.fetchval(blocked) == 3

        await until(all_wait, what="three deliveries waiting")
        before = {row[0]: row[1] for row in await admin.fetch(of.format("insights"), topic)}
        await swapping.swap(admin, incoming="insights_next", outgoing="insights_previous")
    await asyncio.gather(*waiting)
    await admin.close()
    moved = {row[0]: row[1] for row in await live.seen.fetch(of.format("insights"), topic)}
    old = {row[0]: row[1] for row in await live.seen.fetch(of.format("insights_previous"), topic)}
    assert moved == {partition: at + 3_000 for partition, at in before.items()}
    assert old == before


@pytest.mark.full
async def test_what_the_log_does_not_tell_stays_where_it_is(live: Live) -> None:
    facts = Facts()
    async with live.worker():
        await live.say(facts.some(800))
        await live.send(poison(2))
        await live.caught_up()

        async def all_surfaced() -> object:
            return not await live.seen.fetchval("SELECT count(*) FROM dirty_pair")

        await until(all_surfaced, what="surfaced")
    tables = ("outbox", "dead_letter", "surfaced", "stream_newest", "schema_migrations")
    before = {table: await live.seen.fetch(f"SELECT * FROM {table}") for table in tables}
    assert before["outbox"]
    assert before["dead_letter"]
    await live.rebuild()
    assert {table: await live.seen.fetch(f"SELECT * FROM {table}") for table in tables} == before
    async with live.worker():
        await live.say(facts.some(200))
        await live.caught_up()
    published = await live.seen.fetchval("SELECT count(*) - count(DISTINCT id) FROM outbox")
    assert published == 0


async def test_a_rollback_goes_on_from_where_the_previous_one_was(live: Live) -> None:
    """Seen to fail (facts skipped for ever) when a worker applies past a lower stored offset."""
    facts = Facts(pairs=20)
    async with live.worker():
        await live.say(facts.some(600))
        await live.caught_up()
        await live.rebuild()
        more = Facts(pairs=40, seed=2)  # some pairs are born after the swap
        await live.say(more.some(600))
        await live.caught_up()
        born = await keys(live)
        async with live.traffic(more):
            await roll_back(live.place)
        await live.caught_up()
        verdict = await live.proved()
    assert verdict.ok
    assert verdict.told.records == live.sent
    assert (await keys(live)).items() >= born.items()
    assert await schemas(live) == {"insights", "insights_next"}


@pytest.mark.full
async def test_an_idle_worker_notices_a_rollback_too(live: Live) -> None:
    """Seen to fail (never applied) without the look that needs no record."""
    facts = Facts()
    async with live.worker():
        await live.say(facts.some(300))
        await live.caught_up()
        await live.rebuild()
        await live.say(facts.some(300))
        await live.caught_up()
        await roll_back(live.place)
        await live.caught_up()
        assert (await live.proved()).ok


@pytest.mark.full
async def test_a_letter_redriven_after_the_swap_is_redriven_after_the_rollback(
    live: Live,
) -> None:
    """Seen to fail (its fact is missing) when a rollback leaves letters as they are."""
    async with live.worker():
        await live.say(Facts().some(200))
        await live.send(poison(3)[2:])
        await live.caught_up()
    await live.rebuild()
    later = Delivery(
        GROUP, live.seen, handlers.apply, FixedClock(datetime.now(UTC) + timedelta(days=500))
    )
    async with seeing(live.seen) as conn:
        await dead_letters.decide(conn, "redriving", None)
    assert await later.redrive() == 1
    redriven = await live.picture()
    await roll_back(live.place)
    assert await later.redrive() == 1
    assert (await live.picture())["evidence"] == redriven["evidence"]


@pytest.mark.full
async def test_a_letter_redriven_while_it_is_built_is_counted(live: Live) -> None:
    """Seen to fail (its fact is missing) when the follower looks at offsets alone."""
    async with live.worker():
        await live.say(Facts().some(200))
        await live.send(poison(3)[2:])
        await live.caught_up()
    clock = FixedClock(datetime.now(UTC) + timedelta(days=500))
    live.place = replace(live.place, clock=clock)
    later = Delivery(GROUP, live.seen, handlers.apply, clock)
    redriven: list[asyncio.Task[int]] = []

    async def redrive() -> int:
        async with seeing(live.seen) as conn:
            await dead_letters.decide(conn, "redriving", None)
        return await later.redrive()

    def progress(phase: str, done: int, total: int) -> None:
        if phase == "comparing":
            redriven.append(asyncio.create_task(redrive()))

    done = await live.rebuild(progress=progress)
    assert [await task for task in redriven] == [1]
    assert done.comparison.lost == 0
    assert (await live.proved()).ok


@pytest.mark.full
async def test_nothing_is_swapped_when_the_log_tells_less_than_is_stored(live: Live) -> None:
    async with live.worker():
        await live.say(Facts().some(300))
        await live.caught_up()
    await live.seen.execute(
        "INSERT INTO evidence (pair_key, event_id, at_us, tenant, kind, about, detail) "
        "SELECT pair_key, gen_random_uuid(), 1, tenant, 4, 1, 0 FROM pair WHERE pair_id = $1",
        pair_id(7),
    )
    before = await live.picture()
    with pytest.raises(RebuildRefused, match="holds 1 pairs, facts or leaves"):
        await live.rebuild()
    assert await live.picture() == before
    done = await live.rebuild(force=True)
    assert list(done.comparison.repaired.values()) == ["had other evidence"]
    assert (await live.proved()).ok


@pytest.mark.full
async def test_lost_evidence_and_a_lost_pair_are_made_anew(live: Live) -> None:
    async with live.worker():
        await live.say(Facts().some(600))
        await live.caught_up()
    whole = await live.picture()
    await live.seen.execute("DELETE FROM pair WHERE pair_id = $1", pair_id(7))
    await live.seen.execute("DELETE FROM evidence WHERE kind = 4")
    await live.seen.execute("DELETE FROM leave")
    code, done = await command(live, "rebuild")
    assert (code, done["swapped"]) == (0, True)
    assert "was missing" in done["comparison"]["repaired"].values()
    assert (await live.proved()).ok
    again = await live.picture()
    assert again["leave"] == whole["leave"]
    assert len(again["evidence"]) == len(whole["evidence"])


@pytest.mark.full
async def test_a_build_that_is_killed_leaves_the_live_one_and_the_next_starts_clean(
    live: Live,
) -> None:
    facts = Facts()
    async with live.worker():
        await live.say(facts.some(3_000))
        await live.caught_up()
    before = await live.picture()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.cli", "insights", "rebuild", "--batch", "5"),
        cwd=ROOT,
        env={**os.environ, **environ(live)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    staged = "SELECT to_regclass('insights_next.staged_0') IS NOT NULL"

    async def loading() -> object:
        return await live.seen.fetchval(staged) and await live.seen.fetchval(
            "SELECT EXISTS (SELECT FROM insights_next.staged_0)"
        )

    await until(loading, what="loading")
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    assert await live.picture() == before

    done = await live.rebuild(swap=False)

    assert (done.records, done.comparison.repaired) == (live.sent, {})
    assert await live.picture("insights_next") == before == await live.picture()


async def test_two_rebuilds_at_once_are_one_too_many(live: Live) -> None:
    async with live.worker():
        await live.say(Facts().some(100))
        await live.caught_up()
    found = await asyncio.gather(
        live.rebuild(swap=False), live.rebuild(swap=False), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in found) == ["RebuildRefused", "Rebuilt"]


async def test_there_is_nothing_to_roll_back_to_before_the_first_swap(live: Live) -> None:
    with pytest.raises(RebuildRefused, match="no projection in insights_previous"):
        await roll_back(live.place)


async def test_a_table_that_refers_to_a_pair_is_an_obstacle_and_named(live: Live) -> None:
    """What others add must not go on pointing at the tables that were swapped out."""
    admin = await asyncpg.connect(live.place.admin_dsn, server_settings={"search_path": "insights"})
    assert await swapping.obstacles(admin) == []
    await admin.execute("CREATE TABLE note (pair_key bigint REFERENCES pair)")
    await admin.execute("CREATE VIEW named AS SELECT pair_id FROM pair")
    found = await swapping.obstacles(admin)
    await admin.close()
    assert [each.partition(":")[0] for each in found] == [
        "note refers to pair",
        "the view named reads pair",
    ]
