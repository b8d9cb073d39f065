"""Erasure: nothing that was known of a person is left but that they were a pair."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest

from services.matching.queries.erasure import ERASED
from shared.erasing import ALL, DEAD_LETTERS
from shared.events.people import PersonErased, PersonLeaveEnded
from shared.ids import PersonId
from tests.integration.matching.conftest import ACME, Matching, caller, mentee, mentor

pytestmark = pytest.mark.stack

# Upper case and a space: no code and no id.
NAME, WORDS = "Tomasz Wrzesniewski", "Quetzal Nest 4711"
_ID = "an id of a person, a programme or a request: whose it was, nobody knows any longer"
_CODE = "a word of a closed list, or a code: [a-z0-9_]"
_DELIVERY = "how facts come and go: kept until delivered, or until an operator drops them"
# What the tombstone of queries.people has in its place.
TOMBSTONE = {
    ("person", column)
    for column in (
        "display_name", "timezone", "manager_id", "languages", "hours", "roles", "offers", "goals",
        "org_unit", "said",
    )
}  # fmt: skip
# A column that holds text, and why it may stay. Everything else is erased by a statement.
STAYS: dict[str, dict[str, set[str]]] = {
    _ID: {
        "person": {"tenant", "person_id"},
        "pair": {"tenant", "programme_id", "mentor_id", "mentee_id", "asked_by"},
        "pair_trust": {"tenant"},
        "introduction": {"tenant", "mentor_id", "mentee_id", "offered_by", "contact"},
        "programme": {"tenant", "programme_id"},
        "programme_version": {"tenant", "programme_id"},
        "ranking_round": {"tenant", "programme_id"},
        "run": {"tenant", "programme_id"},
        "run_pair": {"tenant", "mentor_id", "mentee_id"},
        "run_report": {"tenant"},
        "run_taken_back": {"tenant"},
        "door_event": {"tenant", "digest"},
        "erasure": {"tenant", "person_id"},
        "erasure_done": {"tenant", "person_id"},
        "scim_group": {"tenant", "id"},
    },
    _CODE: {
        "pair": {"state", "end_reason", "reasons"},
        "ranking_round": {"state"},
        "erasure_done": {"service", "tables"},
        "run": {"state", "stage", "failure"},
        "run_pair": {"became"},
        "introduction": {"about", "state", "outcome"},
        "pair_trust": {"mentor_band", "mentor_weakest", "mentee_band", "mentee_weakest"},
    },
    "the organisation's own words, not a person's": {
        "programme": {"name", "settings"},
        "programme_version": {"settings"},
        "scim_group": {"display_name", "external_id", "data"},
        "run": {"settings"},
    },
    "figures of groups of five and more, goals as codes": {"run_report": {"report"}},
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
_COLUMNS = """
    SELECT jsonb_agg(jsonb_build_array(columns.table_name, column_name))
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE columns.table_schema = current_schema() AND table_type = 'BASE TABLE'
      AND columns.table_name NOT LIKE '%migration%'
      AND (data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea')
           OR udt_name IN ('_text', '_varchar', '_bpchar', '_json', '_jsonb', '_bytea', 'vector'))
"""
_TABLES = """
    SELECT jsonb_agg(tablename) FROM pg_tables
    WHERE schemaname = current_schema() AND tablename NOT LIKE '%migration%'
"""


async def value(matching: Matching, statement: str) -> Any:
    return orjson.loads(await matching.kept(statement))


async def holding(matching: Matching, word: str) -> list[str]:
    """The tables that have a row with a word in it, whatever its case, or with its bytes."""
    found = []
    for table in await value(matching, _TABLES):
        rows = str(await matching.kept(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" t'))
        if word.lower() in rows.lower() or word.encode().hex() in rows.lower():
            found.append(table)
    return sorted(found)


def erased(person: str) -> PersonErased:
    return PersonErased(person_id=PersonId(person), erased_on=date(2026, 4, 1))


async def life(matching: Matching) -> str:
    """Ben is known, has been away, has said all he can of himself, and is in a pair with Ann."""
    await matching.hears(mentor("ann"), mentee("ben", display_name=NAME, org_unit=WORDS))
    leave = {"person_id": "ben", "leave_id": "l-1", "started_on": date(2026, 1, 5)}
    await matching.hears(PersonLeaveEnded.model_validate({**leave, "back_on": date(2026, 1, 6)}))
    headers = caller("ben", "participant", ACME)
    profile = {"about": WORDS, "wishes": f"{WORDS} too", "avoid": ["zoe"]}
    answer = await matching.http.put("/v1/me/profile", json=profile, headers=headers)
    assert answer.status_code == 200, answer.text
    return f"/v1/pairs/{(await matching.match())['proposed'][0]['pair_id']}"


async def test_every_column_with_text_is_erased_or_known_to_stay(matching: Matching) -> None:
    gone = {each.table for each in (*ERASED, DEAD_LETTERS) if each.columns == ALL}
    emptied = TOMBSTONE | {
        (each.table, column) for each in (*ERASED, DEAD_LETTERS) for column in each.columns
    }
    stays = [(t, c) for kept in STAYS.values() for t, columns in kept.items() for c in columns]
    there = {(table, column) for table, column in await value(matching, _COLUMNS)}

    forgotten = {each for each in there if each[0] not in gone} - emptied - set(stays)
    assert forgotten == set(), "erase it in queries/erasure.py, or say here why it stays"
    assert set(stays) - there == set()
    assert len(stays) == len(set(stays))
    assert not emptied & set(stays)


async def test_no_row_holds_a_word_or_the_name_of_who_was_erased(matching: Matching) -> None:
    await life(matching)
    assert await holding(matching, WORDS) != []
    assert await holding(matching, NAME) != []

    await matching.hears(erased("ben"))

    assert await holding(matching, WORDS) == []
    assert await holding(matching, NAME) == []


async def test_the_pair_closes_and_the_partner_may_be_matched_anew(matching: Matching) -> None:
    path = await life(matching)

    await matching.hears(erased("ben"), mentee("cara"))

    pair = (await matching.get(path, "ann", "participant")).json()
    assert (pair["state"], pair["mentee"]["display_name"]) == ("withdrawn", "ben")
    assert [each["mentee"]["person_id"] for each in (await matching.match())["proposed"]] == [
        "cara"
    ]
    assert await matching.announced_types() == [
        "pair.proposed",
        "pair.expired",
        "erasure.completed",
        "pair.proposed",
    ]


async def test_nobody_elses_choices_name_them_any_longer(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    headers = caller("ann", "participant", ACME)
    await matching.http.put("/v1/me/profile", json={"avoid": ["ben", "zoe"]}, headers=headers)

    await matching.hears(erased("ben"))

    own = (await matching.get("/v1/me/profile", "ann", "participant")).json()
    assert own["avoid"] == ["zoe"]


async def test_an_erasure_told_twice_or_before_anything_else_is_one(matching: Matching) -> None:
    await matching.hears(erased("ben"))
    await matching.hears(erased("ben"), mentee("ben", display_name=NAME))

    assert await holding(matching, NAME) == []
    assert (await matching.match())["proposed"] == []
