"""The link in a mail: one click stops such mails, a look at it does not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.message import EmailMessage

import httpx
import pytest

from deploy.local.mailbox import Mailbox
from services.notifications.domain.workflows import CATEGORIES, WORKFLOWS
from services.notifications.links import Links
from services.notifications.pages import LANGUAGES, unsubscribe_page
from shared.errors import NotFound
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import Rig
from tests.integration.notifications.test_api import BO, over_http
from tests.unit.notifications.builders import (
    MENTEE,
    MENTOR,
    TENANT,
    joined,
    left,
    scheduled,
    started,
)

pytestmark = pytest.mark.stack

PUBLIC = "https://mentoring.example/notify"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def rig(pool: Pool, mailbox: Mailbox) -> Rig:
    return Rig.on(pool, mailbox.port, public_url=PUBLIC, link_keys=("old", "new"))


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    async with over_http(rig) as client:
        yield client


async def mail_to_bo(rig: Rig, mailbox: Mailbox) -> EmailMessage:
    await rig.everybody_joins()
    await rig.tell(started())
    await rig.send()
    return next(mail for mail in mailbox.messages if "bo@" in str(mail["To"]))


def path_of(mail: EmailMessage) -> str:
    found = re.fullmatch(rf"<{PUBLIC}(/\S+)>", str(mail["List-Unsubscribe"]))
    assert found
    return found[1]


async def stopped(http: httpx.AsyncClient) -> bool:
    kinds = (await http.get("/v1/me/preferences", headers=BO)).json()["kinds"]
    return bool(kinds["pair_started"]["ways"]["email"] == "off")


async def test_one_click_stops_such_mails_without_a_question(
    rig: Rig, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    mail = await mail_to_bo(rig, mailbox)

    # As a mail client does it: no cookie, no header of ours, nobody who looks.
    first = await http.post(path_of(mail), data=ONE_CLICK)
    again = await http.post(path_of(mail), data=ONE_CLICK)

    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first.status_code == again.status_code == 200
    assert await stopped(http)
    await rig.tell(started().model_copy(update={"started_at": rig.clock.at.replace(hour=10)}))
    before = len(mailbox.messages)
    await rig.send()
    assert [str(mail["To"]) for mail in mailbox.messages[before:]] == [
        "Zoë Ångström <zoe@acme.example>"
    ]


async def test_looking_at_a_link_stops_nothing(
    rig: Rig, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    path = path_of(await mail_to_bo(rig, mailbox))

    page = await http.get(path)
    head = await http.head(path)

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<button" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert head.status_code in (200, 405)
    assert not await stopped(http)


async def test_a_link_that_we_did_not_make_is_not_there(
    rig: Rig, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    path = path_of(await mail_to_bo(rig, mailbox))
    of_others = Links(PUBLIC, ["ours?"])(TENANT, MENTEE, "matching").removeprefix(PUBLIC)

    for forged in (of_others, path[:-1], path + "x", path[: path.rindex("/") + 1] + "x" * 3_000):
        assert (await http.get(forged)).status_code == 404, forged
        assert (await http.post(forged, data=ONE_CLICK)).status_code == 404, forged
    assert not await stopped(http)


async def test_a_link_of_the_secret_before_still_works(http: httpx.AsyncClient, rig: Rig) -> None:
    await rig.everybody_joins()
    link = Links(PUBLIC, ["old"])(TENANT, MENTEE, WORKFLOWS["pair_started"].category)

    assert (await http.post(link.removeprefix(PUBLIC))).status_code == 200
    assert await stopped(http)


async def test_who_is_gone_can_stop_what_does_not_come(
    rig: Rig, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    path = path_of(await mail_to_bo(rig, mailbox))
    rig.pass_time(minutes=1)
    await rig.tell(left(MENTEE))

    answer = await http.post(path, data=ONE_CLICK)

    assert answer.status_code == 200
    assert await rig.rows("SELECT FROM preference") == []


async def test_an_answer_to_what_somebody_has_just_done_has_no_link(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(scheduled(by=MENTOR))
    await rig.send()

    (mail,) = mailbox.messages
    assert "List-Unsubscribe" not in mail


async def test_the_page_speaks_the_readers_language(rig: Rig, http: httpx.AsyncClient) -> None:
    await rig.tell(joined(MENTEE, "Bo", locale="de-AT"))
    link = Links(PUBLIC, ["new"])(TENANT, MENTEE, "sessions")

    page = await http.get(link.removeprefix(PUBLIC))

    assert '<html lang="de">' in page.text
    assert "abbestellen" in page.text


@pytest.mark.parametrize("language", [*LANGUAGES, "xx", ""])
def test_there_are_words_for_everything_that_can_be_stopped(language: str) -> None:
    for category in sorted(CATEGORIES):
        for is_done in (False, True):
            page = unsubscribe_page(category, language, is_done=is_done)  # type: ignore[arg-type]
            assert ("<button" in page) is not is_done


def test_a_link_says_nothing_that_can_be_changed() -> None:
    links = Links(PUBLIC, ["secret"])
    link = links(TenantId("acme"), PersonId("bo"), "sessions")
    token = link.rpartition("/")[2]

    assert links.read(token).person == "bo"
    with pytest.raises(NotFound):
        links.read(token.replace(token[3], "A" if token[3] != "A" else "B", 1))
