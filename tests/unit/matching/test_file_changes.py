"""A row says what its columns say: of the rest of a person, nothing changes."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.matching.people_file.changes import Cells, Change, Known, Reading, Refusal, change_of
from services.matching.people_file.work import most_leaving
from shared.errors import Rejected
from shared.events.people import PersonJoined, PersonLeft
from shared.ids import PersonId, TenantId

HOW = Reading(date(2026, 3, 1))
ACME = TenantId("acme")
ANN: dict[str, Any] = {
    "person_id": "E-1", "email": "ann@acme.example", "display_name": "Ann",
    "org_unit": "Research", "manager_id": "E-9", "timezone": "Europe/Berlin",
    "participation": {"roles": ["mentor"], "capacity": 2, "offers": ["go"]},
}  # fmt: skip


def known(active: bool = True, erased: bool = False, n: int = 1, **more: Any) -> Known:
    said = PersonJoined.model_validate(ANN | more).model_dump(mode="json")
    return Known(UUID(int=n), active, erased, None if erased else said)


def change(said: dict[str, str], before: Known | None, how: Reading = HOW) -> Change:
    found = change_of(Cells(2, {"person_id": "E-1"} | said), before, how)
    assert isinstance(found, Change), found
    return found


def refused(said: dict[str, str], before: Known | None = None, how: Reading = HOW) -> Refusal:
    found = change_of(Cells(2, {"person_id": "E-1"} | said), before, how)
    assert isinstance(found, Refusal)
    return found


NEW = {"email": "ann@acme.example", "display_name": "Ann"}


def test_somebody_new_joins() -> None:
    found = change(NEW | {"roles": "mentor; mentee", "locale": "de_DE"}, None)

    assert found.kind == "joined"
    assert isinstance(found.fact, PersonJoined)
    assert found.fact.participation is not None
    assert found.fact.participation.roles == ("mentor", "mentee")
    assert found.fact.locale == "de-DE"


def test_a_field_without_a_column_stays_as_it_is() -> None:
    found = change({"org_unit": "Sales"}, known())

    assert (found.kind, found.fields) == ("changed", ("org_unit",))
    assert found.fact is not None
    told = found.fact.model_dump(mode="json")
    assert told == {**dict(known().said or {}), "org_unit": "Sales"}


def test_an_empty_cell_clears_what_may_be_empty_and_leaves_the_rest() -> None:
    empty = dict.fromkeys(("manager_id", "timezone", "capacity", "display_name", "email"), "")

    assert change(empty, known()).fields == ("manager_id",)


def test_what_is_said_again_changes_nothing() -> None:
    said = {"org_unit": " Research ", "roles": "mentor", "timezone": "Europe/Berlin"}

    assert change(said, known()).kind == "unchanged"


@pytest.mark.parametrize("no", ["false", "No", "0", "TERMINATED", "Inactive"])
def test_who_is_no_longer_active_has_left_once(no: str) -> None:
    left = change({"active": no}, known())

    assert left.fact == PersonLeft(person_id=PersonId("E-1"), left_on=HOW.today)
    assert change({"active": no}, known(active=False)).kind == "unchanged"
    assert change({"active": no}, None).kind == "unchanged"


def test_who_comes_back_joins_with_all_that_was_known() -> None:
    found = change({"active": "yes"}, known(active=False))

    assert found.kind == "joined"
    assert isinstance(found.fact, PersonJoined)
    assert found.fact.org_unit == "Research"


def test_who_was_erased_does_not_come_back() -> None:
    assert refused(NEW, known(erased=True)).field == "person_id"


@pytest.mark.parametrize("text", ["31.12.2026", "12/31/2026", "2026-13-01", "soon"])
def test_a_date_that_could_be_read_two_ways_is_refused(text: str) -> None:
    said = {"active": "no", "left_on": text}

    assert refused(said, known()).field == "left_on"


def test_a_date_is_read_in_the_form_that_is_said_and_as_iso() -> None:
    how = Reading(HOW.today, "%d.%m.%Y")

    for text in ("31.12.2026", "2026-12-31"):
        found = change({"active": "no", "left_on": text}, known(), how)
        assert found.fact == PersonLeft(person_id=PersonId("E-1"), left_on=date(2026, 12, 31))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"timezone": "W. Europe Standard Time"}, "timezone"),
        ({"country": "Germany"}, "country"),
        ({"capacity": "2,0"}, "capacity"),
        ({"grade": "3.5"}, "grade"),
        ({"grade": "101"}, "grade"),
        ({"roles": "mentor, boss"}, "roles"),
        ({"active": "perhaps"}, "active"),
        ({"person_id": "ann.smith"}, "person_id"),
        ({"person_id": "a b"}, "person_id"),
        ({"person_id": ""}, "person_id"),
    ],
)
def test_a_bad_value_names_its_field(said: dict[str, str], field: str) -> None:
    assert refused(NEW | said, None).field == field


def test_the_same_row_after_the_same_facts_is_the_same_event() -> None:
    def event(said: str, before: Known) -> UUID:
        return change({"org_unit": said}, before).event_id(ACME, before)

    once, later = known(n=1), known(n=2)

    assert event("Sales", once) == event("Sales", once)
    # There, back and there again is three events.
    assert len({event("Sales", once), event("Sales", later), event("Law", once)}) == 3


@pytest.mark.parametrize(
    ("said", "here", "most"), [("5%", 1_000, 50), ("5%", 10, 1), ("7", 10, 7), ("0", 9, 0)]
)
def test_how_many_may_leave_is_a_share_or_a_number(said: str, here: int, most: int) -> None:
    assert most_leaving(said, here) == most


@pytest.mark.parametrize("said", ["", "%", "-1", "five", "101%", "nan", "inf"])
def test_any_other_limit_is_refused(said: str) -> None:
    with pytest.raises(Rejected, match="--max-deactivations"):
        most_leaving(said, 10)
