"""What each chat is sent, and what its answers mean."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from services.notifications.channels import Letter
from services.notifications.channels.chat import ChatChannel, message_for
from services.notifications.channels.guarded_http import GuardedHttp, HttpLimits
from services.notifications.domain.attempt import Outcome
from services.notifications.domain.web_address import Reach
from services.notifications.rendering import Words
from shared.ids import NotificationId
from tests.support.receiver import CUT, FAILS, GONE, SLOW, Answer, Receiver, busy, moved
from tests.unit.notifications.builders import PAIR, START

WORDS = Words("You & <Bo>", "First <!channel> & more.\n\nSecond *[x](http://y)*.\n", "<p></p>")
LETTER = Letter(NotificationId(PAIR), PAIR, "", "Bo", WORDS)
INSIDE = Reach(http=True, any_port=True, networks=(ip_network("127.0.0.0/8"),))
SLACK = "hooks.slack.com"


def sections(text: str) -> list[str]:
    made = message_for(SLACK, replace(WORDS, text=text))
    return [block["text"]["text"] for block in made["blocks"][1:]]


def test_slack_gets_a_header_and_sections_in_which_nothing_is_a_command() -> None:
    made = message_for(SLACK, WORDS)

    header, section = made["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "You & <Bo>", "emoji": False}
    assert section["text"]["text"].startswith("First &lt;!channel&gt; &amp; more.")
    assert made["text"] == "You &amp; &lt;Bo&gt;"
    assert made["unfurl_links"] is made["unfurl_media"] is False


def test_what_slack_takes_at_once_has_limits_and_nothing_is_torn_or_lost() -> None:
    words = " ".join(f"word{number}" for number in range(2_000))

    assert (
        len(message_for(SLACK, replace(WORDS, subject="x" * 300))["blocks"][0]["text"]["text"])
        == 150
    )
    assert all(len(part) <= 3_000 for part in sections(words))
    assert " ".join(sections(words)) == words
    assert all(part.endswith(";") for part in sections("&" * 4_000))
    assert "".join(sections("&" * 4_000)) == "&amp;" * 4_000
    assert len(message_for(SLACK, replace(WORDS, text="x" * 400_000))["blocks"]) == 50


@pytest.mark.parametrize(
    "host",
    ["prod-1.westeurope.logic.azure.com", "a.b.environment.api.powerplatform.com"],
)
def test_teams_gets_a_card_whose_text_is_read_as_it_stands(host: str) -> None:
    made = message_for(host, WORDS)

    (attachment,) = made["attachments"]
    card: dict[str, Any] = attachment["content"]
    assert made["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.5")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [block["inlines"][0]["text"] for block in card["body"]] == [
        "You & <Bo>",
        "First <!channel> & more.",
        "Second *[x](http://y)*.",
    ]


@pytest.mark.parametrize(
    "host", ["chat.example", "hooks.slack.com.evil.example", "logic.azure.com"]
)
def test_every_other_chat_gets_plain_text(host: str) -> None:
    assert message_for(host, WORDS) == {"text": "You & <Bo>\n\n" + WORDS.text.strip()}


async def hand_over(url: str, *, reach: Reach = INSIDE, timeout_s: float = 5.0) -> Outcome:
    http = GuardedHttp(reach, HttpLimits(timeout_s, 1))
    async with ChatChannel(http, INSIDE).open() as post:
        outcome = await post.deliver(replace(LETTER, address=url), START)
    await http.aclose()
    return outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(200), Outcome("accepted")),
        (Answer(202), Outcome("accepted")),
        (busy("30"), Outcome("deferred", "chat_busy")),
        (FAILS, Outcome("deferred", "chat_failing")),
        (Answer(408), Outcome("deferred", "chat_failing")),
        (SLOW, Outcome("deferred", "chat_timed_out")),
        (CUT, Outcome("deferred", "chat_cut_off")),
        (GONE, Outcome("refused", "chat_gone")),
        (Answer(404), Outcome("refused", "chat_gone")),
        (Answer(403), Outcome("refused", "chat_gone")),
        (Answer(400), Outcome("refused", "chat_400")),
        (moved("https://elsewhere.example/"), Outcome("refused", "chat_302")),
    ],
)
async def test_an_answer_says_what_becomes_of_the_message(answer: Answer, outcome: Outcome) -> None:
    async with Receiver([answer]) as receiver:
        assert await hand_over(receiver.url, timeout_s=0.3) == outcome

        (got,) = receiver.got
        assert got.headers["idempotency-key"] == str(LETTER.message_id)
        assert got.headers["content-type"] == "application/json"


async def test_a_chat_that_is_away_does_not_stop_the_batch() -> None:
    assert await hand_over("http://127.0.0.1:1/") == Outcome("deferred", "chat_cannot_connect")


async def test_an_address_that_may_not_be_reached_any_more_is_refused() -> None:
    nowhere = Reach(http=True, any_port=True)

    assert await hand_over("http://127.0.0.1:1/", reach=nowhere) == Outcome(
        "refused", "chat_address"
    )
    assert await hand_over("mailto:bo@acme.example") == Outcome("refused", "chat_address")
