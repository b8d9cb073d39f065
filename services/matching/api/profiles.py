"""Routes on one's own profile. Nobody else reads it: others see its effect, and no word of it."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field, StringConstraints

from services.matching import views
from services.matching.api.common import PersonName
from services.matching.domain.profile import Said
from services.matching.handlers import profiles
from services.matching.handlers.profiles import Mine
from shared.asking import Asked, Reading
from shared.events.fact import Code
from shared.events.people import Language, WeeklyHours
from shared.postgres.pool import Pool
from shared.shapes import LINE, Body

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=LINE)]
Codes = Annotated[tuple[Code, ...], Field(max_length=50)]


class Window(WeeklyHours):
    """One weekly window in one's own zone; one that ends before it begins runs past midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProfileIn(Body):
    """What one says of oneself; null, or left out, is as HR has it.

    `about` is for mentees to find, `wishes` for mentors. `avoid` is shown to nobody else, whatever
    their role. Who is paused is proposed to nobody; their pairs go on.
    """

    roles: Annotated[tuple[Literal["mentor", "mentee"], ...], Field(max_length=2)] | None = None
    capacity: Annotated[int, Field(ge=0, le=50)] | None = None
    offers: Codes | None = None
    goals: Codes | None = None
    languages: Annotated[tuple[Language, ...], Field(max_length=20)] | None = None
    hours: Annotated[tuple[Window, ...], Field(max_length=50)] | None = None
    about: Words = ""
    wishes: Words = ""
    avoid: Annotated[tuple[PersonName, ...], Field(max_length=50)] = ()
    paused: bool = False

    def plain(self) -> Said:
        """As the rules read it."""
        given = {each.name: getattr(self, each.name) for each in fields(Said)}
        if self.hours is not None:
            given["hours"] = tuple(WeeklyHours(**each.model_dump()) for each in self.hours)
        return Said(**given)


class ProfileOut(ProfileIn):
    """One's own profile, for oneself alone. `changed_at` is null when one said nothing yet.

    `as_matched` is what matching goes by, and all that managers see of it.
    """

    changed_at: datetime | None
    as_matched: views.PersonView


def profile_out(mine: Mine) -> ProfileOut:
    """The profile for the one whose it is."""
    said = {each.name: getattr(mine.profile.said, each.name) for each in fields(Said)}
    if said["hours"] is not None:
        said["hours"] = tuple(Window(**window.model_dump()) for window in said["hours"])
    return ProfileOut(
        **said, changed_at=mine.profile.changed_at, as_matched=views.person_view(mine.person)
    )


def profiles_router(pool: Pool) -> APIRouter:
    """Reading, writing and deleting one's own profile."""
    router = APIRouter(prefix="/me/profile", tags=["profile"])

    @router.get("")
    async def get_profile(asked: Reading) -> ProfileOut:
        """What one said of oneself, and how one is matched with it. Its revision is the ETag."""
        return asked.answer(profile_out, await profiles.mine(pool, asked.ask))

    @router.put("")
    async def put_profile(asked: Asked, body: ProfileIn) -> ProfileOut:
        """Say this in place of all one said before; a change of what is there needs `If-Match`."""
        return asked.answer(profile_out, await profiles.put(pool, asked.ask, body.plain()))

    @router.delete("")
    async def delete_profile(asked: Asked) -> ProfileOut:
        """Take all of it back: from now on one is as HR has it. Needs `If-Match`."""
        mine = await profiles.put(pool, asked.require_match(), Said())
        return asked.answer(profile_out, mine)

    return router
