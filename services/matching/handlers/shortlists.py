"""One person's best few of the other side, now; and the points by which they are found.

No SQL and no rule stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.matching.domain import ask as asks
from services.matching.domain import fit
from services.matching.domain.ask import Side, TakesNoPart
from services.matching.domain.fit import NOBODY_APART, NOTHING_LEARNED, Candidate, Shares
from services.matching.domain.participant import Participant
from services.matching.domain.programme import Programme
from services.matching.engine.likeness import Floats, direction, point
from services.matching.handlers.weighing import as_weighed, candidate
from services.matching.queries import crowd, participants, places, points, programmes
from services.matching.queries.points import Looking
from shared.asking import Ask
from shared.errors import NotFound
from shared.events.matching import Ground
from shared.ids import PersonId, ProgrammeId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all, acting_for

OTHER: dict[Side, Side] = {"mentor": "mentee", "mentee": "mentor"}
# So many of the nearest are weighed: of these the best fifty are the best there are, all but always
# (`make bench`, shortlist.recall).
WEIGHED = 400
# Whose points are being made anew is weighed without them; in a flood of news the nearest wait.
STALE = 100
BATCH = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody who could be met, and what their fit rests on."""

    person_id: PersonId
    display_name: str
    fit_permille: int
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class _Search:
    """Who looks, on which side they are, and what each part of a fit can add."""

    programme: Programme
    me: Candidate
    side: Side
    most: Shares
    now: datetime

    def pair(self, other: Candidate) -> tuple[Candidate, Candidate]:
        """Mentor and mentee."""
        return (self.me, other) if self.side == "mentor" else (other, self.me)


async def shortlist(
    pool: Pool, ask: Ask, programme_id: ProgrammeId, side: Side, limit: int
) -> Sequence[Listed]:
    """At most `limit` people, the best fit first, as they are now; `side` is of the one who asks.

    Whoever could not be asked is not in it. Raises NotFound for the programme, and TakesNoPart.
    """
    async with acting_for(pool, ask.tenant) as conn:
        programme = await programmes.find(conn, ask.tenant, programme_id)
        if programme is None:
            raise NotFound("there is no such programme")
        myself = await participants.of(conn, ask.tenant, [ask.person], ask.now.date())
        me = await candidate(conn, programme, myself.get(ask.person), side, ask.now)
        if me is None:
            raise TakesNoPart
        search = _Search(
            programme, me, side, fit.shares(programme.settings, learned=False), ask.now
        )
        near = await _near(conn, search, myself[ask.person])
        weighed = [each for one in near.values() if (each := _weigh(search, one)) is not None]
        weighed.sort(key=lambda each: (-each.fit_permille, each.person_id))
        # Some of the best may be full, or kept apart: that is asked of those who would be shown.
        return await _allowed(conn, search, weighed[: 2 * limit + STALE], limit)


async def _near(
    conn: Connection, search: _Search, myself: Participant
) -> dict[PersonId, Participant]:
    """Those who come into question, as they are."""
    tenant, now = search.programme.tenant, search.now
    towards = direction(search.me, search.side, search.most)
    looking = Looking(search.programme, search.me, sorted(myself.avoid), towards, now)
    found = await points.nearest(conn, looking, OTHER[search.side], WEIGHED)
    found += await points.stale(conn, tenant, STALE)
    people = await participants.of(conn, tenant, list(dict.fromkeys(found)), now.date())
    me = myself.person.person_id
    return {
        person: one
        for person, one in people.items()
        if one.there and me not in one.avoid and person not in myself.avoid
    }


def _weigh(search: _Search, one: Participant) -> Listed | None:
    """Somebody with the fit of the two; None where a rule says no."""
    settings, theirs = search.programme.settings, OTHER[search.side]
    if not asks.takes_part(one.person, theirs, settings.org_units):
        return None
    mentor, mentee = search.pair(as_weighed(one, theirs, search.now))
    if fit.barrier(mentor, mentee, settings.rules, NOBODY_APART) is not None:
        return None
    parts = fit.parts(mentor, mentee, search.most, NOTHING_LEARNED)
    grounds = asks.grounds(mentor, mentee, parts)
    return Listed(one.person.person_id, one.person.display_name, sum(parts), grounds)


async def _allowed(
    conn: Connection, search: _Search, weighed: Sequence[Listed], limit: int
) -> list[Listed]:
    """The first of them who have a place, look for a mentor, and are not kept apart from me."""
    tenant, programme, me = search.programme.tenant, search.programme, search.me.person_id
    ids = [each.person_id for each in weighed]
    looks_for_mentor = search.side == "mentee"
    together = [(other, me) if looks_for_mentor else (me, other) for other in ids]
    apart = await crowd.apart_among(conn, tenant, programme.programme_id, together)
    if looks_for_mentor:
        cap = programme.settings.max_capacity
        free = await places.free_places(conn, tenant, ids, cap, search.now)
        taken = {person for person in ids if not free.get(person)}
    else:
        taken = await crowd.with_a_mentor(conn, tenant, ids, search.now)
    found: list[Listed] = []
    for each, two in zip(weighed, together, strict=True):
        if len(found) == limit:
            break
        if two not in apart and each.person_id not in taken and await _free_of(conn, search, each):
            found.append(each)
    return found


async def _free_of(conn: Connection, search: _Search, each: Listed) -> bool:
    """Whether neither stands above the other, where the programme minds."""
    if not search.programme.settings.rules.report_line:
        return True
    above = await participants.line(conn, search.programme.tenant, each.person_id)
    return search.me.person_id not in above and each.person_id not in search.me.line


async def index(pool: Pool, now: datetime) -> int:
    """Make the points of at most BATCH people anew; how many. Several may do so at a time.

    Killed at any point it is done again: who is stale is forgotten with the new points.
    """
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        taken = await points.take_stale(conn, BATCH)
        for tenant, people in taken.items():
            known = await participants.of(conn, tenant, people, now.date())
            made = [each for one in known.values() for each in _points(one, now)]
            await points.save(conn, tenant, people, made)
    return sum(map(len, taken.values()))


def _points(one: Participant, now: datetime) -> list[tuple[PersonId, Side, Floats]]:
    """Where somebody stands, on each side that they take part on."""
    sides: tuple[Side, ...] = ("mentor", "mentee")
    return [
        (one.person.person_id, side, point(as_weighed(one, side, now), side))
        for side in sides
        if one.person.active and side in one.person.roles
    ]
