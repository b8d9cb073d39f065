"""Every route of every service, asked by every role: what is answered is what the table says."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
import pytest

from shared.command import SERVICES
from shared.http import Role
from tests.conftest import MakePool
from tests.integration.identity.every_service import built, routes_of, table_of
from tests.support.callers import as_, signed_in

pytestmark = pytest.mark.stack

ROLES: tuple[Role, ...] = ("participant", "manager", "hr", "service")
# Served to everybody: they tell nothing of anybody. `/metrics` and health are for the cluster.
OPERATIONS = {"/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"}
ANY = str(UUID(int=7))
# Where a word has to be one of a few, a route is reached with one of them alone.
WORDS = {"workflow": "session_soon", "language": "en", "version": "1", "epoch": "2026-01"}


def asked(path: str, person: str) -> str:
    """The path with something in the place of each parameter; a person is who asks."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        return person if name == "person_id" else WORDS.get(name, ANY)

    return re.sub(r"\{(\w+)(?::path)?\}", fill, path)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_route_answers_the_roles_of_its_line_and_no_other(
    service_pool: MakePool, service: str
) -> None:
    api = built(service, await service_pool(service)).api
    table = table_of(service)
    wrong = []
    transport = httpx.ASGITransport(signed_in(api), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://s") as http:
        for method, path in routes_of(api):
            line, url = table[f"{method} {path}"], asked(path, "ada")
            endless = path.endswith(("stream", "/progress"))
            for role in (None, *ROLES):
                if endless and role in line.roles:
                    continue
                headers = as_("ada", role) if role else {}
                body: object = None if method in ("GET", "DELETE") else {}
                answer = await http.request(method, url, headers=headers, json=body)
                expected = (
                    "answered"
                    if line.is_open or role in line.roles
                    else "401"
                    if role is None
                    else "403"
                )
                seen = str(answer.status_code)
                seen = seen if seen in ("401", "403") else "answered"
                if seen != expected:
                    wrong.append(f"{method} {path} by {role}: {seen}, not {expected}")
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
async def test_every_line_of_a_table_is_a_route(service_pool: MakePool, service: str) -> None:
    api = built(service, await service_pool(service)).api

    assert {f"{method} {path}" for method, path in routes_of(api)} == set(table_of(service))


@pytest.mark.parametrize("service", SERVICES)
async def test_what_no_table_guards_is_told_to_everybody(
    service_pool: MakePool, service: str
) -> None:
    """A route that is added past `include` would stand here."""
    api = built(service, await service_pool(service)).api
    guarded = {path.removesuffix("/{path}") for _, path in routes_of(api)}

    found = {getattr(route, "path", "") for route in api.routes} - guarded - {""}

    assert found <= OPERATIONS
