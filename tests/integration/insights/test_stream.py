"""Live streams of a real process: nothing missing, nothing twice, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from services.insights.ring import forget
from services.insights.streams.feed import PAGE_ROWS, Feed, Pace, Wanted
from services.insights.streams.hub import Hub
from services.insights.streams.log import Reader
from tests.integration.insights.listening import ROOT, Listener, headers_of
from tests.integration.insights.streaming import OWN, TODAY, World, first_of
from tests.support.callers import token
from tests.support.seeing import seeing
from tests.support.waiting import until
from tests.unit.insights.facts import ACME, ANN, PAIR, event, held, kept, started

pytestmark = pytest.mark.stack


async def test_a_snapshot_comes_first_and_then_each_change(world: World) -> None:
    pairs = sorted(uuid4() for _ in range(3))
    await world.happens(*[first_of(pair) for pair in pairs])
    api = await world.api()
    async with api.listening() as listener:
        (live,) = await listener.hears(1, "live")
        assert [UUID(it.data["pair_id"]) for it in listener.of("snapshot")] == pairs
        assert live.position == 3
        await world.happens(event(held(pairs[1]), 2))
        (changed,) = await listener.hears(1, "trust")
    assert (UUID(changed.data["pair_id"]), changed.data["revision"]) == (pairs[1], 2)
    assert changed.position == 4


async def test_what_was_not_surfaced_at_the_snapshot_comes_once(world: World) -> None:
    api = await world.api()
    async with seeing(world.pool) as conn:
        await world.service.apply(conn, [first_of(PAIR)], TODAY)
    async with api.listening() as listener:
        await listener.hears(1, "live")
        await world.happens(first_of(uuid4()))
        await listener.hears(2, "snapshot", "trust")
        assert len({it.data["pair_id"] for it in listener.of("snapshot", "trust")}) == 2


@pytest.mark.full
async def test_after_kill_9_readers_go_on_with_nothing_missing_or_twice(world: World) -> None:
    """Seen to fail when the stream resumes at its newest position instead of the one asked for."""
    pairs = [uuid4() for _ in range(5)]
    await world.happens(*[first_of(pair) for pair in pairs])
    api = await world.api()
    heard: list[int] = []
    last: str | None = None
    for day in range(2, 8):
        async with api.listening(last=last) as listener:
            await listener.hears(1, "fresh" if last else "live")
            await world.happens(*[event(kept(pair), day) for pair in pairs])
            said = await listener.hears(2, "trust")
            # Killed wherever the reader happens to be.
            api.kill()
            await world.happens(event(kept(pairs[0]), day))
            await listener.ends()
            said = listener.of("trust")
            heard += [it.position for it in said]
            last = said[-1].id
        await api.start()
    async with api.listening(last=last) as listener:
        await listener.hears(1, "trust")
        heard += [it.position for it in listener.of("trust")]
        assert not listener.of("snapshot", "live", "reset")
    everything = await world.positions("service")
    assert heard == everything[5 : 5 + len(heard)]
    assert heard[-1] == everything[-1]


@pytest.mark.full
async def test_changes_while_a_snapshot_is_read_are_neither_lost_nor_doubled(world: World) -> None:
    pairs = [uuid4() for _ in range(450)]
    await world.happens(*[first_of(pair) for pair in pairs])
    api = await world.api()

    async def change() -> None:
        for day in range(2, 8):
            await world.happens(*[event(kept(pair), day) for pair in pairs[::9]])

    changing = asyncio.create_task(change())
    for _ in range(4):
        async with api.listening() as listener:
            (live,) = await listener.hears(1, "live")
            after = await listener.hears(20, "trust")
            assert [it.position for it in after] == list(
                range(live.position + 1, live.position + 1 + len(after))
            )
            shown = {it.data["pair_id"]: it.data["revision"] for it in listener.of("snapshot")}
            for it in after:
                assert it.data["revision"] > shown.get(it.data["pair_id"], 0)
                shown[it.data["pair_id"]] = it.data["revision"]
            assert len(shown) == len(pairs)
        if changing.done():
            break
    await changing


async def test_what_changes_between_two_pages_of_a_snapshot_comes_once(world: World) -> None:
    """Seen to fail when what was said after the snapshot's position is left in the snapshot."""
    pairs = sorted(uuid4() for _ in range(2 * PAGE_ROWS))
    await world.happens(*[first_of(pair) for pair in pairs])

    async def fresh(_: object) -> bytes:
        return b"{}"

    hub, stopping, heard = Hub(world.pool, 100), asyncio.Event(), Listener()
    running = asyncio.create_task(hub.run(stopping))
    feed = Feed(world.pool, hub, Pace(15, 60), fresh)
    chunks = feed.stream(Wanted(("service", ACME), None, None), Reader())
    while not heard.of("snapshot"):
        heard.take(await anext(chunks))
    # One that was told already, and one that was not.
    await world.happens(event(held(pairs[0]), 2), event(held(pairs[-1]), 2))
    while len(heard.of("trust")) < 2:
        heard.take(await asyncio.wait_for(anext(chunks), 10))
    stopping.set()
    await running
    assert len(heard.of("snapshot")) == len(pairs) - 1
    changed = {UUID(it.data["pair_id"]): it.data["revision"] for it in heard.of("trust")}
    assert changed == {pairs[0]: 2, pairs[-1]: 2}


async def test_one_programme_is_what_was_asked_for(world: World) -> None:
    other = uuid4()
    await world.happens(event(started(), 0), first_of(PAIR), first_of(other))
    api = await world.api()
    async with api.listening("/v1/stream?programme=spring") as listener:
        await listener.hears(1, "live")
        assert [it.data["pair_id"] for it in listener.of("snapshot")] == [str(PAIR)]
        await world.happens(event(held(other), 3))
        await world.happens(event(held(), 4))
        (changed,) = await listener.hears(1, "trust")
        assert changed.data["pair_id"] == str(PAIR)
        # Its programme is learned after its first evidence.
        await world.happens(event(started(other), 0))
        *_, late = await listener.hears(2, "trust")
        assert late.data["pair_id"] == str(other)


def with_position(event_id: str, position: int) -> str:
    return f"{event_id.rpartition('.')[0]}.{position}"


async def test_an_id_older_than_the_ring_gets_a_snapshot(world: World) -> None:
    pairs = [uuid4() for _ in range(4)]
    await world.happens(*[first_of(pair) for pair in pairs])
    api = await world.api()
    async with api.listening() as listener:
        (live,) = await listener.hears(1, "live")
    assert live.id is not None
    known = with_position(live.id, 2)
    async with api.listening(last=known) as listener:
        assert [it.position for it in await listener.hears(2, "trust")] == [3, 4]
    await forget(world.pool, 1, 3600)
    assert await world.positions("service") == [4]
    elsewhere = live.id.replace(live.id.split(".")[1], "0" * 8)
    for gone in (known, elsewhere, with_position(live.id, 5)):
        async with api.listening(last=gone) as listener:
            await listener.hears(1, "live")
            assert [it.event for it in listener.said[:5]] == ["reset"] + ["snapshot"] * 4
    async with api.listening(last=live.id) as listener:
        await listener.hears(1, "fresh")
        assert not listener.of("reset", "snapshot", "trust")


async def test_a_malformed_id_is_refused_with_the_way_to_a_snapshot(world: World) -> None:
    await world.happens(event(started(), 0), first_of(PAIR))
    api = await world.api()
    for path, role, last in (
        ("/v1/stream", "service", "42"),
        ("/v1/stream?programme=spring", "manager", "service.00000000.4"),
        (OWN, "participant", "service.00000000.4"),
    ):
        answer = await api.get(path, role=role, **{"Last-Event-ID": last})
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("bad-last-event-id")
        assert answer.json()["errors"][0]["field"] == "Last-Event-ID"
        assert answer.headers["link"] == f'<{path}>; rel="start"'
        async with api.listening(path, role=role) as listener:
            await listener.hears(1, "snapshot")


async def test_a_quiet_stream_says_that_it_is_alive_and_how_fresh(world: World) -> None:
    await world.happens(first_of(PAIR))
    api = await world.api(INSIGHTS_STREAM_HEARTBEAT_S="0.1")
    async with api.listening() as listener:
        beats = await listener.hears(3, "fresh")
    assert all(beat.raw.startswith(b": heartbeat") for beat in beats)
    assert set(beats[0].data) == {"as_of", "events_behind"}
    assert beats[0].position == 1


async def test_a_stopping_process_ends_its_streams_at_once(world: World) -> None:
    """Seen to fail (ten seconds, then cancelled) when nobody closes the readers."""
    await world.happens(first_of(PAIR))
    api = await world.api()
    async with (
        api.listening() as listener,
        api.listening(OWN, role="participant") as own,
    ):
        await listener.hears(1, "live")
        await own.hears(1, "snapshot")
        started_s = asyncio.get_running_loop().time()
        code = await asyncio.to_thread(api.stop)
        assert asyncio.get_running_loop().time() - started_s < 5
        assert code == 0
        await listener.ends()


async def test_a_stream_ends_after_its_time_and_goes_on_where_it_was(world: World) -> None:
    await world.happens(first_of(PAIR))
    api = await world.api(INSIGHTS_STREAM_MOST_S="0.2")
    async with api.listening() as listener:
        (live,) = await listener.hears(1, "live")
        await listener.ends()
    await world.happens(event(held(), 2))
    async with api.listening(last=live.id) as listener:
        assert len(await listener.hears(1, "trust")) == 1
        assert not listener.of("snapshot")


async def test_a_process_has_no_more_streams_than_it_may(world: World) -> None:
    await world.happens(first_of(PAIR))
    api = await world.api(INSIGHTS_STREAM_MOST_READERS="1")
    async with api.listening() as listener:
        await listener.hears(1, "live")
        assert (await api.get("/v1/stream")).status_code == 503

    async def free() -> object:
        try:
            async with api.listening() as again:
                return await again.hears(1, "live")
        except AssertionError:
            return None

    await until(free, what="free again")


async def test_a_reader_that_takes_nothing_is_cut_and_goes_on_where_it_was(world: World) -> None:
    """Seen to fail (the stream stays open) without the limit on how long sending may take."""
    await world.happens(first_of(PAIR))
    api = await world.api(INSIGHTS_STREAM_SEND_TIMEOUT_S="0.5")
    where = urlsplit(api.url)
    with socket.create_connection((where.hostname, where.port or 0)) as stuck:
        head = "".join(f"{k}: {v}\r\n" for k, v in headers_of("service", ANN).items())
        stuck.sendall(f"GET /v1/stream HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())

        async def cut() -> object:
            await world.says_much()
            return "trustfold_streams_cut_total 1.0" in (await api.get("/metrics")).text

        async with api.listening() as quick:
            await quick.hears(1, "live")
            await until(cut, what="cut")
            assert 'trustfold_streams{stream="service"} 1.0' in (await api.get("/metrics")).text
            assert not quick.ended
    async with api.listening(last=quick.of("live")[0].id) as again:
        everything = await world.positions("service")
        said = await again.hears(len(everything) - 1, "trust")
        assert [it.position for it in said] == everything[1:]


async def test_an_answer_that_is_known_already_is_not_sent_again(world: World) -> None:
    await world.happens(first_of(PAIR))
    api = await world.api()
    first = await api.get("/v1/trust")
    known = await api.get("/v1/trust", **{"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == first.headers["etag"]
    assert known.headers["cache-control"] == "no-store"
    await world.happens(event(held(), 2))
    changed = await api.get("/v1/trust", **{"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_the_client_of_the_how_to_follows_through_a_restart(
    world: World, tmp_path: Path
) -> None:
    await world.happens(first_of(PAIR))
    api = await world.api()
    client_py = ROOT / "docs" / "examples" / "follow_stream.py"
    command = [sys.executable, str(client_py), api.url, token("dashboard", "service", ACME)]
    with (tmp_path / "said").open("wb") as said, subprocess.Popen(command, stdout=said) as client:

        async def revisions() -> list[int]:
            lines = (tmp_path / "said").read_text().splitlines()
            return [json.loads(line)["revision"] for line in lines]

        async def heard(revision: int) -> None:
            async def has() -> object:
                return revision in await revisions()

            await until(has, what=f"heard of revision {revision}")

        try:
            await heard(1)
            api.kill()
            await world.happens(event(kept(), 2))
            await world.happens(event(kept(), 3))
            await api.start()
            await heard(3)
            assert await revisions() == [1, 2, 3]
        finally:
            client.kill()
