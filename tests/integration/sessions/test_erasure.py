"""Erasure: what a person wrote and what was known of them is nowhere; all else is as it was."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest

from services.sessions.queries.erasure import ERASED
from services.sessions.subscribers import HANDLERS
from shared.erasing import ALL, DEAD_LETTERS
from shared.events import topics
from shared.events.envelope import new_event
from shared.events.erasures import ErasureCompleted
from shared.events.fact import Fact
from shared.events.people import (
    PersonChanged,
    PersonErased,
    PersonJoined,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
)
from shared.ids import PersonId, TenantId, new_id
from shared.kafka import dead_letters
from shared.kafka.per_fact import per_fact
from shared.postgres.tenancy import acting_for
from tests.integration.sessions.meeting import agree, second_pair
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, TENANT, World
from tests.support.callers import as_

pytestmark = pytest.mark.stack

# A column that holds text, and why it may stay. Everything else is erased by a statement.
_ID = "an id of a person, a programme or a request: whose it was, nobody knows any longer"
_CODE = "a word of a closed list, or a code: [a-z0-9_], as in the facts"
_STATE = "a state"
_FACT = "what happened: ids, times and codes, as it was published"
_DELIVERY = "how facts come and go: kept until delivered, or until an operator drops them"
STAYS: dict[str, dict[str, set[str]]] = {
    _ID: {
        "pair": {"tenant", "mentor_id", "mentee_id", "programme_id"},
        "pair_trust": {"tenant"},
        "person": {"tenant", "person_id"},
        "agreement": {"tenant", "proposed_by", "reviewed_by"},
        "agreement_template": {"tenant", "programme_id", "changed_by"},
        "session": {
            "tenant",
            "scheduled_by",
            "confirmed_by",
            "allowed_by",
            "claimed_by",
            "accused",
            "missed_by",
        },
        "proposal": {"tenant", "proposed_by", "asked"},
        "series": {"tenant", "made_by"},
        "commitment": {"tenant", "made_by", "waits_for"},
        "repair": {"tenant", "promised_by", "waits_for"},
        "boundary": {"tenant", "reminded_by", "about"},
        "goal": {"tenant", "proposed_by", "words_by", "measure_by", "answered_by"},
        "goal_step": {"tenant", "noted_by"},
        "history": {"tenant"},
        "given_back": {"tenant"},
    },
    _CODE: {
        "agreement": {"channels", "feedback"},
        "session": {"channel", "broken_term"},
        "proposal": {"channel"},
        "series": {"channel"},
        "commitment": {"size"},
        "boundary": {"term", "confirmed_by"},
    },
    _STATE: {
        name: {"state"}
        for name in ("session", "proposal", "commitment", "repair", "boundary", "goal")
    },
    _FACT: {"history": {"type", "fact"}, "pair_trust": {"partner_safe"}},
    "the terms, as they were published when they were signed": {
        "agreement": {"hours", "off_limits"}
    },
    "times": {"proposal": {"slots"}, "series": {"left_out"}},
    "the programme's own words, not a person's": {"agreement_template": {"template"}},
    "who asked for what, under ids that lead to nobody": {
        "audit": {"tenant", "person", "role", "method", "route", "names", "ids", "prev", "hash"}
    },
    _DELIVERY: {
        "outbox": {
            "aggregatetype",
            "aggregateid",
            "type",
            "payload",
            "ceid",
            "source",
            "subject",
            "dataschema",
            "tenant",
            "correlationid",
            "causationid",
            "traceparent",
        },
        "consumer_offset": {"group_name", "topic"},
        "dead_letter": {
            "group_name",
            "topic",
            "header_names",
            "header_values",
            "reason",
            "detail",
            "status",
        },
    },
}
# Every kind of column that could hold words.
_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name NOT LIKE '%migration%'
      AND (data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea')
           OR udt_name IN ('_text', '_varchar', '_bpchar', '_json', '_jsonb', '_bytea'))
"""
_TABLES = """
    SELECT tablename FROM pg_tables
    WHERE schemaname = current_schema() AND tablename NOT LIKE '%migration%'
"""

# Upper case and a space: no code and no id.
MARKER, NAME, THEIRS = "Quetzal Nest 4711", "Tomasz Wrzesniewski", "Heron On The Pond"
SAMPLE = f"{MARKER} of words"


def joined(person: PersonId = MENTEE, name: str = NAME, zone: str = "Asia/Tbilisi") -> PersonJoined:
    return PersonJoined(
        person_id=person,
        email="x@mentoring.example",
        display_name=name,
        timezone=zone,
        country="PL",
    )


def erased(person: PersonId = MENTEE) -> PersonErased:
    return PersonErased(person_id=person, erased_on=date(2026, 4, 1))


async def dump(world: World, *, but: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Every row of every table as text, with what bytes say."""
    tables = [row["tablename"] for row in await world.look(_TABLES)]
    rows = {
        table: await world.look(f'SELECT t::text AS row FROM "{table}" t')
        for table in sorted(tables)
        if table not in but
    }
    return {table: sorted(each["row"] for each in found) for table, found in rows.items()}


def holding(rows: dict[str, list[str]], word: str) -> list[str]:
    """The rows in which a word is, whatever its case, or its bytes."""
    found = (word.lower(), word.encode().hex())
    return [
        f"{table}: {row}"
        for table, each in rows.items()
        for row in each
        if any(sought in row.lower() for sought in found)
    ]


async def free_texts(world: World) -> set[tuple[str, str]]:
    """Where a person can write words of their own over HTTP: the path, and the field."""
    document = (await world.http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]

    def fields(schema: dict[str, Any], name: str) -> set[str]:
        if "$ref" in schema:
            return fields(schemas[schema["$ref"].rpartition("/")[2]], name)
        found = set()
        for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
            found |= fields(inner, name)
        found |= fields(schema["items"], name) if "items" in schema else set()
        for key, inner in schema.get("properties", {}).items():
            found |= fields(inner, key)
        is_free = schema.get("type") == "string" and not {"format", "enum", "const"} & set(schema)
        return found | (
            {name} if is_free and re.search(schema.get("pattern", ""), SAMPLE) else set()
        )

    return {
        (path, field)
        for path, methods in document["paths"].items()
        for operation in methods.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for field in fields(content["schema"], "")
    }


# The fields that `life` fills; a zone is a name of the IANA database, and no word.
WRITTEN = {
    ("/v1/pairs/{pair}/commitments", "title"),
    ("/v1/pairs/{pair}/repairs", "words"),
    ("/v1/pairs/{pair}/agreement", "goals"),
    ("/v1/pairs/{pair}/agreement", "topics_off_limits"),
    ("/v1/pairs/{pair}/agreements/{version}", "goals"),
    ("/v1/pairs/{pair}/agreements/{version}", "topics_off_limits"),
    ("/v1/pairs/{pair}/goals", "words"),
    ("/v1/pairs/{pair}/goals", "measure"),
    ("/v1/goals/{goal}", "words"),
    ("/v1/goals/{goal}", "measure"),
    ("/v1/goals/{goal}/progress", "note"),
    ("/v1/pairs/{pair}/notes", "text"),
    ("/v1/notes/{note}", "text"),
    ("/v1/pairs/{pair}/agenda", "text"),
}
NOT_A_PERSONS = {
    ("/v1/pairs/{pair}/series", "zone"),
    ("/v1/programmes/{programme}/agreement-template", "goals"),
    ("/v1/programmes/{programme}/agreement-template", "topics_off_limits"),
}


async def missed_and_repaired(world: World, by: str, words: str) -> None:
    """A promise of that side with these words, missed, and a repair promised in them."""
    commitment = await world.promise(world.clock.at + DAY, by=by, title=words)
    world.clock.at += 4 * DAY
    await world.sweep()
    body = {"repairs": commitment, "due_at": (world.clock.at + DAY).isoformat(), "words": words}
    await world.ok(by, f"/v1/pairs/{world.pair}/repairs", body)


async def life(world: World) -> str:
    """Both sides write all they can. The open commitment of the one who will be erased."""
    await world.deliver(joined(), joined(MENTOR, THEIRS, "UTC"))
    leave = {"person_id": MENTEE, "leave_id": "l-1", "started_on": date(2027, 5, 3)}
    await world.deliver(PersonLeaveEnded(**leave, back_on=date(2027, 5, 4)))
    place = f"/v1/pairs/{world.pair}"
    for person, other, word in ((MENTOR, MENTEE, THEIRS), (MENTEE, MENTOR, MARKER)):
        terms = world.body(goals=[word], topics_off_limits=[word, f"{word} too"])
        proposed = await world.ok(person, f"{place}/agreement", terms)
        headers = as_(person, tenant=TENANT) | {"If-Match": '"1"'}
        again = await world.http.put(
            f"{place}/agreements/{proposed['version']}",
            json=terms | {"goals": [f"{word} again"]},
            headers=headers,
        )
        assert again.is_success, again.text
        body = {"version": proposed["version"], "revision": again.json()["revision"]}
        await world.ok(other, f"{place}/agreement/sign", body)
        await missed_and_repaired(world, person, word)
        await world.ok(person, "/v1/me/calendar")
        await world.ok(person, f"{place}/boundaries", {"term": "hours"})
        await goals_and_notes(world, person, other, word)
    await held_with_answers(world)
    series = {
        "starts_at_local": (world.clock.at + 20 * DAY).replace(tzinfo=None).isoformat(),
        "duration_minutes": 30,
        "count": 2,
    }
    await world.ok(MENTEE, f"{place}/series", series)
    due = (world.clock.at + 7 * DAY).isoformat()
    made = await world.post(
        MENTEE, f"{place}/commitments", {"due_at": due, "title": MARKER}, key="quetzal-nest-4711"
    )
    path = f"/v1/commitments/{made.json()['commitment_id']}"
    await world.ok(MENTOR, f"{path}/accept")
    return path


# Notes and items of the agenda as their tables keep them, whatever route they came by.
_WROTE = """
    WITH item AS (
        INSERT INTO agenda_item (tenant, item_id, pair_id, written_by, written_at, text)
        VALUES ($1, $2, $3, $4, $5, $6)
    )
    INSERT INTO note (tenant, note_id, pair_id, written_by, written_at, text)
    VALUES ($1, $2, $3, $4, $5, $6)
"""


async def goals_and_notes(world: World, person: str, other: str, word: str) -> None:
    """A goal of that side, put in other words, and how far it is; a note, and an item."""
    wanted = {"words": word, "measure": f"{word}, measured"}
    goal = await world.ok(person, f"/v1/pairs/{world.pair}/goals", wanted)
    path = f"/v1/goals/{goal['goal_id']}"
    headers = as_(person, tenant=TENANT) | {"If-Match": '"1"'}
    changed = {"words": f"{word}, in other words", "measure": word}
    edited = await world.http.patch(path, json=changed, headers=headers)
    assert edited.is_success, edited.text
    agreed = await world.post(other, f"{path}/agree", match=edited.headers["ETag"])
    assert agreed.is_success, agreed.text
    await world.ok(person, f"{path}/progress", {"progress": 0.5, "note": word})
    async with acting_for(world.pool, TENANT) as conn:
        await conn.execute(_WROTE, TENANT, new_id(), world.pair, person, world.clock.now(), word)


async def held_with_answers(world: World) -> None:
    at = world.clock.at + HOUR
    session = await world.schedule(at)
    world.clock.at = at + HOUR
    for person in (MENTOR, MENTEE):
        await world.ok(person, f"/v1/sessions/{session}/confirm")
    for person in (MENTOR, MENTEE):
        for item in ("listened", "honest", "prepared", "at_ease"):
            await world.post(
                person, f"/v1/sessions/{session}/feedback", {"item": item, "answer": True}
            )


async def test_every_column_with_text_is_erased_or_known_to_stay(world: World) -> None:
    gone = {each.table for each in (*ERASED, DEAD_LETTERS) if each.columns == ALL}
    emptied = {(each.table, column) for each in (*ERASED, DEAD_LETTERS) for column in each.columns}
    stays = [
        (table, column)
        for tables in STAYS.values()
        for table, columns in tables.items()
        for column in columns
    ]
    there = {(row["table_name"], row["column_name"]) for row in await world.look(_COLUMNS)}

    forgotten = {each for each in there if each[0] not in gone} - emptied - set(stays)
    assert forgotten == set(), "erase it in queries/erasure.py, or say here why it stays"
    assert set(stays) - there == set()
    assert len(stays) == len(set(stays))
    assert not emptied & set(stays)


async def test_all_that_can_be_written_over_http_is_written_here(world: World) -> None:
    found = await free_texts(world)

    assert found - WRITTEN - NOT_A_PERSONS == set()
    assert len(found) > 10


async def test_no_row_anywhere_holds_a_word_or_the_name_of_who_was_erased(world: World) -> None:
    await life(world)
    before = await dump(world)
    kept = len(holding(before, THEIRS))
    assert len(holding(before, MARKER)) >= 8
    assert {each.partition(":")[0] for each in holding(before, MARKER)} >= {
        "agreement",
        "commitment",
        "repair",
        "goal",
        "goal_step",
        "agenda_item",
        "note",
    }
    assert holding(before, NAME)
    assert holding(before, "Asia/Tbilisi")
    assert holding(before, "quetzal-nest-4711")

    await world.deliver(erased())
    after = await dump(world)

    for word in (MARKER, NAME, "Quetzal", "Asia/Tbilisi", "quetzal-nest-4711"):
        assert holding(after, word) == []
    assert len(holding(after, THEIRS)) == kept >= 8
    for table, whose in (
        ("leave", "person_id"),
        ("calendar", "person_id"),
        ("request", "person_id"),
        ("feedback", "given_by"),
    ):
        rows = await world.look(f"SELECT FROM {table} WHERE {whose} = $1", MENTEE)
        assert not rows, table
    assert await world.look("SELECT FROM feedback WHERE given_by = $1", MENTOR)
    assert await world.look("SELECT FROM calendar WHERE person_id = $1", MENTOR)


async def test_the_partner_reads_and_does_what_they_could_before(world: World) -> None:
    path = await life(world)
    place = f"/v1/pairs/{world.pair}"
    published = [(each.event_id, each.fact) for each in await world.published()]
    before = (await world.get(MENTOR, f"{place}/history?limit=100")).json()

    await world.deliver(erased())

    after = (await world.get(MENTOR, f"{place}/history?limit=100")).json()
    titled = [each.pop("title", None) for each in after["entries"]]
    for each in before["entries"]:
        each.pop("title", None)
    assert after == before
    assert THEIRS in titled
    assert MARKER not in titled
    *facts, said = [(each.event_id, each.fact) for each in await world.published()]
    assert facts == published
    assert isinstance(said[1], ErasureCompleted)
    seen = await world.view(MENTOR)
    assert MARKER not in str(seen)
    assert NAME not in str(seen)
    for what in (
        "repairs",
        "commitments",
        "boundaries",
        "sessions",
        "agreements",
        "goals",
        "notes",
        "agenda",
    ):
        answer = await world.get(MENTOR, f"{place}/{what}")
        assert answer.status_code == 200, what
        assert MARKER not in answer.text
        assert NAME not in answer.text
    assert (await world.get(MENTOR, path)).json()["title"] is None
    await world.ok(MENTOR, f"{path}/keep")
    assert (await world.last())[0] == "commitment.kept"


async def test_what_they_left_open_is_left_to_time(world: World) -> None:
    path = await life(world)
    due = datetime.fromisoformat((await world.get(MENTOR, path)).json()["due_at"])
    await world.deliver(erased())

    world.clock.at = due + 30 * DAY
    await world.sweep()

    assert (await world.get(MENTOR, path)).json()["state"] == "missed"
    missed = [each for each in await world.published() if each.fact.type == "commitment.missed"]
    assert missed[-1].occurred_at == due + 2 * DAY


async def test_who_is_erased_says_nothing_more(world: World) -> None:
    path = await life(world)
    await world.deliver(erased())
    place = f"/v1/pairs/{world.pair}"
    due = (world.clock.at + 5 * DAY).isoformat()

    said = [
        await world.get(MENTEE, place),
        await world.post(MENTEE, f"{place}/commitments", {"due_at": due, "title": MARKER}),
        await world.post(MENTEE, f"{path}/warn"),
    ]

    assert [each.status_code for each in said] == [404] * 3
    assert holding(await dump(world), MARKER) == []


async def test_who_is_erased_gets_no_new_calendar(world: World) -> None:
    await world.ok(MENTEE, "/v1/me/calendar")
    await world.deliver(erased())

    assert (await world.post(MENTEE, "/v1/me/calendar")).status_code == 404
    assert await world.look("SELECT FROM calendar") == []


async def test_a_word_that_was_on_its_way_comes_too_late(world: World) -> None:
    """A command waits for the pair while its person is erased: what it reads comes after."""
    await world.deliver(joined())
    now = world.clock.now()
    event = new_event(erased(), event_id=new_id(), tenant=TENANT, service="test", now=now)
    body = {"due_at": (now + DAY).isoformat(), "title": MARKER}
    async with world.pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL trustfold.tenant = 'acme'")
        await conn.execute("SELECT FROM pair FOR UPDATE")
        making = asyncio.create_task(
            world.post(MENTEE, f"/v1/pairs/{world.pair}/commitments", body, key="k")
        )
        while not await world.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ):
            assert not making.done()
        await per_fact(HANDLERS)(conn, [event], now)

    assert (await making).status_code == 404
    assert holding(await dump(world), MARKER) == []


LATER = [
    pytest.param(joined(), id="who they were"),
    pytest.param(
        PersonChanged(**joined().model_dump(exclude={"type", "version"})), id="a change of name"
    ),
    pytest.param(
        PersonLeaveStarted(person_id=MENTEE, leave_id="l-9", started_on=date(2026, 5, 1)),
        id="a leave",
    ),
    pytest.param(PersonLeft(person_id=MENTEE, left_on=date(2026, 5, 1)), id="that they left"),
    pytest.param(erased(), id="that they are erased"),
]


@pytest.mark.parametrize("fact", LATER)
@pytest.mark.parametrize("days", [-30, 0, 30], ids=["of before", "of then", "of later"])
async def test_nothing_told_of_them_brings_them_back(world: World, fact: Fact, days: int) -> None:
    await world.deliver(joined(), joined(MENTOR, THEIRS, "UTC"))
    await world.deliver(erased(), at=START)
    # That they are erased is said again to whoever asks again.
    passing = frozenset({"inbox", "outbox"})
    before = await dump(world, but=passing)

    await world.deliver(fact, at=START + days * DAY)

    assert await dump(world, but=passing) == before
    assert holding(await dump(world), NAME) == []


async def test_who_was_never_known_stays_unknown_once_erased(world: World) -> None:
    await world.deliver(erased(PersonId("zoe")))
    await world.deliver(joined(PersonId("zoe")))

    assert holding(await dump(world), NAME) == []


async def test_somebody_of_the_same_id_elsewhere_is_somebody_else(world: World) -> None:
    there = TenantId("globex")
    await deliver_to(world, there, joined())
    await world.deliver(joined())
    kept = await world.look("SELECT * FROM person WHERE tenant = $1", there)

    await world.deliver(erased())

    assert await world.look("SELECT * FROM person WHERE tenant = $1", there) == kept
    assert len(holding(await dump(world), NAME)) == 1


async def test_their_other_pairs_forget_them_too_even_those_that_ended(world: World) -> None:
    await agree(world, goals=[THEIRS])
    await world.end_pairs(world.clock.at)
    await second_pair(world)

    await world.deliver(erased(MENTOR))

    assert holding(await dump(world), THEIRS) == []


@pytest.mark.parametrize(
    ("topic", "key", "stays"),
    [
        (topics.PEOPLE.name, f"{TENANT}/{MENTEE}", False),
        (topics.PEOPLE.name, f"{TENANT}/{MENTEE}/l-1", False),
        (f"blue.{topics.PEOPLE.name}", f"{TENANT}/{MENTEE}", False),
        (topics.PEOPLE.name, f"{TENANT}/{MENTEE}my", True),
        (topics.PEOPLE.name, f"{TENANT}/{MENTOR}", True),
        (topics.PEOPLE.name, f"globex/{MENTEE}", True),
        (topics.PAIRS.name, f"{TENANT}/{MENTEE}", True),
        (topics.PEOPLE.name, None, True),
    ],
    ids=[
        "theirs",
        "of a leave of theirs",
        "where topics have a namespace",
        "of somebody whose id begins as theirs",
        "of the partner",
        "of another tenant",
        "of another topic",
        "of nobody",
    ],
)
async def test_what_could_not_be_read_about_them_goes_too(
    world: World, topic: str, key: str | None, stays: bool
) -> None:
    value, headers = NAME.encode(), (("ce_type", b"person.joined"),)
    record = ConsumerRecord(topic, key.encode() if key else None, value, headers)
    async with world.pool.acquire() as conn:
        await dead_letters.park(conn, "sessions", record, reason="x", detail="y", attempts=1)

    await world.deliver(erased())

    assert bool(holding(await dump(world), NAME)) == stays


@dataclass(frozen=True)
class ConsumerRecord:
    """A record as a consumer gets it."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


async def deliver_to(world: World, tenant: TenantId, fact: Fact) -> None:
    """Let the service consume a fact of another tenant."""
    now = world.clock.now()
    event = new_event(fact, event_id=new_id(), tenant=tenant, service="test", now=now)
    async with world.pool.acquire() as conn, conn.transaction():
        await per_fact(HANDLERS)(conn, [event], now)
