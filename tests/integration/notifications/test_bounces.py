"""Mail that came back: who gets none after it, and how that ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from deploy.local.mailbox import Mailbox
from services.notifications.queries.suppression import suppressed
from shared.ids import PersonId
from shared.postgres.tenancy import acting_for
from tests.integration.notifications.rig import Rig
from tests.integration.notifications.test_api import caller, over_http
from tests.unit.notifications.builders import MENTEE, MENTOR, TENANT, warned
from tests.unit.notifications.test_reports import MESSAGE, dsn

pytestmark = pytest.mark.stack

BOSS, ROBOT, BO = caller("boss", "manager"), caller("mta", "service"), caller(MENTEE)
MAIL = {"Content-Type": "message/rfc822"}
ADDRESS = "bo@acme.example"


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    await rig.everybody_joins()
    async with over_http(rig) as client:
        yield client


async def told(http: httpx.AsyncClient, **report: Any) -> str:
    answer = await http.post("/v1/bounces", json=report, headers=ROBOT)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["outcome"])


async def silenced(rig: Rig, address: str = ADDRESS) -> bool:
    async with acting_for(rig.pool, TENANT) as conn:
        return MENTEE in await suppressed(conn, TENANT, [(MENTEE, address), (MENTOR, "z@a")])


async def test_a_mail_that_came_back_for_good_is_the_last_one(
    rig: Rig, http: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    await rig.tell(warned(by=MENTOR))
    await rig.send()
    (mail,) = mailbox.messages
    sent = mail["Message-ID"].strip("<>").partition("@")[0]
    raw = dsn().replace(MESSAGE.hex.encode(), sent.replace("-", "").encode())

    answers = [
        (await http.post("/v1/bounces", content=raw, headers={**ROBOT, **MAIL})).json()
        for _ in range(2)
    ]

    assert answers == [{"outcome": "suppressed"}, {"outcome": "seen"}]
    assert await silenced(rig)
    assert not await silenced(rig, "bo.new@acme.example")


async def test_five_soft_ones_within_thirty_days_are_enough(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    said = []
    for n in range(4):
        said.append(await told(http, kind="soft", address=ADDRESS, report_id=str(n)))
        said.append(await told(http, kind="soft", address=ADDRESS, report_id=str(n)))
    assert said == ["counted", "seen"] * 4
    rig.pass_time(days=31)
    assert await told(http, kind="soft", address=ADDRESS, report_id="late") == "counted"
    assert not await silenced(rig)

    for n in range(3):
        assert await told(http, kind="soft", address=ADDRESS, report_id=f"l{n}") == "counted"
    assert await told(http, kind="soft", address=ADDRESS, report_id="fifth") == "suppressed"
    assert await silenced(rig)


async def test_a_complaint_stops_everything_that_can_be_stopped(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    assert await told(http, kind="complaint", address="Bo@acme.example", report_id="1")

    assert await silenced(rig)
    rows = await rig.rows("SELECT choices FROM preference WHERE of_whom = $1", MENTEE)
    assert str(rows[0]["choices"]).count("off") == 6


async def test_a_manager_sees_who_gets_no_mail_and_lifts_it(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    await told(http, kind="hard", address=ADDRESS, report_id="1")

    listed = (await http.get("/v1/suppressions", headers=BOSS)).json()["items"]
    lifted = await http.delete(f"/v1/suppressions/{MENTEE}", headers=BOSS)
    again = await http.delete(f"/v1/suppressions/{MENTEE}", headers=BOSS)

    assert [(one["person_id"], one["kind"], one["is_current"]) for one in listed] == [
        (MENTEE, "hard", True)
    ]
    assert (lifted.status_code, again.status_code) == (204, 404)
    assert not await silenced(rig)
    rows = await rig.rows("SELECT how, changed_by FROM suppression_change ORDER BY position")
    assert [tuple(row) for row in rows] == [("hard", "mta"), ("lifted", "boss")]


async def test_reports_of_nobodys_mail_are_told_apart(http: httpx.AsyncClient) -> None:
    assert await told(http, kind="hard", message_id=str(MESSAGE), report_id="1") == "unknown"
    assert await told(http, kind="hard", address="x@y.example", report_id="2") == "unknown"
    for raw in (b"", b"\xff\x00", b"Content-Type: message/rfc822\r\n\r\n" * 3_000):
        answer = await http.post("/v1/bounces", content=raw, headers={**ROBOT, **MAIL})
        assert answer.json() == {"outcome": "ignored"}


@pytest.mark.parametrize(
    ("content_type", "body", "field"),
    [
        ("application/json", b"{", "body"),
        ("application/json", b'{"kind":"hard","report_id":"1"}', "body"),
        ("application/json", b'{"kind":"worse","report_id":"1","address":"a@b"}', "kind"),
        ("text/plain", b"", "content-type"),
        ("message/rfc822", b"x" * 1_000_001, "body"),
    ],
)
async def test_what_is_no_report_names_the_field(
    http: httpx.AsyncClient, content_type: str, body: bytes, field: str
) -> None:
    sent = {**ROBOT, "Content-Type": content_type}
    answer = await http.post("/v1/bounces", content=body, headers=sent)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_reports_and_lists_are_not_for_everybody(http: httpx.AsyncClient) -> None:
    for headers in (BO, BOSS):
        assert (await http.post("/v1/bounces", content=b"", headers=headers)).status_code == 403
    assert (await http.get("/v1/suppressions", headers=BO)).status_code == 403
    assert (await http.delete("/v1/suppressions/bo", headers=BO)).status_code == 403


async def test_another_tenant_finds_nobody(rig: Rig, http: httpx.AsyncClient) -> None:
    other = caller("mta", "service", "other")
    report = {"kind": "hard", "address": ADDRESS, "report_id": "1"}
    answer = await http.post("/v1/bounces", json=report, headers=other)

    assert answer.json() == {"outcome": "unknown"}
    async with acting_for(rig.pool, TENANT) as conn:
        assert await suppressed(conn, TENANT, [(PersonId(MENTEE), ADDRESS)]) == set()
