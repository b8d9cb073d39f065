"""What we serve over SCIM: users, groups, our extension, what we can do. Reads and decides nothing.

Values are kept as they were sent, so addresses are plain strings here: what is no address is no
person's, and that is said where people are made of users.
"""

from __future__ import annotations

from typing import Any, cast

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Extension,
    External,
    Filter,
    Group,
    Patch,
    Reference,
    Resource,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
)
from scim2_models import EnterpriseUser as StandardEnterprise
from scim2_models import User as StandardUser
from scim2_models.resources.enterprise_user import Manager as StandardManager
from scim2_models.resources.user import Email as StandardEmail

MENTORING = "urn:trustfold:params:scim:schemas:mentoring:2.0:User"
ENTERPRISE = str(StandardEnterprise.__schema__)
MAX_RESULTS = 500
MAX_BULK_OPERATIONS = 1_000
MAX_BODY_BYTES = 4 * 1024 * 1024


class Email(StandardEmail):
    """An address, as it was sent."""

    value: str | None = None


class User(StandardUser):  # type: ignore[type-arg]
    """RFC 7643's, its time zones by example."""

    emails: list[Email] | None = None  # type: ignore[assignment]
    timezone: str | None = Field(None, examples=["Europe/Berlin", "America/New_York", "UTC"])
    locale: str | None = Field(None, examples=["en-GB", "de-DE"])
    preferred_language: str | None = Field(None, examples=["en", "de-DE"])


class Manager(StandardManager):
    """By their id; no directory sends the reference that the standard wants beside it."""

    ref: Reference[StandardUser] | None = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )


class EnterpriseUser(StandardEnterprise):
    """RFC 7643's, its manager by an id alone."""

    manager: Manager | None = None


class Mentoring(Extension):
    """How a person takes part in mentoring."""

    __schema__ = URN(MENTORING)

    roles: list[str] | None = Field(None, examples=["mentor", "mentee"])
    """What they would be: mentor, mentee or both."""

    capacity: int | None = None
    """How many mentees they would take on: 0 to 50, 1 where nothing is said."""

    offers: list[str] | None = Field(None, examples=["python", "public_speaking"])
    """Codes of what they can teach."""

    goals: list[str] | None = Field(None, examples=["python", "leading_people"])
    """Codes of what they want to learn."""

    grade: int | None = None
    """Seniority from 0 to 100, on the organisation's own scale."""

    org_unit: str | None = Field(None, examples=["research", "sales"])
    """Where they work; the department where nothing is said."""

    country: str | None = Field(None, examples=["DE", "DE-BY", "GB"])
    """ISO 3166-1, or 3166-2 where holidays differ; that of the address where nothing is said."""


def _provider() -> ScimProvider:
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(
            supported=True, max_operations=MAX_BULK_OPERATIONS, max_payload_size=MAX_BODY_BYTES
        ),
        filter=Filter(supported=True, max_results=MAX_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="A token of the organisation's identity provider, role hr",
                spec_uri=Reference[External]("https://datatracker.ietf.org/doc/html/rfc6750"),
                primary=True,
            )
        ],
    )
    served = cast("type[Resource[Any]]", cast("Any", User)[EnterpriseUser | Mentoring])
    return ScimProvider(
        models=[User, EnterpriseUser, Mentoring, Group],
        resource_types=[ResourceType.from_resource(served), ResourceType.from_resource(Group)],
        config=config,
    )


PROVIDER = _provider()
USER = next(each for each in PROVIDER.resource_types if each.name == "User")
GROUP = next(each for each in PROVIDER.resource_types if each.name == "Group")
