"""`trustfold dlq` as an operator uses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from typer.testing import CliRunner, Result

from shared.cli import app
from shared.clock import FixedClock
from shared.errors import PoisonMessage
from shared.events.envelope import Event
from shared.kafka.delivery import Delivery
from shared.postgres.pool import Connection, open_pool
from tests.support.databases import Databases, service_dsn
from tests.support.ledger import START, FakeRecord, made

pytestmark = pytest.mark.stack

Trustfold = Callable[..., "asyncio.Future[Result]"]


async def refuse(conn: Connection, events: object, now: object) -> None:
    raise PoisonMessage("broken", "the pair is not known")


@pytest.fixture
async def parked(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[Event]]:
    """Three records that matching could not handle."""
    dsn = await databases.create("matching")
    own = service_dsn(dsn, "matching")
    monkeypatch.setenv("MATCHING_POSTGRES", own)
    monkeypatch.setenv("MATCHING_KAFKA", "127.0.0.1:9")
    pool = await open_pool(own, service="matching", size=2)
    events = [made(n) for n in range(3)]
    records = [FakeRecord(event, n) for n, event in enumerate(events)]
    await Delivery("matching", pool, refuse, FixedClock(START)).deliver(records)
    yield events
    pool.terminate()
    await databases.drop(dsn)


async def trustfold(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


async def test_ls_names_each_with_its_reason(parked: list[Event]) -> None:
    said = await trustfold("dlq", "ls", "matching", "--json")

    letters = json.loads(said.output)
    assert [letter["reason"] for letter in letters] == ["broken"] * 3
    assert [letter["status"] for letter in letters] == ["parked"] * 3


async def test_show_gives_the_record_whole(parked: list[Event]) -> None:
    said = await trustfold("dlq", "show", "matching", "1")

    letter = json.loads(said.output)
    assert letter["key"] == parked[0].key
    assert ["ce_id", parked[0].ce_id] in letter["headers"]


async def test_drop_and_redrive_decide_once(parked: list[Event]) -> None:
    dropped = await trustfold("dlq", "drop", "matching", "2")
    redriven = await trustfold("dlq", "redrive", "matching", "--all")
    again = await trustfold("dlq", "redrive", "matching", "2")

    assert "1 dropped" in dropped.output
    assert "2 redriving" in redriven.output
    assert "not parked any more, so left alone: 2" in again.output


async def test_a_wrong_setting_is_named_and_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MATCHING_POSTGRES", raising=False)
    monkeypatch.setenv("MATCHING_KAFKA", "127.0.0.1:9")

    said = await trustfold("dlq", "ls", "matching")

    assert said.exit_code == 2
    assert "MATCHING_POSTGRES: Field required" in said.stderr
