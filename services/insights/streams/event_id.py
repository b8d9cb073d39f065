"""Ids of stream events: `service.1f0c9a77.1042` is position 1042 of a stream of one database. Pure.

A pair's own stream is no sequence: its ids are of the content alone (`pair.<digest>`), so that they
cannot count anything.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple, get_args

from services.insights.queries.streams import Head, Stream
from shared.errors import Rejected

_POSITION = re.compile(r"(?P<stream>[a-z]+)\.(?P<epoch>[0-9a-f]{8})\.(?P<position>[0-9]{1,18})")
_CONTENT = re.compile(r"pair\.[0-9a-f]{32}")
_SHOWN = 60


class BadEventId(Rejected):
    """Last-Event-ID is not an id of this stream."""

    slug = "bad-last-event-id"
    status = 400

    def __init__(self, said: str) -> None:
        super().__init__(
            f"{said[:_SHOWN]!r} is not an id of this stream; ask again without it for a snapshot",
            field="Last-Event-ID",
        )


class EventId(NamedTuple):
    """A position of a stream, in the database that `epoch` names."""

    stream: Stream
    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.stream}.{self.epoch}.{self.position}"


def parse(text: str, stream: Stream) -> EventId:
    """The id that was seen last. Raises BadEventId, for one of another stream too."""
    found = _POSITION.fullmatch(text)
    if found is None or found["stream"] not in get_args(Stream) or found["stream"] != stream:
        raise BadEventId(text)
    return EventId(stream, found["epoch"], int(found["position"]))


def resumable(last: EventId, head: Head) -> bool:
    """Whether everything after `last` is still in the ring; if not, only a snapshot will do."""
    return last.epoch == head.epoch and head.pruned <= last.position <= head.position


def of_content(content: bytes) -> str:
    """The id of what a pair is told: the same content has the same id, always."""
    return f"pair.{sha256(content).hexdigest()[:32]}"


def check_content(text: str) -> str:
    """An id of a pair's own stream. Raises BadEventId."""
    if _CONTENT.fullmatch(text) is None:
        raise BadEventId(text)
    return text
