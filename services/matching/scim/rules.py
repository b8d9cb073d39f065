"""Whose id names a person, and which groups make mentors. Settings' rules; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from services.matching.domain.naming import says_who_it_is
from services.matching.scim.person import Role
from shared.errors import Rejected
from shared.events.fact import Person
from shared.ids import PersonId

PersonIdFrom = Literal["id", "external_id"]
_OPAQUE = TypeAdapter(Person)


@dataclass(frozen=True, slots=True)
class ScimRules:
    """`groups` is the role that a group of this name gives its members, in lower case."""

    person_id: PersonIdFrom = "id"
    groups: Mapping[str, Role] = field(default_factory=dict)


def own_person_id(
    rules: ScimRules, id_: str, external_id: str | None, known: str | None = None
) -> PersonId:
    """The id that facts name a user by: for ever the one they came with, which is `known`.

    Raises Rejected naming externalId where that is the id, and is none or another now.
    """
    if rules.person_id == "id":
        return PersonId(known or id_)
    if known is not None and external_id != known:
        raise Rejected("externalId: it names the person and cannot change", field="externalId")
    try:
        opaque = _OPAQUE.validate_python(external_id)
    except ValidationError:
        said = "externalId: 1 to 64 letters, digits and ._:- are needed, it names the person"
        raise Rejected(said, field="externalId") from None
    if says_who_it_is(opaque):
        said = "externalId: it looks like a name or an address; facts may hold neither"
        raise Rejected(said, field="externalId")
    return opaque
