"""What is on record of requests: who, what, when, before the answer; and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.local.stack import Stack
from shared.audit.line import NOBODY
from shared.ids import TenantId
from shared.postgres.tenancy import acting_for
from tests.conftest import MakePool
from tests.integration.audit.trail import ACME, Trail, trail_of
from tests.support.callers import as_
from tests.support.databases import as_administrator

pytestmark = pytest.mark.stack
BOSS, HR, ANN = as_("boss", "manager"), as_("hr-1", "hr"), as_("ann")
SPRING = {"name": "Spring"}
PUT, GET = "PUT /v1/programmes/{programme_id}", "GET /v1/programmes/{programme_id}"


@pytest.fixture
async def trail(service_pool: MakePool) -> AsyncIterator[Trail]:
    async with trail_of("matching", await service_pool("matching")) as opened:
        yield opened


async def test_a_read_is_one_line_with_the_ids_of_its_path(trail: Trail) -> None:
    answer = await trail.http.get("/v1/people/ann", headers=BOSS)

    (link,) = await trail.lines()
    line = link.line
    assert (line.person, line.role, line.method) == ("boss", "manager", "GET")
    assert (line.route, line.ids) == ("/v1/people/{person_id}", (("person_id", "ann"),))
    assert (line.status, line.at) == (answer.status_code, trail.clock.now())
    assert str(line.request) == answer.headers["Trustfold-Request"]


async def test_a_change_is_on_record_before_it_begins_and_again_with_how_it_went(
    trail: Trail,
) -> None:
    answer = await trail.http.put("/v1/programmes/spring", json=SPRING, headers=BOSS)

    begun, done = await trail.lines()
    assert begun.line.request == done.line.request
    assert (begun.line.status, done.line.status) == (None, answer.status_code)


async def test_refusals_are_on_record_with_what_was_wanted(trail: Trail) -> None:
    await trail.http.get("/v1/programmes/spring", headers=ANN)
    await trail.http.get("/v1/programmes/spring")
    await trail.http.get("/v1/programmes/spring", headers={"Authorization": "Bearer x.y.z"})

    refused = ("ann", "GET", "/v1/programmes/{programme_id}", 403)
    assert await trail.said() == [refused]
    assert await trail.said(NOBODY) == [
        ("", "GET", "/v1/programmes/{programme_id}", 401),
        ("", "GET", "(sign-in)", 401),
    ]


async def test_what_shows_nothing_of_anybody_is_no_line(trail: Trail) -> None:
    for path in ("/openapi.json", "/docs", "/nowhere", "/v1/nowhere"):
        await trail.http.get(path, headers=BOSS)

    assert await trail.said() == []


async def test_strangers_cannot_fill_the_disk(trail: Trail) -> None:
    for _ in range(400):
        assert (await trail.http.get("/v1/programmes/spring")).status_code == 401

    assert 200 <= len(await trail.lines(NOBODY)) < 350


async def test_an_address_that_is_guessed_fills_no_disk_and_a_guess_changes_nothing(
    service_pool: MakePool,
) -> None:
    async with trail_of("notifications", await service_pool("notifications")) as trail:
        looked = [await trail.http.get(f"/v1/unsubscribe/x{n}") for n in range(5)]
        sent = [await trail.http.post(f"/v1/unsubscribe/x{n}") for n in range(400)]

        assert {each.status_code for each in looked} == {404}
        assert {each.status_code for each in sent} == {404, 503}
        assert len(await trail.lines(NOBODY)) < 700
        assert not [link for link in await trail.lines(NOBODY) if link.line.ids]


async def serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def test_a_stream_is_on_record_before_its_first_byte(service_pool: MakePool) -> None:
    async with trail_of("insights", await service_pool("insights")) as trail:
        started = asyncio.Event()

        async def send(message: Message) -> None:
            started.set()

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        headers = [(name.lower().encode(), value.encode()) for name, value in BOSS.items()]
        scope = {
            "type": "http", "method": "GET", "path": "/v1/stream", "raw_path": b"/v1/stream",
            "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http",
            "server": ("s", 80), "client": ("c", 1), "root_path": "", "state": {},
        }  # fmt: skip
        asking = asyncio.create_task(serve(trail.app, scope, receive, send))
        await asyncio.wait_for(started.wait(), 20)
        lines = await trail.said()
        asking.cancel()

        assert [(person, route) for person, _, route, _ in lines] == [("boss", "/v1/stream")]


async def test_nobody_is_shown_what_cannot_be_put_on_record(trail: Trail, stack: Stack) -> None:
    await trail.http.put("/v1/programmes/spring", json=SPRING, headers=BOSS)
    await trail.recorder.aclose()
    await as_administrator(stack.postgres_dsn, trail.pool, "ALTER TABLE audit RENAME TO away")
    read = await trail.http.get("/v1/programmes/spring", headers=BOSS)
    change = await trail.http.put("/v1/programmes/autumn", json=SPRING, headers=BOSS)
    await as_administrator(stack.postgres_dsn, trail.pool, "ALTER TABLE away RENAME TO audit")

    for refused in (read, change):
        assert (refused.status_code, refused.json()["title"]) == (503, "unavailable")
        assert refused.headers["Retry-After"]
    assert "Spring" not in read.text
    assert (await trail.http.get("/v1/programmes/autumn", headers=BOSS)).status_code == 404
    assert (await trail.http.get("/v1/programmes/spring", headers=BOSS)).status_code == 200


async def test_a_queue_that_is_full_refuses_instead_of_growing(trail: Trail) -> None:
    trail.recorder._most = 0  # whatever comes is too much

    assert (await trail.http.get("/v1/programmes/spring", headers=BOSS)).status_code == 503


async def test_many_requests_share_a_transaction_and_none_is_lost(trail: Trail) -> None:
    answers = await asyncio.gather(
        *(trail.http.get(f"/v1/people/p{n}", headers=BOSS) for n in range(100))
    )
    assert {each.status_code for each in answers} == {404}

    lines = await trail.lines()
    assert [each.seq for each in lines] == list(range(1, 101))
    assert sorted(each.line.ids[0][1] for each in lines) == sorted(f"p{n}" for n in range(100))
    async with acting_for(trail.pool, ACME) as conn:
        assert int(await conn.fetchval("SELECT count(DISTINCT xmin::text) FROM audit")) < 50


async def test_hr_asks_who_saw_a_person_and_asking_is_on_record(trail: Trail) -> None:
    for person in ("ann", "ben", "ann"):
        await trail.http.get(f"/v1/people/{person}", headers=BOSS)
    await trail.http.put("/v1/programmes/spring/exclusions/cy/ann", headers=BOSS)
    await trail.recorder.aclose()

    about = await trail.http.get("/v1/audit?about=ann", headers=HR)
    by = await trail.http.get("/v1/audit?person=hr-1", headers=HR)
    other = await trail.http.get("/v1/audit", headers=as_("hr-1", "hr", "globex"))

    assert [each["method"] for each in about.json()["lines"]] == ["PUT", "PUT", "GET", "GET"]
    assert [each["route"] for each in by.json()["lines"]] == ["/v1/audit"]
    assert other.json()["lines"] == []
    assert (await trail.http.get("/v1/audit", headers=BOSS)).status_code == 403


async def test_pages_of_the_trail_follow_each_other(trail: Trail) -> None:
    for n in range(5):
        await trail.http.get(f"/v1/people/p{n}", headers=BOSS)

    first = (await trail.http.get("/v1/audit?person=boss&limit=3", headers=HR)).json()
    cursor = first["next_cursor"]
    path = f"/v1/audit?person=boss&limit=3&cursor={cursor}"
    rest = (await trail.http.get(path, headers=HR)).json()

    names = [each["ids"]["person_id"] for page in (first, rest) for each in page["lines"]]
    assert names == ["p4", "p3", "p2", "p1", "p0"]
    assert rest["next_cursor"] is None


async def test_one_is_told_who_asked_about_one_and_no_other_participants_name(
    trail: Trail,
) -> None:
    await trail.http.get("/v1/people/ann", headers=BOSS)
    await trail.http.get("/v1/people/ann", headers=as_("ben"))

    mine = (await trail.http.get("/v1/me/audit", headers=ANN)).json()["lines"]

    assert [(each["role"], each["person"]) for each in mine] == [
        ("participant", None),
        ("manager", "boss"),
    ]


async def test_a_tenant_sees_its_own_lines_alone(trail: Trail) -> None:
    for tenant in ("acme", "globex"):
        await trail.http.get("/v1/people/ann", headers=as_("boss", "manager", tenant))
    await trail.recorder.aclose()

    async with acting_for(trail.pool, TenantId("globex")) as conn:
        rows = await conn.fetch("SELECT DISTINCT tenant FROM audit")
        assert [row["tenant"] for row in rows] == ["globex"]
    async with trail.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit") == 0


WORDS = ("Quetzal", "Wrzesniewski", "tomasz@mentoring.example")


async def test_no_word_of_a_body_a_query_a_path_or_a_header_is_in_a_line(trail: Trail) -> None:
    text = " ".join(WORDS)
    for path in ("/v1/programmes/spring", "/v1/me/profile", "/v1/events", "/v1/programmes/x/runs"):
        for method in ("GET", "PUT", "POST"):
            body: object = {"name": text, "about": text, "settings": {"text": text}, text: text}
            more = {"X-Words": WORDS[0], "User-Agent": WORDS[1], "Idempotency-Key": WORDS[0]}
            for headers in (BOSS, HR, ANN):
                sent = headers | more
                query = {"q": text, WORDS[0]: WORDS[1]}
                await trail.http.request(method, path, json=body, headers=sent, params=query)
    for place in ("/v1/people/{}", "/v1/pairs/{}", "/{}", "/v1/{}/people"):
        await trail.http.get(place.format("Quetzal Wrzesniewski"), headers=BOSS)
        await trail.http.get(place.format("Quetzal%20Wrzesniewski"), headers=as_("x", "hr"))
    await trail.recorder.aclose()

    async with acting_for(trail.pool, TenantId("*")) as conn:
        rows = await conn.fetchval("SELECT string_agg(a::text, chr(10)) FROM audit a")
    assert rows.count("\n") > 40
    assert not [word for word in WORDS if word.lower() in rows.lower()]


async def test_how_a_change_went_is_written_before_the_process_ends(
    service_pool: MakePool,
) -> None:
    async with trail_of("sessions", await service_pool("sessions")) as trail:
        await trail.http.post("/v1/me/calendar", headers=ANN)

        assert [status is None for *_, status in await trail.said()] == [True, False]
