"""Where a person is written to in a chat: theirs to set, never shown, gone with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.notifications.queries import endpoints
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for
from tests.integration.notifications.hooks import Hooks, hooks_on
from tests.support.callers import as_
from tests.unit.notifications.builders import MENTEE, MENTOR, TENANT

pytestmark = pytest.mark.stack

SECRET = "https://hooks.slack.com/services/T000/B000/XXXX"
BO = as_(MENTEE, tenant=TENANT)
ZOE = as_(MENTOR, tenant=TENANT)


@pytest.fixture
async def hooks(pool: Pool) -> AsyncIterator[Hooks]:
    async with hooks_on(pool) as running:
        yield running


async def ask(hooks: Hooks, method: str, who: dict[str, str], url: str | None = None) -> Any:
    body = {"url": url} if url else None
    return await hooks.http.request(method, "/v1/me/chat", json=body, headers=who)


async def addresses(hooks: Hooks, tenant: TenantId = TENANT) -> dict[PersonId, str]:
    async with acting_for(hooks.pool, tenant) as conn:
        return dict(await endpoints.chat_addresses(conn, tenant, [MENTEE, MENTOR]))


async def test_an_address_is_set_and_only_its_host_is_shown(hooks: Hooks) -> None:
    assert (await ask(hooks, "GET", BO)).json() == {"is_set": False, "host": None}

    answers = [await ask(hooks, "PUT", BO, SECRET), await ask(hooks, "GET", BO)]

    shown = {"is_set": True, "host": "hooks.slack.com"}
    assert [answer.json() for answer in answers] == [shown, shown]
    assert (await ask(hooks, "GET", ZOE)).json()["is_set"] is False
    assert await addresses(hooks) == {MENTEE: SECRET}
    assert await addresses(hooks, TenantId("other")) == {}


async def test_the_newest_address_counts_and_can_be_taken_back(hooks: Hooks) -> None:
    await ask(hooks, "PUT", BO, SECRET)
    await ask(hooks, "PUT", BO, "https://chat.example/hook")
    assert await addresses(hooks) == {MENTEE: "https://chat.example/hook"}

    for _ in range(2):
        assert (await ask(hooks, "DELETE", BO)).status_code == 204
    assert await addresses(hooks) == {}


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/", "https://u:p@chat.example/", "chat", "http://[::1]/"]
)
async def test_an_address_inside_is_refused_by_its_field(hooks: Hooks, url: str) -> None:
    answer = await ask(hooks, "PUT", BO, url)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "url"
    assert "10.0.0.1" not in answer.text


async def test_it_is_forgotten_with_the_person(hooks: Hooks) -> None:
    await ask(hooks, "PUT", BO, SECRET)
    await ask(hooks, "PUT", ZOE, SECRET)

    async with acting_for(hooks.pool, TENANT) as conn:
        await endpoints.forget(conn, TENANT, MENTEE)

    assert await addresses(hooks) == {MENTOR: SECRET}
