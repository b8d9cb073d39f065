"""What may come in and what goes out, of every service's own app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.command import SERVICES
from shared.limits import Limiting
from tests.conftest import MakePool
from tests.integration.hardening.served import client, served
from tests.integration.identity.every_service import built as built_service
from tests.integration.identity.every_service import routes_of
from tests.integration.identity.test_who_may_call_what import asked
from tests.support.callers import as_, signed_in

pytestmark = pytest.mark.stack
BOSS = as_("boss", "manager")
# One route of each that takes JSON, and who may send it.
DOORS = {
    "matching": ("PUT", "/v1/me/profile", as_("ann")),
    "sessions": ("PUT", "/v1/programmes/p/agreement-template", BOSS),
    "notifications": ("PUT", "/v1/me/preferences", as_("ann")),
    "insights": ("POST", "/v1/models", as_("svc", "service")),
}
SAID_ALWAYS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.mark.parametrize("service", SERVICES)
async def test_every_answer_of_every_route_says_what_browsers_must_not_do(
    service_pool: MakePool, service: str
) -> None:
    pool = await service_pool(service)
    wrong = []
    async with served(service, pool, hsts_s=60) as app, client(app) as http:
        routes = list(routes_of(built_service(service, pool).api))
        for method, path in [*routes, ("GET", "/nowhere"), ("GET", "/health/live")]:
            if path.endswith(("stream", "/progress")):
                continue
            for headers in (BOSS, {}, {"Authorization": "Bearer x"}):
                answer = await http.request(method, asked(path, "boss"), headers=headers)
                told = {name: answer.headers.get(name, "") for name in SAID_ALWAYS}
                told["cache-control"] = told["cache-control"].replace(
                    "private, no-cache", "no-store"
                )
                policy = told["content-security-policy"]
                if "default-src 'none'" in policy and "frame-ancestors 'none'" in policy:
                    told["content-security-policy"] = SAID_ALWAYS["content-security-policy"]
                if told["cache-control"].startswith("private, max-age"):
                    told["cache-control"] = "no-store"
                if told != SAID_ALWAYS or "server" in answer.headers:
                    wrong.append((method, path, told))
                assert "max-age=60" in answer.headers["strict-transport-security"]
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_body_that_is_too_large_or_too_deep_is_named_so(
    service_pool: MakePool, service: str
) -> None:
    method, path, headers = DOORS[service]
    large, deep = b'{"a": "' + b"x" * 1_100_000 + b'"}', b'{"a":' + b"[" * 100 + b"]" * 100 + b"}"

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1_200):
            yield b"x" * 1_024

    async with served(service, await service_pool(service)) as app, client(app) as http:
        for content, status, slug in (
            (large, 413, "too-large"),
            (pieces(), 413, "too-large"),
            (deep, 422, "too-deep"),
        ):
            sent: Any = content
            answer = await http.request(
                method, path, content=sent, headers=headers | {"Content-Type": "application/json"}
            )
            assert answer.status_code == status, answer.text
            assert answer.json()["type"] == f"urn:trustfold:problem:{slug}"
            assert answer.json()["errors"][0]["field"] == "body"


async def test_the_door_for_events_takes_more(service_pool: MakePool) -> None:
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    async with served("matching", await service_pool("matching")) as app, client(app) as http:
        for size, status in ((2 * 1024 * 1024, 200), (5 * 1024 * 1024, 413)):
            content = b"[" + b" " * size + b"]"
            answer = await http.post("/v1/events", content=content, headers=as_("hr", "hr") | kind)
            assert (answer.status_code == 413) == (status == 413), answer.text


async def test_a_body_that_never_ends_does_not_hold_the_request(service_pool: MakePool) -> None:
    """Raw, because no client would do that: one piece, and then nothing for ever."""
    app = Limiting(
        signed_in(built_service("matching", await service_pool("matching")).api),
        body_within_s=0.05,
    )
    sent: list[Any] = []
    pieces = iter([{"type": "http.request", "body": b'{"about', "more_body": True}])

    async def receive() -> Any:
        for piece in pieces:
            return piece
        await asyncio.Event().wait()
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    headers += [(name.lower().encode(), value.encode()) for name, value in as_("ann").items()]
    scope = {
        "type": "http", "method": "PUT", "path": "/v1/me/profile", "raw_path": b"/v1/me/profile",
        "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http",
        "server": ("s", 80), "client": ("c", 1), "root_path": "",
    }  # fmt: skip
    await asyncio.wait_for(app(scope, receive, send), 20)

    assert sent[0]["status"] == 408


async def test_a_tenant_that_asks_too_fast_is_told_when_to_come_again_and_is_alone_in_that(
    service_pool: MakePool,
) -> None:
    pool = await service_pool("matching")
    async with served("matching", pool, requests_per_s=5.0) as app, client(app) as http:
        answers = [await http.get("/v1/programmes/x", headers=BOSS) for _ in range(20)]
        other = await http.get("/v1/programmes/x", headers=as_("boss", "manager", "globex"))
        live = await http.get("/health/live")

    refused = [each for each in answers if each.status_code == 429]
    assert len(refused) >= 8
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert other.status_code == 404
    assert live.status_code != 429
