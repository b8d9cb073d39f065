"""scim2-tester knows what RFC 7643 and 7644 ask of a server, and finds nothing wrong with ours."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import Field
from scim2_client import BaseSyncSCIMClient
from scim2_models import Group, ScimProvider
from scim2_tester import Status, check_server

from services.matching.scim import schemas
from tests.integration.matching.serving import serving_matching
from tests.support.callers import as_
from tests.support.databases import Databases

TIMEOUT_S = 30.0


class Mentoring(schemas.Mentoring):
    """Ours, with the numbers that the tester may send: examples of numbers have no place in SCIM.

    One word for each list: having added another, the tester expects the first to be gone.
    """

    roles: list[str] | None = Field(None, examples=["mentor"])
    offers: list[str] | None = Field(None, examples=["python"])
    goals: list[str] | None = Field(None, examples=["python"])
    capacity: int | None = Field(None, examples=[1, 2, 3])
    grade: int | None = Field(None, examples=[10, 40, 70])


class Client(BaseSyncSCIMClient):
    """The tester's client, over the network."""

    def __init__(self, http: httpx.Client, provider: ScimProvider) -> None:
        super().__init__(provider=provider)
        self._http = http

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        return self._http.request(method, url.lstrip("/"), **kwargs)


def test_the_served_endpoint_passes_every_check_of_the_standard(databases: Databases) -> None:
    provider = ScimProvider(
        [schemas.User, schemas.EnterpriseUser, Mentoring, Group], [schemas.USER, schemas.GROUP]
    )
    with serving_matching(databases).running() as serving:
        headers = as_("directory", "hr")
        with httpx.Client(
            base_url=f"{serving.url}/scim/v2/", headers=headers, timeout=TIMEOUT_S
        ) as http:
            results = check_server(Client(http, provider))

    wrong = [
        f"{each.status.name}: {each.title}: {each.reason}"
        for each in results
        if each.status in (Status.ERROR, Status.CRITICAL)
    ]
    assert not wrong
    assert sum(each.status == Status.SUCCESS for each in results) > 100
