"""Chat: a letter as a message to the person's own webhook. Retries nothing itself.

Chats know no message of ours by an id: one that is handed over again after a crash is there twice.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import orjson

from services.notifications.channels import Letter
from services.notifications.channels.guarded_http import GuardedHttp, HttpFailed
from services.notifications.domain.attempt import Outcome
from services.notifications.domain.message import Channel as Name
from services.notifications.domain.web_address import Reach, read_url
from services.notifications.rendering import Words
from shared.errors import Rejected

_SLACK = ("hooks.slack.com", "hooks.slack-gov.com")
_TEAMS = (".logic.azure.com", ".api.powerplatform.com", ".webhook.office.com")
# Block Kit: a header has at most 150 characters, a section 3,000, a message 50 blocks.
_HEADER, _SECTION, _BLOCKS = 150, 3_000, 50
_SPECIAL = re.compile("[&<>]")
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_GONE = frozenset({403, 404, 410})
_BUSY = 429
_TIMED_OUT = 408


class ChatChannel:
    """The chat channel: the letter's address is a URL that whoever has it can write to."""

    carries: Sequence[Name] = ("chat",)

    def __init__(self, http: GuardedHttp, reach: Reach) -> None:
        self._http = http
        self._reach = reach

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatChannel]:
        """Always open: each letter goes to a place of its own."""
        yield self

    async def deliver(self, letter: Letter, now: datetime) -> Outcome:
        """Post one letter. A place that is away is never `unreachable`, which would stop the batch:
        it is one person's, and says nothing about the others'.
        """
        try:
            address = read_url(letter.address, self._reach)
        except Rejected:
            return Outcome("refused", "chat_address")
        body = orjson.dumps(message_for(address.host, letter.words))
        headers = {
            "content-type": "application/json",
            "idempotency-key": str(letter.message_id),
        }
        try:
            answer = await self._http.post(address, headers, body, now)
        except HttpFailed as failed:
            if failed.code == "address_refused":
                return Outcome("refused", "chat_address")
            return Outcome("deferred", f"chat_{failed.code}")
        return _outcome(answer.status)


def message_for(host: str, words: Words) -> dict[str, Any]:
    """The words as the chat behind this host takes them."""
    if host in _SLACK:
        return _slack(words)
    if host.endswith(_TEAMS):
        return _teams(words)
    return {"text": f"{words.subject}\n\n{words.text.strip()}"}


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome("accepted")
    if status in _GONE:
        return Outcome("refused", "chat_gone")
    if status == _BUSY:
        return Outcome("deferred", "chat_busy")
    if status == _TIMED_OUT or status >= 500:
        return Outcome("deferred", "chat_failing")
    # A redirect, or a message that it will not take: the same the next time.
    return Outcome("refused", f"chat_{status}")


def _slack(words: Words) -> dict[str, Any]:
    header = {"type": "plain_text", "text": words.subject[:_HEADER], "emoji": False}
    parts = _parts(_mrkdwn(words.text.strip()), _SECTION)[: _BLOCKS - 1]
    blocks = [
        {"type": "header", "text": header},
        *({"type": "section", "text": {"type": "mrkdwn", "text": part}} for part in parts),
    ]
    return {
        # What a notification on a telephone says.
        "text": _mrkdwn(words.subject),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _teams(words: Words) -> dict[str, Any]:
    # Runs of text, because a TextBlock would read names as Markdown, and their links with it.
    title = {"type": "TextRun", "text": words.subject, "size": "Large", "weight": "Bolder"}
    paragraphs = [part for part in words.text.strip().split("\n\n") if part]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [
            {"type": "RichTextBlock", "inlines": [title]},
            *(
                {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": each}]}
                for each in paragraphs
            ),
        ],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _mrkdwn(text: str) -> str:
    """As Slack asks for it: these three, and nothing else, are control characters."""
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], text)


def _parts(text: str, longest: int) -> list[str]:
    """The text in parts of at most `longest` characters, cut where nothing is torn if possible."""
    parts = []
    while len(text) > longest:
        cut = max(text.rfind("\n", 1, longest), text.rfind(" ", 1, longest))
        if cut <= 0:
            # An escape must not be torn in two.
            escape = text.rfind("&", longest - 5, longest)
            cut = escape if escape > 0 and ";" not in text[escape:longest] else longest
        parts.append(text[:cut])
        text = text[cut:].lstrip()
    return [*parts, text] if text else parts
