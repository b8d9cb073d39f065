"""Which column of HR's file says what of a person. Pure; knows names of columns, no values.

Names are compared without case, spaces and punctuation. What a usual export calls a field is known;
the rest is told by `COLUMN=field`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shared.errors import Rejected

# What each field is called: our own name, then Workday's, SuccessFactors', and plain ones.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "person_id": ("person_id", "employee_id", "worker_id", "userId", "personIdExternal", "user_id"),
    "email": ("email", "primary_work_email", "email_primary_work", "work_email", "email_address"),
    "display_name": ("display_name", "preferred_name", "worker", "full_name", "defaultFullName"),
    "locale": ("locale", "preferred_language", "defaultLocale", "language"),
    "timezone": ("timezone", "time_zone", "tz"),
    "country": ("country", "country_code", "location_country", "countryOfCompany"),
    "manager_id": ("manager_id", "managers_employee_id", "manager_employee_id", "managerId"),
    "org_unit": ("org_unit", "supervisory_organization", "department", "cost_center"),
    "grade": ("grade", "management_level", "job_level", "payGrade"),
    "languages": ("languages", "spoken_languages"),
    "roles": ("roles", "mentoring_roles"),
    "capacity": ("capacity", "mentoring_capacity"),
    "offers": ("offers", "mentoring_offers"),
    "goals": ("goals", "mentoring_goals"),
    "active": ("active", "active_status", "status", "worker_status", "emplStatus"),
    "left_on": ("left_on", "termination_date", "end_date", "endDate"),
}
FIELDS = tuple(_NAMES)
# A column of this field is looked at by nobody: `--map Salary=-`.
IGNORED = "-"


def columns_of(header: Sequence[str], mapping: Mapping[str, str]) -> dict[int, str]:
    """The field of each column, by its place; columns that say nothing to us are left out.

    `mapping` is from a column's name to a field, or to `-`; it goes before the names we know.
    Raises Rejected naming the column: one that is there twice, a field from two columns, a mapping
    of what is not there, and a file without ids.
    """
    places = _places(header)
    known = {_plain(name): field for field, names in _NAMES.items() for name in names}
    told = {_plain(column): field for column, field in mapping.items()}
    for column, field in mapping.items():
        if _plain(column) not in places:
            raise Rejected(f"{column}: the file has no such column, but {_list(header)}")
        if field not in (*FIELDS, IGNORED):
            raise Rejected(f"{column}: {field} is no field; there are {_list(FIELDS)}, and -")
    found: dict[str, int] = {}
    for name, at in places.items():
        wanted = told.get(name) or known.get(name)
        if wanted is None or wanted == IGNORED:
            continue
        if wanted in found:
            both = f"{header[found[wanted]]} and {header[at]}"
            raise Rejected(f"{both} are both {wanted}: say which is not, with '{header[at]}=-'")
        found[wanted] = at
    if "person_id" not in found:
        raise Rejected(f"no column is person_id: map one of {_list(header)}", field="person_id")
    return {at: field for field, at in found.items()}


def _places(header: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for at, name in enumerate(header):
        if _plain(name) in places:
            raise Rejected(f"{name}: the header has it twice")
        if _plain(name):
            places[_plain(name)] = at
    return places


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _list(names: Sequence[str]) -> str:
    return ", ".join(name for name in names if name)
