"""The link in a mail, over HTTP: a page, a button, and nobody else's wishes changed."""

from __future__ import annotations

import httpx
import pytest

from services.notifications.links import Links
from shared.events.people import PersonErased
from shared.ids import PersonId
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import Rig
from tests.integration.notifications.test_api import over_http
from tests.support.callers import signed_in
from tests.unit.notifications.builders import MENTEE, TENANT

pytestmark = pytest.mark.stack

KEY = "k" * 32
URL = "https://mentoring.example"
LINKS = Links(URL, [KEY])
PATH = "/v1/unsubscribe/" + LINKS.token(TENANT, MENTEE, "sessions")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def linked(pool: Pool) -> Rig:
    return Rig.on(pool, 1, public_url=URL, link_secret=KEY)


async def stopped(rig: Rig) -> list[tuple[str, str]]:
    rows = await rig.rows("SELECT of_whom, how FROM preference_change ORDER BY revision")
    return [tuple(row) for row in rows]


async def test_looking_changes_nothing_and_shows_a_button(linked: Rig) -> None:
    async with over_http(linked) as http:
        page = await http.get(PATH, headers={"Accept-Language": "de"})

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert '<html lang="de">' in page.text
    assert '<form method="post">' in page.text
    assert await stopped(linked) == []


async def test_one_click_stops_mails_of_its_kind_once(linked: Rig) -> None:
    await linked.everybody_joins()
    async with over_http(linked) as http:
        answers = [await http.post(PATH, data=ONE_CLICK) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "<form" not in answers[0].text
    assert await stopped(linked) == [(MENTEE, "unsubscribed")]


async def test_a_changed_link_is_not_found_and_stops_nothing(linked: Rig) -> None:
    forged = "/v1/unsubscribe/" + Links(URL, ["f" * 32]).token(TENANT, MENTEE, "sessions")
    async with over_http(linked) as http:
        statuses = [
            (await http.request(method, path)).status_code
            for method in ("GET", "POST")
            for path in (forged, PATH[:-1] + ("A" if PATH[-1] != "A" else "Q"), PATH + "x")
        ]

    assert set(statuses) == {404}
    assert await stopped(linked) == []


async def test_the_link_of_someone_who_is_erased_does_nothing(linked: Rig) -> None:
    await linked.everybody_joins()
    await linked.tell(PersonErased(person_id=PersonId(MENTEE), erased_on=linked.clock.now().date()))
    async with over_http(linked) as http:
        answer = await http.post(PATH, data=ONE_CLICK)

    assert answer.status_code == 200
    assert await stopped(linked) == []


async def test_without_links_no_token_is_ours(rig: Rig) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(signed_in(rig.service.api)), base_url="http://n"
    ) as http:
        assert (await http.get(PATH)).status_code == 404
