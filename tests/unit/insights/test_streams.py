"""The pure parts of streams: ids, the shared log, who is behind, what an event looks like."""

from __future__ import annotations

import asyncio
import json

import pytest

from services.insights.queries.streams import Head, Stream
from services.insights.streams.event_id import (
    BadEventId,
    EventId,
    check_content,
    of_content,
    parse,
    resumable,
)
from services.insights.streams.log import CHUNK_BYTES, Entry, Log, Reader
from services.insights.streams.sse import frame
from services.insights.views.streamed import told_to_pair
from shared.ids import ProgrammeId

EPOCH = "1f0c9a77"
SPRING = ProgrammeId("spring")


def entries(first: int, last: int, size: int = 1) -> list[Entry]:
    return [
        Entry(n, SPRING if n % 2 else None, b"%d" % (n % 10) * size) for n in range(first, last + 1)
    ]


def test_an_id_names_its_stream_its_database_and_its_position() -> None:
    last = EventId("manager", EPOCH, 1042)
    assert str(last) == "manager.1f0c9a77.1042"
    assert parse(str(last), "manager") == last


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        pytest.param("42", "service", id="a bare number"),
        pytest.param("service.1f0c9a77.", "service", id="no position"),
        pytest.param("service.1f0c9a77.-1", "service", id="a negative position"),
        pytest.param("service.1f0c9a77.1\n", "service", id="something behind it"),
        pytest.param("service.1F0C9A77.1", "service", id="another spelling"),
        pytest.param("service.1f0c9a77." + "9" * 19, "service", id="more than fits"),
        pytest.param("service.1f0c9a77.٣", "service", id="digits of another script"),
        pytest.param("service.1f0c9a77.1", "manager", id="another stream's"),
        pytest.param("stream.1f0c9a77.1", "service", id="no such stream"),
    ],
)
def test_what_is_no_id_of_the_stream_is_refused(text: str, stream: Stream) -> None:
    with pytest.raises(BadEventId):
        parse(text, stream)


@pytest.mark.parametrize(
    ("last", "can"),
    [
        pytest.param(EventId("service", EPOCH, 10), True, id="the oldest is the next one"),
        pytest.param(EventId("service", EPOCH, 9), False, id="the next one is gone"),
        pytest.param(EventId("service", EPOCH, 20), True, id="nothing is new"),
        pytest.param(EventId("service", EPOCH, 21), False, id="from the future: a restored backup"),
        pytest.param(EventId("service", "00000000", 15), False, id="of another database"),
    ],
)
def test_a_stream_is_resumed_only_where_nothing_would_be_missing(last: EventId, can: bool) -> None:
    assert resumable(last, Head(EPOCH, 20, 10)) is can


def test_the_id_of_a_pairs_stream_is_of_its_content_alone() -> None:
    assert of_content(b"a") == of_content(b"a") != of_content(b"b")
    assert check_content(of_content(b"a")) == of_content(b"a")
    with pytest.raises(BadEventId):
        check_content("pair.12")


def test_a_log_hands_out_what_follows_a_position_until_it_is_gone() -> None:
    log = Log(EPOCH, 100, keep=3)
    log.add(entries(101, 106))
    chunk = log.after(103)
    assert chunk == (106, b"456")
    assert log.after(106) == (106, b"")
    log.add(entries(107, 107))
    assert log.after(103) is None
    assert log.after(104) == (107, b"567")


def test_what_all_readers_get_next_is_put_together_once() -> None:
    log = Log(EPOCH, 0, keep=10)
    log.add(entries(1, 5))
    assert log.after(2) is log.after(2)
    log.add(entries(6, 6))
    assert log.after(2) == (6, b"3456")


def test_a_reader_of_one_programme_moves_past_the_others() -> None:
    log = Log(EPOCH, 0, keep=10)
    log.add(entries(1, 4))
    assert log.after(0, SPRING) == (4, b"13")
    assert log.after(3, SPRING) == (4, b"")


def test_much_is_handed_out_in_pieces() -> None:
    log = Log(EPOCH, 0, keep=10)
    log.add(entries(1, 4, size=CHUNK_BYTES // 2))
    first = log.after(0)
    assert first is not None
    assert (first.position, len(first.frames)) == (2, CHUNK_BYTES)


def test_a_log_without_a_position_is_never_filled_over_the_gap() -> None:
    log = Log(EPOCH, 4, keep=10)
    with pytest.raises(ValueError, match="6 does not follow 4"):
        log.add(entries(6, 7))


async def test_a_reader_waits_for_news_for_a_time_and_not_once_it_is_closed() -> None:
    log, reader = Log(EPOCH, 0, keep=10), Reader()
    log.readers.add(reader)
    waiting = asyncio.create_task(reader.wait(60))
    await asyncio.sleep(0)
    log.add(entries(1, 1))
    await asyncio.wait_for(waiting, 1)
    await asyncio.wait_for(reader.wait(0.001), 1)
    reader.close()
    await asyncio.wait_for(reader.wait(60), 1)


def test_an_event_is_its_id_its_name_and_one_line() -> None:
    said = frame("trust", b'{"a":1}', EventId("service", EPOCH, 7))
    assert said == b'id: service.1f0c9a77.7\nevent: trust\ndata: {"a":1}\n\n'
    assert frame("reset", b"{}") == b"event: reset\ndata: {}\n\n"


def test_a_pair_is_told_nothing_but_the_safe_part() -> None:
    safe = {"as_of": "2026-03-02T12:00:00Z", "about_mentor": {}, "about_mentee": {}}
    published = {"pair_id": "p", "revision": 7, "health": 0.1, "partner_safe": safe}
    told = told_to_pair(json.dumps(published).encode())
    assert told is not None
    assert json.loads(told) == {"pair_id": "p", **safe}
    safe["as_of"] = None  # type: ignore[assignment]
    assert told_to_pair(json.dumps(published).encode()) is None
