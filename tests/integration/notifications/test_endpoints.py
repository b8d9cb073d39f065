"""The routes of endpoints: who may, what is shown, and what a retry or an old ETag does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.notifications.handlers.endpoints import MAX_ENDPOINTS
from shared.ids import new_id
from shared.postgres.pool import Pool
from tests.integration.notifications.hooks import BOSS, STRANGER, Hooks, hooks_on
from tests.support.callers import as_
from tests.support.receiver import FAILS, Receiver
from tests.unit.notifications.builders import held, warned

pytestmark = pytest.mark.stack

URL = "https://hooks.example/trustfold"
PARTICIPANT = as_("boss")


@pytest.fixture
async def hooks(pool: Pool) -> AsyncIterator[Hooks]:
    async with hooks_on(pool) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


def path(made: dict[str, Any], *more: str) -> str:
    return "/".join(("/v1/endpoints", made["endpoint_id"], *more))


async def test_a_secret_is_shown_once_and_never_again(hooks: Hooks) -> None:
    made = await hooks.endpoint(URL, "session.*")

    shown = [
        await hooks.http.get("/v1/endpoints", headers=BOSS),
        await hooks.http.get(path(made), headers=BOSS),
        await hooks.change(made, types=["pair.ended"]),
        await hooks.http.get(path(made, "deliveries"), headers=BOSS),
    ]

    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{32}", made["secret"])
    assert [answer.status_code for answer in shown] == [200] * 4
    assert not any("secret" in answer.text or "whsec" in answer.text for answer in shown)


async def test_two_endpoints_have_two_secrets(hooks: Hooks) -> None:
    assert (await hooks.endpoint(URL))["secret"] != (await hooks.endpoint(URL))["secret"]


async def test_a_retry_makes_no_second_endpoint_and_shows_no_secret(hooks: Hooks) -> None:
    first = await hooks.endpoint(URL, **{"Idempotency-Key": "a"})
    again = await hooks.endpoint(URL, **{"Idempotency-Key": "a"})
    body = {"url": URL, "types": ["pair.ended"]}
    other = await hooks.http.post(
        "/v1/endpoints", json=body, headers={**BOSS, "Idempotency-Key": "a"}
    )

    assert again == {**first, "secret": None}
    assert len((await hooks.get("/v1/endpoints"))["items"]) == 1
    assert other.status_code == 409
    assert other.json()["type"].endswith("key-reused")


async def test_participants_may_not(hooks: Hooks) -> None:
    made = await hooks.endpoint(URL)
    asked = [
        ("POST", "/v1/endpoints", {"url": URL, "types": ["*"]}),
        ("GET", "/v1/endpoints", None),
        ("GET", path(made), None),
        ("PATCH", path(made), {"is_enabled": False}),
        ("DELETE", path(made), None),
        ("POST", path(made, "secret"), None),
        ("POST", path(made, "ping"), None),
        ("GET", path(made, "deliveries"), None),
        ("POST", path(made, "deliveries", str(new_id()), "retry"), None),
        ("POST", path(made, "replay"), {"from": "2026-03-01T00:00:00Z"}),
        ("GET", path(made, "replay", str(new_id())), None),
    ]

    for method, where, body in asked:
        answer = await hooks.http.request(method, where, json=body, headers=PARTICIPANT)
        assert answer.status_code == 403, where


async def test_another_tenant_finds_nothing(hooks: Hooks) -> None:
    made = await hooks.endpoint(URL)
    matched = {**STRANGER, "If-Match": '"1"'}
    asked = [
        ("GET", path(made), None),
        ("PATCH", path(made), {"is_enabled": False}),
        ("DELETE", path(made), None),
        ("POST", path(made, "secret"), None),
        ("POST", path(made, "ping"), None),
        ("GET", path(made, "deliveries"), None),
        ("POST", path(made, "replay"), {"from": "2026-03-01T00:00:00Z"}),
    ]

    for method, where, body in asked:
        answer = await hooks.http.request(method, where, json=body, headers=matched)
        assert answer.status_code == 404, where
    listed = await hooks.http.get("/v1/endpoints", headers=STRANGER)
    assert listed.json() == {"items": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://hooks.example", "types": ["*"]}, "url"),
        ({"url": "https://10.0.0.1/", "types": ["*"]}, "url"),
        ({"url": "https://u@hooks.example/", "types": ["*"]}, "url"),
        ({"url": URL, "types": ["pair.ended", "person.*"]}, "types.1"),
        ({"url": URL, "types": ["trust.changed"]}, "types.0"),
        ({"url": URL, "types": []}, "body.types"),
        ({"url": URL}, "body.types"),
        ({"url": URL, "types": ["*"], "secret": "mine"}, "body.secret"),
    ],
)
async def test_bad_input_is_named_by_its_field(
    hooks: Hooks, body: dict[str, Any], field: str
) -> None:
    answer = await hooks.http.post("/v1/endpoints", json=body, headers=BOSS)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_tenant_has_only_so_many(hooks: Hooks) -> None:
    for _ in range(MAX_ENDPOINTS):
        await hooks.endpoint(URL)

    answer = await hooks.http.post("/v1/endpoints", json={"url": URL, "types": ["*"]}, headers=BOSS)
    assert answer.json()["type"].endswith("too-many-endpoints")
    await hooks.endpoint(URL, **STRANGER)


async def test_a_change_needs_the_etag_that_is_there_now(hooks: Hooks) -> None:
    made = await hooks.endpoint(URL)
    body = {"types": ["pair.ended"]}

    without = await hooks.http.patch(path(made), json=body, headers=BOSS)
    with_it = await hooks.http.patch(path(made), json=body, headers={**BOSS, "If-Match": '"1"'})
    late = await hooks.http.patch(
        path(made), json={"is_enabled": False}, headers={**BOSS, "If-Match": '"1"'}
    )
    gone = await hooks.http.delete(path(made), headers={**BOSS, "If-Match": '"1"'})

    assert [without.status_code, with_it.status_code, late.status_code] == [428, 200, 412]
    assert gone.status_code == 412
    assert (with_it.headers["ETag"], with_it.json()["types"]) == ('"2"', ["pair.ended"])
    assert (await hooks.view(made))["is_enabled"]


async def test_what_changes_nothing_is_no_change(hooks: Hooks) -> None:
    made = await hooks.endpoint(URL, "pair.ended")

    answer = await hooks.change(made, url=URL, types=["pair.ended"], is_enabled=True)

    assert answer.json()["revision"] == 1


async def test_what_is_disabled_is_sent_nothing(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    (waiting,) = await hooks.tell(held())
    assert (await hooks.change(made, is_enabled=False)).json()["reason"] == "asked"

    await hooks.tell(warned())
    await hooks.deliver()
    ping = await hooks.http.post(path(made, "ping"), headers=BOSS)
    assert (receiver.ids, ping.status_code) == ([], 409)

    await hooks.change(made, is_enabled=True)
    await hooks.deliver()
    assert receiver.ids == [waiting]


async def test_a_deleted_endpoint_leaves_nothing(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    await hooks.tell(held())

    answer = await hooks.http.delete(path(made), headers=BOSS)
    await hooks.deliver()

    assert (answer.status_code, receiver.got) == (204, [])
    for table in ("endpoint", "delivery", "delivery_line"):
        assert await hooks.rows(f"SELECT FROM {table}") == []
    assert (await hooks.http.get(path(made), headers=BOSS)).status_code == 404


async def test_a_retried_rotation_makes_no_third_secret(hooks: Hooks) -> None:
    made = await hooks.endpoint(URL)
    keyed = {**BOSS, "Idempotency-Key": "r", "If-Match": '"1"'}

    first = await hooks.http.post(path(made, "secret"), headers=keyed)
    again = await hooks.http.post(path(made, "secret"), headers=keyed)

    assert first.json()["secret"] not in (None, made["secret"])
    assert first.headers["ETag"] == again.headers["ETag"] == '"2"'
    assert again.json()["secret"] is None
    (row,) = await hooks.rows("SELECT secret, old_secret FROM endpoint")
    assert tuple(row) == (first.json()["secret"], made["secret"])


async def test_a_secret_that_signs_no_more_is_deleted(hooks: Hooks) -> None:
    made = await hooks.endpoint(URL)
    await hooks.http.post(path(made, "secret"), headers=BOSS)
    hooks.pass_time(hours=24)

    await hooks.deliverer.tidy()

    assert [row["old_secret"] for row in await hooks.rows("SELECT * FROM endpoint")] == [None]


async def test_a_ping_goes_to_its_endpoint_alone_and_once(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url, "pair.ended")
    await hooks.endpoint(receiver.url + "/other")
    keyed = {**BOSS, "Idempotency-Key": "p"}

    first = await hooks.http.post(path(made, "ping"), headers=keyed)
    again = await hooks.http.post(path(made, "ping"), headers=keyed)
    await hooks.deliver()

    (got,) = receiver.got
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert (got.path, got.id) == ("/hook", first.json()["event_id"])
    assert (got.json["type"], got.json["data"]) == (
        "endpoint.pinged",
        {"endpoint_id": made["endpoint_id"]},
    )


async def test_the_log_has_pages_and_no_bodies(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.endpoint(receiver.url)
    ids = await hooks.tell(*[held()] * 5)
    receiver.answers(FAILS)
    await hooks.deliver()
    where, found, cursor = path(made, "deliveries"), [], None

    while True:
        page = await hooks.get(where, limit=2, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break

    assert [each["event_id"] for each in found] == ids[::-1]
    assert set(found[0]) == {
        *("delivery_id", "event_id", "type", "state", "created_at", "ended_at"),
        *("replay_id", "attempts"),
    }
    assert set(found[-1]["attempts"][0]) == {
        *("number", "ended_at", "status", "error", "duration_ms"),
    }
    assert len(await hooks.log(made, state="waiting")) == 5
    assert await hooks.log(made, state="delivered") == []


@pytest.mark.parametrize(
    "query", ["state=lost", "cursor=a", "cursor=-1", f"cursor={2**63}", "limit=0"]
)
async def test_a_page_that_there_is_not_is_refused(hooks: Hooks, query: str) -> None:
    made = await hooks.endpoint(URL)

    answer = await hooks.http.get(f"{path(made, 'deliveries')}?{query}", headers=BOSS)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"query.{query.partition('=')[0]}"
