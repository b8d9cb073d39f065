"""Reading and writing what one says of oneself. No SQL and no rule stands here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.matching.domain.person import Person
from services.matching.domain.profile import Profile, Said, settled
from services.matching.queries import people, profiles
from shared.asking import Ask, MatchRequired
from shared.errors import NotFound
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for


@dataclass(frozen=True, slots=True)
class Mine:
    """What I said, and how I am matched with it: over what HR says."""

    profile: Profile
    person: Person

    @property
    def revision(self) -> int:
        return self.profile.revision


async def mine(pool: Pool, ask: Ask) -> Mine:
    """One's own profile. Raises NotFound for somebody HR has not told of."""
    async with reading_for(pool, ask.tenant) as conn:
        return await _mine(conn, ask)


async def put(pool: Pool, ask: Ask, said: Said) -> Mine:
    """Say this of oneself, in place of all that was said before. The same again changes nothing.

    Raises Rejected naming the field, NotFound for somebody who is not there, MatchRequired when
    something was said before and the request names no revision, Moved when it names another.
    """
    wished = settled(said, ask.person)
    async with acting_for(pool, ask.tenant) as conn:
        if not await profiles.hold(conn, ask.tenant, ask.person):
            raise NotFound("HR has not told of you, or you have left")
        before = await profiles.find(conn, ask.tenant, ask.person)
        if before.revision and ask.if_match is None and wished != before.said:
            raise MatchRequired
        ask.require_unmoved(before)
        if wished != before.said:
            after = replace(before, said=wished, revision=before.revision + 1)
            await profiles.save(conn, ask.tenant, after, ask.now)
        return await _mine(conn, ask)


async def _mine(conn: Connection, ask: Ask) -> Mine:
    person = await people.person(conn, ask.tenant, ask.person)
    if person is None or not person.active:
        raise NotFound("HR has not told of you, or you have left")
    return Mine(await profiles.find(conn, ask.tenant, ask.person), person)
