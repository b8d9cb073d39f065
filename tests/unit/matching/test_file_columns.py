"""A column is what its name says, or what HR says it is; what could be two things is refused."""

from __future__ import annotations

import pytest

from services.matching.people_file.columns import columns_of
from shared.errors import Rejected


@pytest.mark.parametrize(
    "header",
    [
        ("person_id", "email", "display_name"),
        ("Employee ID", "Email - Primary Work", "Preferred Name"),
        ("userId", "EMAIL", "defaultFullName"),
    ],
)
def test_names_of_usual_exports_are_known(header: tuple[str, ...]) -> None:
    assert columns_of(header, {}) == {0: "person_id", 1: "email", 2: "display_name"}


def test_what_hr_says_goes_before_what_is_known() -> None:
    header = ("No", "Department", "Team", "Salary")

    found = columns_of(header, {"no": "person_id", "Department": "-", "team": "org_unit"})

    assert found == {0: "person_id", 2: "org_unit"}


@pytest.mark.parametrize(
    ("header", "mapping", "said"),
    [
        (("person_id", "Person ID"), {}, "Person ID: the header has it twice"),
        (("person_id", "department", "cost_center"), {}, "are both org_unit"),
        (("name",), {}, "no column is person_id"),
        (("person_id",), {"Boss": "manager_id"}, "Boss: the file has no such column"),
        (("person_id", "Boss"), {"Boss": "boss"}, "boss is no field"),
    ],
)
def test_what_is_not_certain_is_refused(
    header: tuple[str, ...], mapping: dict[str, str], said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        columns_of(header, mapping)
