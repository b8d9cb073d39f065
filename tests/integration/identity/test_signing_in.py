"""Signing in on the page, from the first click to the cookie, at a real provider over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deploy.local.issuer import Issuer
from deploy.local.issuer_page import Someone
from services.insights.app import build
from services.insights.settings import InsightsSettings
from shared.clock import SystemClock
from shared.identity.believing import Believing
from tests.conftest import MakePool

pytestmark = pytest.mark.stack

PAGE = "http://127.0.0.1:8100"
OWN = {"Sec-Fetch-Site": "same-origin"}
ANN = Someone("ann", ("manager", "participant"), "acme", "Ann", "Everybody")


@pytest.fixture
def provider() -> Iterator[Issuer]:
    with Issuer() as running:
        running.signing_in.let_in([ANN])
        yield running


@pytest.fixture
async def page(
    service_pool: MakePool, provider: Issuer, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """The service as a browser would reach it, with the browser's cookies."""
    file = provider.write_file(tmp_path / "issuers.json")
    async with served(service_pool, file, PAGE) as browser:
        yield browser


@asynccontextmanager
async def served(
    service_pool: MakePool, file: Path, page_url: str
) -> AsyncIterator[httpx.AsyncClient]:
    settings = InsightsSettings(
        postgres="unused", kafka="unused", identity_file=file, page_url=page_url
    )
    service = build(settings, await service_pool("insights"), SystemClock())
    believing = Believing(file)
    transport = httpx.ASGITransport(believing.around(service.api))
    async with httpx.AsyncClient(transport=transport, base_url=page_url) as browser:
        yield browser
    await believing.aclose()
    assert service.close is not None
    await service.close()


async def chosen(browser: httpx.AsyncClient, to: str = "/", **query: str) -> str:
    """Where the provider sends the browser back to, once Ann was chosen."""
    begun = await browser.get("/sign-in", params={"to": to, **query})
    assert begun.status_code == 303
    async with httpx.AsyncClient() as elsewhere:
        shown = await elsewhere.get(begun.headers["location"])
        assert "Ann" in shown.text
        done = await elsewhere.get(begun.headers["location"] + "&be=ann")
    return str(done.headers["location"])


async def test_who_signs_in_is_known_in_all_their_roles(page: httpx.AsyncClient) -> None:
    back = await chosen(page, to="/me")
    done = await page.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/me")
    who = (await page.get("/session", headers=OWN)).json()
    assert (who["person"], who["tenant"]) == ("ann", "acme")
    assert who["roles"] == ["manager", "participant"]
    manager = {**OWN, "Trustfold-Role": "manager"}
    assert (await page.get("/v1/programmes", headers=manager)).status_code == 200


async def test_the_token_is_in_a_cookie_no_script_and_no_other_site_can_use(
    page: httpx.AsyncClient,
) -> None:
    done = await page.get(await chosen(page))
    (kept,) = [it for it in done.headers.get_list("set-cookie") if it.startswith("trustfold=")]
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept
    for other in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert (await page.get("/v1/programmes", headers=other)).status_code == 401


async def test_over_tls_the_cookie_is_one_that_no_other_host_can_plant(
    service_pool: MakePool, provider: Issuer, tmp_path: Path
) -> None:
    file = provider.write_file(tmp_path / "issuers.json")
    async with served(service_pool, file, "https://trust.example") as browser:
        out = await browser.post("/sign-out", headers=OWN)
        assert out.headers["set-cookie"].startswith("__Host-trustfold=")
        planted = {"Cookie": f"trustfold={provider.token('eve', ('manager',), 'acme')}", **OWN}
        assert (await browser.get("/session", headers=planted)).status_code == 204


async def test_who_is_not_signed_in_is_told_so_without_an_error(page: httpx.AsyncClient) -> None:
    assert (await page.get("/session", headers=OWN)).status_code == 204


async def test_signing_out_forgets(page: httpx.AsyncClient) -> None:
    await page.get(await chosen(page))
    await page.post("/sign-out", headers=OWN)
    assert (await page.get("/session", headers=OWN)).status_code == 204


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "me"])
async def test_nobody_is_sent_on_to_another_host(page: httpx.AsyncClient, to: str) -> None:
    done = await page.get(await chosen(page, to=to))
    assert done.headers["location"] == "/"


async def test_a_way_back_that_was_not_begun_here_leads_nowhere(page: httpx.AsyncClient) -> None:
    back = await chosen(page)
    forged = back.replace(f"state={parse_qs(urlsplit(back).query)['state'][0]}", "state=other")
    assert (await page.get(forged)).headers["location"] == "/?sign-in=stale"
    page.cookies.clear()
    assert (await page.get(back)).headers["location"] == "/?sign-in=stale"
    assert (await page.get("/session", headers=OWN)).status_code == 204


async def test_a_code_is_good_once(page: httpx.AsyncClient) -> None:
    back = await chosen(page)
    begun = page.cookies.get("trustfold_begun")
    assert (await page.get(back)).headers["location"] == "/"
    page.cookies.set("trustfold_begun", str(begun), domain="127.0.0.1", path="/signed-in")
    assert (await page.get(back)).headers["location"] == "/?sign-in=refused"


async def test_a_provider_that_is_away_is_named_as_such(
    page: httpx.AsyncClient, provider: Issuer
) -> None:
    provider.close()
    answer = await page.get("/sign-in")
    assert (answer.status_code, answer.json()["type"].split(":")[-1]) == (503, "provider-away")


async def test_several_organisations_have_to_be_told_apart(
    service_pool: MakePool, provider: Issuer, tmp_path: Path
) -> None:
    (known,) = json.loads(provider.write_file(tmp_path / "one.json").read_bytes())
    del known["tenant_claim"]
    second = {**known, "issuer": "https://id.globex.example", "tenant": "globex"}
    file = tmp_path / "two.json"
    file.write_text(json.dumps([{**known, "tenant": "acme"}, second]))
    async with served(service_pool, file, PAGE) as browser:
        assert (await browser.get("/sign-in?tenant=acme")).status_code == 303
        unsaid, nobody = await browser.get("/sign-in"), await browser.get("/sign-in?tenant=x")
    assert (unsaid.status_code, unsaid.json()["errors"][0]["field"]) == (422, "tenant")
    assert nobody.status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"client_id": "somebody"}, 400),
        ({"redirect_uri": "https://evil.example/signed-in"}, 400),
        ({"redirect_uri": "http://127.0.0.1@evil.example/signed-in"}, 400),
        ({"redirect_uri": "http://127.0.0.1\\@evil.example/signed-in"}, 400),
        ({"code_challenge_method": "plain"}, 400),
        ({"code_challenge": "é" * 43}, 400),
        ({"response_type": "token"}, 400),
        ({"be": "nobody"}, 404),
    ],
)
async def test_the_local_provider_sends_nobody_where_it_should_not(
    page: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    begun = (await page.get("/sign-in")).headers["location"]
    async with httpx.AsyncClient() as elsewhere:
        answer = await elsewhere.get(httpx.URL(begun).copy_merge_params(query))
    assert answer.status_code == status
