"""HR's file of people ends as facts: shown first, safe, each once, whatever stops it half-way."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.matching.people_file import work as work_of_file
from services.matching.people_file.changes import Reading
from services.matching.people_file.work import Fate, Import, TooManyWouldLeave, Wanted
from shared.asking import Ask
from shared.cli import app
from shared.errors import Rejected
from shared.events.people import PersonErased, PersonJoined
from shared.ids import PersonId
from shared.postgres.pool import open_pool
from tests.integration.matching.conftest import ACME, Matching
from tests.support.databases import Databases, service_dsn

_SENT = "WITH sent AS (DELETE FROM outbox RETURNING 1) SELECT count(*) FROM sent"
PLAIN = Wanted()
HEADER = "person_id,email,display_name,org_unit"


def file_of(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def row(n: int, unit: str = "Research") -> str:
    return f"E-{n},p{n}@acme.example,Person {n},{unit}"


def import_of(matching: Matching, text: str, wanted: Wanted = PLAIN) -> Import:
    now = matching.clock.now()
    ask = Ask(ACME, PersonId("people-import"), now, "hr")
    return Import(matching.pool, ask, io.BytesIO(text.encode()), wanted, Reading(now.date()))


async def applied(matching: Matching, text: str, wanted: Wanted = PLAIN) -> Import:
    work = import_of(matching, text, wanted)
    _ = [fate async for fate in work.look()]
    work.require_safe()
    _ = [fate async for fate in work.apply()]
    return work


async def heard(matching: Matching) -> list[tuple[str, str]]:
    """What waits is sent, and heard by matching itself; what it was."""
    events = await matching.announced()
    await matching.kept(_SENT)
    for event in events:
        await matching.delivers(event)
    return [(event.fact.type, event.fact.subject) for event in events]


async def test_looking_changes_nothing_and_doing_does_what_was_shown(matching: Matching) -> None:
    text = file_of(row(1), row(2), "E-3,nobody,X,Y")
    work = import_of(matching, text)

    shown: list[Fate] = [fate async for fate in work.look()]
    before = await matching.announced()
    done = [fate async for fate in work.apply()]

    assert before == []
    assert done == shown
    assert (work.summary.joined, work.summary.refused) == (2, 1)
    assert await heard(matching) == [("person.joined", "E-1"), ("person.joined", "E-2")]


async def test_a_file_that_is_applied_changes_nothing_more(matching: Matching) -> None:
    text = file_of(row(1), row(2))
    await applied(matching, text)
    await heard(matching)

    again = await applied(matching, text)

    assert again.summary.unchanged == 2
    assert await heard(matching) == []


async def test_a_person_of_another_door_is_changed_and_not_flattened(matching: Matching) -> None:
    ann = PersonJoined(
        person_id=PersonId("E-1"), email="ann@acme.example", display_name="Ann",
        timezone="Europe/Berlin", country="DE", languages=("de",),
    )  # fmt: skip
    await matching.hears(ann)

    await applied(matching, file_of("E-1,Sales", header="person_id,org_unit"))

    (event,) = await matching.announced()
    assert event.fact.type == "person.changed"
    assert event.fact.model_dump() == {**ann.model_dump(), "org_unit": "Sales"}


async def test_a_run_that_is_stopped_and_begun_again_tells_nothing_twice(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_of_file, "BATCH", 2)
    stopped = import_of(matching, file_of(*map(row, range(1, 8)))).apply()
    _ = [await anext(stopped) for _ in range(5)]
    assert len(await matching.announced()) == 6

    # Nothing of the first run has been heard yet, and its clock is not the second's.
    matching.clock.at += timedelta(minutes=1)
    await applied(matching, file_of(*map(row, range(1, 8))))

    told = await heard(matching)
    assert sorted(told) == [("person.joined", f"E-{n}") for n in range(1, 8)]


async def test_who_is_not_in_a_full_file_leaves_if_they_are_few(matching: Matching) -> None:
    people = [row(n) for n in range(1, 21)]
    await applied(matching, file_of(*people))
    await heard(matching)

    with pytest.raises(TooManyWouldLeave, match="2 of 20 people would leave, more than 1"):
        await applied(matching, file_of(*people[2:]), Wanted(whole=True))
    assert await heard(matching) == []
    part = await applied(matching, file_of(*people[2:]))
    assert part.summary.leaving == 0

    done = await applied(matching, file_of(*people[2:]), Wanted(whole=True, max_leaving="2"))
    assert done.summary.missing == 2
    assert await heard(matching) == [("person.left", "E-1"), ("person.left", "E-2")]


async def test_leavers_that_rows_name_count_as_well(matching: Matching) -> None:
    await applied(matching, file_of(*map(row, range(1, 5))))
    await heard(matching)

    gone = file_of("E-1,no", "E-2,no", header="person_id,active")
    with pytest.raises(TooManyWouldLeave):
        await applied(matching, gone)
    await applied(matching, gone, Wanted(max_leaving="50%"))

    assert await heard(matching) == [("person.left", "E-1"), ("person.left", "E-2")]


async def test_somebody_in_a_refused_row_is_not_missing(matching: Matching) -> None:
    await applied(matching, file_of(row(1), row(2)))
    await heard(matching)
    whole = Wanted(whole=True, max_leaving="100%")

    refused = await applied(matching, file_of(row(1), "E-2,nobody,X,Y,Z"), whole)
    assert (refused.summary.refused, refused.summary.missing) == (1, 0)

    # A row that says not even whom it is about could be anybody.
    with pytest.raises(Rejected, match="do not say whom"):
        await applied(matching, file_of(row(1), ",p2@acme.example,Person 2,X"), whole)
    assert await heard(matching) == []


async def test_a_second_row_about_somebody_is_refused(matching: Matching) -> None:
    work = await applied(matching, file_of(row(1), row(1, "Sales")))

    assert (work.summary.joined, work.summary.refused) == (1, 1)


async def test_who_was_erased_is_not_brought_back(matching: Matching) -> None:
    await applied(matching, file_of(row(1)))
    await heard(matching)
    day = matching.clock.now().date()
    await matching.hears(PersonErased(person_id=PersonId("E-1"), erased_on=day))
    await matching.kept(_SENT)

    work = await applied(matching, file_of(row(1)))

    assert work.summary.refused == 1
    assert await matching.announced() == []


@pytest.fixture
async def command(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The DSN of a database that `trustfold people import` finds in its environment."""
    dsn = await databases.create("matching")
    own = service_dsn(dsn, "matching")
    monkeypatch.setenv("MATCHING_POSTGRES", own)
    yield own
    await databases.drop(dsn)


async def run(file: Path, *arguments: str) -> Result:
    said = ["people", "import", str(file), "--tenant", "acme", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, said)


async def waiting(dsn: str) -> int:
    pool = await open_pool(dsn, service="matching", size=2)
    try:
        return int(await pool.fetchval("SELECT count(*) FROM outbox"))
    finally:
        await pool.close()


async def test_the_command_shows_first_and_does_on_request(command: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("\ufeffMitarbeiter;E-Mail;Preferred Name\nE-1;z@acme.example;Zoë\n".encode())
    mapped = ("--map", "Mitarbeiter=person_id", "--map", "E-Mail=email")

    shown = await run(file, *mapped)
    assert shown.exit_code == 0, shown.output
    assert "E-1 joined" in shown.output
    assert "Nothing was changed" in shown.output
    assert await waiting(command) == 0

    done = await run(file, *mapped, "--apply", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["joined", "summary"]
    assert lines[-1]["applied"] is True
    assert await waiting(command) == 1


async def test_one_bad_row_stops_a_strict_import_and_no_other(command: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(file_of(row(1), "E-2,nobody,Two,Sales"))

    strict = await run(file, "--apply", "--strict")
    assert strict.exit_code == 1
    assert "nothing was changed" in strict.output
    assert await waiting(command) == 0

    kept = await run(file, "--apply")
    assert kept.exit_code == 1
    assert "line 3: refused, email" in kept.output
    assert await waiting(command) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--map", "Boss"), "say COLUMN=field"),
        (("--map", "Boss=manager_id"), "no such column"),
        (("--encoding", "klingon"), "is no encoding"),
        (("--max-deactivations", "many"), "--max-deactivations"),
        (("--delimiter", "::"), "one character"),
    ],
)
async def test_a_wrong_word_is_answered_in_a_sentence(
    command: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(file_of(row(1)))

    answer = await run(file, *arguments)

    assert answer.exit_code != 0
    assert said in answer.output
    assert "Traceback" not in answer.output
