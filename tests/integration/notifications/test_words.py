"""A tenant's own words: what may be written, who sees it, and what is said when they do not fit."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local.mailbox import Mailbox
from services.notifications.domain.rules import messages_for
from services.notifications.domain.workflows import WORKFLOWS
from services.notifications.wording import FOUND, LONGEST
from tests.integration.notifications.rig import Rig
from tests.integration.notifications.test_api import BO, caller, over_http
from tests.unit.notifications.builders import MENTEE, happened, joined, started, told

pytestmark = pytest.mark.stack

AT = "/v1/words/pair_started/en"
BOSS = caller("boss", "manager")
OURS = "Welcome at Acme, {{ name }}\nHello {{ name }},\n\nYou and {{ other }} begin.\n"


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    async with over_http(rig) as client:
        yield client


async def write(
    http: httpx.AsyncClient, template: str, at: str = AT, seen: str = '"0"'
) -> httpx.Response:
    return await http.put(at, headers={**BOSS, "If-Match": seen}, json={"template": template})


async def test_own_words_are_in_the_mail_and_in_the_inbox(
    rig: Rig, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    await rig.everybody_joins()
    assert (await write(http, OURS)).status_code == 200

    await rig.tell(started())
    await rig.send()

    subjects = sorted(str(mail["Subject"]) for mail in mailbox.messages)
    assert subjects == ["Welcome at Acme, Bo", "Welcome at Acme, Zoë Ångström"]
    (item,) = (await http.get("/v1/people/bo/inbox", headers=BO)).json()["items"]
    assert item["title"] == "Welcome at Acme, Bo"


async def test_a_language_that_we_do_not_speak_can_be_added(
    rig: Rig, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    await rig.everybody_joins()
    await rig.tell(joined(MENTEE, "Bo", locale="nl-BE"))
    await write(http, "Welkom {{ name }}\nDag {{ name }},\n\nVeel plezier.", AT[:-2] + "nl")

    await rig.tell(started())
    await rig.send()

    to_bo = next(mail for mail in mailbox.messages if "bo@" in str(mail["To"]))
    assert str(to_bo["Subject"]) == "Welkom Bo"


async def test_what_is_given_back_is_ours_again_and_all_of_it_is_on_record(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    before = await http.get(AT, headers=BOSS)
    await write(http, OURS)
    own = await http.get(AT, headers=BOSS)
    reset = await http.delete(AT, headers={**BOSS, "If-Match": own.headers["ETag"]})
    after = await http.get(AT, headers=BOSS)

    assert reset.status_code == 204
    assert own.json()["is_own"]
    assert own.json()["changed_by"] == "boss"
    assert after.json()["template"] == before.json()["template"] == own.json()["ours"]
    assert (await http.get("/v1/words", headers=BOSS)).json()["items"] == []
    assert len(await rig.rows("SELECT FROM words")) == 2


@pytest.mark.parametrize(
    ("template", "named"),
    [
        pytest.param(
            "Hello\n\n{% for a in name %}{{ a }}{% endfor %}", "line 3: no for", id="loop"
        ),
        pytest.param("Hello\n\n{{ name.__class__ }}", "line 3: no getattr", id="attribute"),
        pytest.param("Hello\n\n{{ name['x'] }}", "no getitem", id="item"),
        pytest.param("Hello\n\n{{ name * 100000000 }}", "no mul", id="a word a million times"),
        pytest.param("Hello\n\n{{ range(9) }}", "no call", id="call"),
        pytest.param("Hello\n\n{{ name | upper }}", "no filter but", id="filter"),
        pytest.param("Hello\n\n{% set a = 1 %}{{ a }}", "no assign", id="assignment"),
        pytest.param("Hello\n\n{% include 'layout.html' %}", "no include", id="include"),
        pytest.param("Hello\n\n{% macro m() %}{% endmacro %}x", "no macro", id="macro"),
        pytest.param("Hello\n\n{{ score }}", "no score here", id="what there is not"),
        pytest.param("Hello\n\n{{ name ", "line 3", id="not a template"),
        pytest.param("Hello", "subject", id="a subject alone"),
        pytest.param("", "subject", id="nothing"),
        pytest.param("Hello\n\n" + "x" * LONGEST, "template", id="a book"),
    ],
)
async def test_what_cannot_be_words_is_named_and_nothing_is_kept(
    rig: Rig, http: httpx.AsyncClient, template: str, named: str
) -> None:
    answers = [
        await write(http, template),
        await http.post(f"{AT}/preview", headers=BOSS, json={"template": template}),
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert named in answer.text
    assert await rig.rows("SELECT FROM words") == []


async def test_words_can_be_tried_before_they_are_said(http: httpx.AsyncClient) -> None:
    tried = await http.post(
        "/v1/words/session_scheduled/de/preview",
        headers=BOSS,
        json={"template": "{{ starts }}\nHallo,\n\n{{ duration }} <b>", "role": "mentor"},
    )

    assert tried.json()["subject"] == "05.03.2030, 14:00"
    assert "45 Minuten <b>" in tried.json()["text"]
    assert "&lt;b&gt;" in tried.json()["html"]


async def test_words_that_do_not_fit_any_more_give_way_to_ours(
    rig: Rig, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    await rig.everybody_joins()
    await write(http, OURS)
    await rig.change("UPDATE words SET template = 'A' || chr(10) || 'B {{ gone }}'")

    await rig.tell(started())
    await rig.send()

    assert all("mentoring pair now" in str(mail["Subject"]) for mail in mailbox.messages)
    assert len(mailbox.messages) == 2


async def test_nobody_but_managers_writes_and_no_other_tenant_reads(
    http: httpx.AsyncClient, rig: Rig
) -> None:
    await write(http, OURS)

    refused = await http.put(AT, headers={**BO, "If-Match": '"0"'}, json={"template": OURS})
    others = await http.get(AT, headers=caller("boss", "manager", "other"))
    unseen = await http.put(AT, headers=BOSS, json={"template": OURS})
    stale = await write(http, OURS + "x")

    assert [refused.status_code, unseen.status_code, stale.status_code] == [403, 428, 412]
    assert others.json()["is_own"] is False
    assert (await http.get("/v1/words/gossip/en", headers=BOSS)).status_code == 404


def test_what_a_template_finds_is_what_rules_put_there() -> None:
    assert set(FOUND) == set(WORKFLOWS)
    for fact in told():
        for message in messages_for(happened(fact)):
            assert set(message.params) <= FOUND[message.workflow], message.workflow
