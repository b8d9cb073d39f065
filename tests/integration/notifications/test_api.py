"""The HTTP API: one's own inbox, what was said, and who may see which."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from shared.ids import new_id
from tests.integration.notifications.rig import Rig
from tests.support.callers import as_, signed_in
from tests.support.databases import Databases
from tests.unit.notifications.builders import (
    DAY,
    MENTEE,
    MENTOR,
    START,
    held,
    proposed,
    scheduled,
    signed,
    started,
    warned,
)

pytestmark = pytest.mark.stack

OWN = "/v1/people/bo/inbox"
TIMELINE = "/v1/people/bo/messages"


def over_http(rig: Rig) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(signed_in(rig.service.api))
    return httpx.AsyncClient(transport=transport, base_url="http://notifications")


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    async with over_http(rig) as client:
        yield client


def caller(person: str, role: str = "participant", tenant: str = "acme") -> dict[str, str]:
    return as_(person, role, tenant=tenant)


def cursor(at: str) -> str:
    return urlsafe_b64encode(f"{at} {UUID(int=1)}".encode()).decode()


BO, ZOE, DEMO = caller(MENTEE), caller(MENTOR), caller("demo", "service")


async def test_an_inbox_message_has_words_for_its_reader(rig: Rig, http: httpx.AsyncClient) -> None:
    await rig.everybody_joins()
    await rig.tell(held())

    page = (await http.get(OWN, headers=BO)).json()

    (item,) = page["items"]
    assert page["unread"] == 1
    assert page["next_cursor"] is None
    assert item["workflow"] == "session_held"
    assert item["title"] == "One private question about your session"
    assert "You and Zoë Ångström met on" in item["text"]
    assert item["read_at"] is None


async def test_reading_is_marked_once_however_often_it_is_said(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    await rig.tell(held(), proposed())
    (first, _) = (await http.get(OWN, headers=BO)).json()["items"]
    url = f"/v1/inbox/{first['message_id']}/read"

    answer = await http.post(url, headers=BO)
    rig.pass_time(hours=1)
    again = await http.post(url, headers=BO)

    assert answer.status_code == again.status_code == 200
    assert answer.json() == again.json()
    assert answer.json()["read_at"] == "2026-03-02T09:00:00Z"
    page = (await http.get(OWN, headers=BO, params={"unread": True})).json()
    assert page["unread"] == len(page["items"]) == 1


async def test_an_inbox_is_read_page_by_page_newest_first(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    facts = [proposed(), started(), signed(), scheduled(by=MENTOR), held()]
    for fact in facts:
        await rig.tell(fact)
        rig.pass_time(hours=1)

    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await http.get(OWN, headers=BO, params=params)).json()
        seen += [item["workflow"] for item in page["items"]]
        if not (cursor := page["next_cursor"]):
            break

    assert seen == [fact.type.replace(".", "_") for fact in reversed(facts)]


async def test_messages_of_one_moment_are_on_one_page_only(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    await rig.tell(proposed(), started(), signed(), held())

    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await http.get(OWN, headers=BO, params=params)).json()
        seen += [item["message_id"] for item in page["items"]]
        if not (cursor := page["next_cursor"]):
            break

    assert len(seen) == len(set(seen)) == 4


async def test_a_timeline_says_what_was_sent_and_why_but_not_the_words(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    await rig.everybody_joins()
    await rig.tell(scheduled(by=MENTOR, starts_at=START + DAY / 48))
    await rig.send()

    items = (await http.get(TIMELINE, headers=BO)).json()["items"]

    assert {(item["channel"], item["state"]) for item in items} == {
        ("calendar", "sent"),
        ("inbox", "sent"),
    }
    for item in items:
        assert item["fact_type"] == "session.scheduled"
        assert item["sent_at"] == "2026-03-02T09:00:00Z"
        assert not {"text", "title", "email"} & set(item)


async def test_the_overview_counts_what_is_in_which_state(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    await rig.tell(started(), warned(by=MENTEE))

    page = (await http.get("/v1/messages", headers=DEMO, params={"limit": 3})).json()

    assert len(page["items"]) == 3
    assert page["next_cursor"]
    counted = {(c["workflow"], c["channel"], c["state"]): c["messages"] for c in page["counts"]}
    assert counted == {
        ("commitment_warned", "email", "waiting_for_address"): 1,
        ("commitment_warned", "inbox", "sent"): 1,
        ("pair_started", "email", "waiting_for_address"): 2,
        ("pair_started", "inbox", "sent"): 2,
    }


async def test_a_manager_sees_how_messages_fare_and_nobody_in_particular(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    await rig.tell(started(), warned(by=MENTEE))

    seen = (await http.get("/v1/messages/health", headers=caller("boss", "manager"))).json()

    by_channel = {each["channel"]: each for each in seen["channels"]}
    assert by_channel["inbox"]["sent"] == 3
    assert by_channel["email"]["without_address"] == 3
    assert by_channel["email"]["oldest_due"] is None
    assert not {MENTEE, MENTOR} & set(str(seen).split("'"))


@pytest.fixture(scope="module")
async def guarded(databases: Databases) -> AsyncIterator[httpx.AsyncClient]:
    """The API on a database that nobody writes to."""
    async with databases.pool("notifications") as pool, over_http(Rig.on(pool, 25)) as client:
        yield client


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        pytest.param(OWN, ZOE, 403, id="an inbox is not the partner's"),
        pytest.param(OWN, caller("ada", "manager"), 403, id="nor a manager's"),
        pytest.param(OWN, caller("hr", "hr"), 403, id="nor HR's"),
        pytest.param(OWN, DEMO, 403, id="nor a service's: words are for their reader"),
        pytest.param(TIMELINE, ZOE, 403, id="a timeline is not the partner's"),
        pytest.param(TIMELINE, caller("ada", "manager"), 403, id="a timeline is not a manager's"),
        pytest.param(TIMELINE, DEMO, 200, id="a timeline is a service's too"),
        pytest.param("/v1/messages", BO, 403, id="the overview is for services"),
        pytest.param("/v1/messages", caller("hr", "hr"), 403, id="the overview is not HR's"),
        pytest.param(OWN, {}, 401, id="a caller is needed"),
        pytest.param(OWN + "?limit=0", BO, 422, id="a page has a size"),
        pytest.param(OWN + "?limit=100000", BO, 422, id="a page has an end"),
        pytest.param(OWN + "?cursor=nonsense", BO, 422, id="a cursor is one of ours"),
        pytest.param(OWN + f"?cursor={cursor('2026-03-02')}", BO, 200, id="a cursor is a place"),
        pytest.param(OWN + f"?cursor={cursor('0001-01-01T00:00+14:00')}", BO, 422, id="in time"),
        pytest.param(OWN + "?cursor=%C3%BC", BO, 422, id="a cursor is ASCII"),
    ],
)
async def test_who_may_ask_what(
    guarded: httpx.AsyncClient, url: str, headers: dict[str, str], status: int
) -> None:
    answer = await guarded.get(url, headers=headers)

    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_reads_for_somebody_else(rig: Rig, http: httpx.AsyncClient) -> None:
    await rig.tell(held())
    (item,) = (await http.get(OWN, headers=BO)).json()["items"]
    url = f"/v1/inbox/{item['message_id']}/read"

    for stranger in (ZOE, caller(MENTEE, tenant="globex")):
        assert (await http.post(url, headers=stranger)).status_code == 404
    assert (await http.post(url, headers=DEMO)).status_code == 403
    assert (await http.post(f"/v1/inbox/{new_id()}/read", headers=BO)).status_code == 404
    assert (await http.get(OWN, headers=BO)).json()["unread"] == 1


async def test_a_message_this_release_has_no_words_for_hides_no_other(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    await rig.tell(held(), proposed())
    await rig.change("UPDATE message SET workflow = 'newer' WHERE workflow = 'session_held'")

    (item,) = (await http.get(OWN, headers=BO)).json()["items"]

    assert item["workflow"] == "pair_proposed"


async def test_another_tenant_sees_nothing(rig: Rig, http: httpx.AsyncClient) -> None:
    await rig.tell(held())

    own = await http.get(OWN, headers=caller(MENTEE, tenant="globex"))
    everything = await http.get("/v1/messages", headers=caller("demo", "service", "globex"))

    assert own.json() == {"items": [], "unread": 0, "next_cursor": None}
    assert everything.json() == {"items": [], "counts": [], "next_cursor": None}
