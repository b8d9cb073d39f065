"""Resources as they are kept, and back: every word as it was sent. No I/O and no rule.

What is found again has a column; a group's members are rows of their own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import orjson
from scim2_models import Group, Meta, Path, Resource, ResourceType, ResponseParameters

from services.matching.queries.scim import GroupColumns, Row, UserColumns
from services.matching.scim.schemas import ENTERPRISE, GROUP, PROVIDER, User

_USER_NAME = cast("Any", Path)[User]("userName").resolve()
# Never kept: we sign nobody in.
_NOT_KEPT = {"id": None, "meta": None, "external_id": None, "password": None, "groups": None}


def user_columns(user: Any) -> UserColumns:
    """What is kept of a user, in the words they were sent in."""
    theirs = user.model_copy(update=_NOT_KEPT)
    said = theirs.model_dump(mode="json")
    manager = ((said.get(ENTERPRISE) or {}).get("manager") or {}).get("value")
    emails = [str(each["value"]).lower() for each in said.get("emails") or () if each.get("value")]
    key = str(_USER_NAME.comparable(said["userName"]))
    return UserColumns(key, user.external_id, emails, manager, orjson.dumps(said).decode())


def group_columns(group: Group) -> GroupColumns:
    theirs = group.model_copy(
        update={"id": None, "meta": None, "external_id": None, "members": None}
    )
    return GroupColumns(str(group.display_name), group.external_id, theirs.model_dump_json())


def resource_of(
    kind: ResourceType, row: Row, members: list[dict[str, Any]] | None
) -> Resource[Any]:
    data = dict(row.data)
    if members:
        data["members"] = [
            {
                **each,
                "$ref": f"{'Groups' if each.get('type') == 'Group' else 'Users'}/{each['value']}",
            }
            for each in members
        ]
    resource = cast("type[Resource[Any]]", PROVIDER.model_for(kind)).model_validate(data)
    resource.id = row.id
    resource.external_id = row.external_id
    resource.meta = Meta(
        resource_type=kind.name,
        created=row.created_at,
        last_modified=row.changed_at,
        version=f'W/"{row.revision}"',
    )
    return resource


def as_made(kind: ResourceType, user: Resource[Any], id_: str, now: datetime) -> Resource[Any]:
    """A new user as they are kept from now on."""
    meta = Meta(resource_type=kind.name, created=now, last_modified=now, version='W/"1"')
    kept = {**_NOT_KEPT, "id": id_, "meta": meta, "external_id": user.external_id}
    return user.model_copy(update=kept, deep=True)


def wants_members(kind: ResourceType, asked: ResponseParameters[Any] | None) -> bool:
    """Whether the answer holds members: a group of everybody need not be read to be named."""
    if kind.name != GROUP.name or asked is None:
        return kind.name == GROUP.name
    if any(
        str(each).lower().split(":")[-1] == "members" for each in asked.excluded_attributes or ()
    ):
        return False
    named = [str(each).lower().rpartition(":")[2] for each in asked.attributes or ()]
    return not named or any(each.split(".")[0] == "members" for each in named)
