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
from services.matching.engine.likeness import Features, Floats, direction, features, point
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
# So many are weighed, and more where too few of them may be shown (`make bench`, shortlist).
REACHES = (200, 800, 3_000)
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
class _Weighed:
    """Somebody as they were weighed. What it rests on is put together for those who are shown."""

    person_id: PersonId
    display_name: str
    mentor: Candidate
    mentee: Candidate
    parts: Shares

    def listed(self) -> Listed:
        """As they are shown."""
        grounds = asks.grounds(self.mentor, self.mentee, self.parts)
        return Listed(self.person_id, self.display_name, sum(self.parts), grounds)


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
        most = fit.shares(programme.settings, learned=False)
        looking = Looking(
            programme,
            me,
            features(me),
            sorted(myself[ask.person].avoid),
            most,
            direction(me, side, most),
            OTHER[side],
            ask.now,
        )
        return await _best(conn, looking, limit)


async def _best(conn: Connection, looking: Looking, limit: int) -> list[Listed]:
    """The best of more and more people, until enough of them may be shown, or all were seen."""
    tenant, now = looking.programme.tenant, looking.now
    news = await points.stale(conn, tenant, STALE)
    seen = -1
    for reach in REACHES:
        if looking.me.topics and looking.programme.settings.rules.shared_goal:
            found = await points.by_goals(conn, looking, reach)
        else:
            found = await points.nearest(conn, looking, reach)
        if len(found) == seen:
            break
        seen = len(found)
        people = await participants.of(conn, tenant, list(dict.fromkeys(found + news)), now.date())
        weighed = [each for one in people.values() if (each := _weigh(looking, one))]
        weighed.sort(key=lambda each: (-sum(each.parts), each.person_id))
        shown = await _allowed(conn, looking, weighed, limit)
        if len(shown) == limit:
            break
    return shown


def _weigh(looking: Looking, one: Participant) -> _Weighed | None:
    """Somebody with the fit of the two; None where a rule says no."""
    settings, theirs = looking.programme.settings, looking.side
    if not one.there or not asks.takes_part(one.person, theirs, settings.org_units):
        return None
    if looking.me.person_id in one.avoid or one.person.person_id in looking.avoid:
        return None
    other = as_weighed(one, theirs, looking.now)
    mentor, mentee = (other, looking.me) if theirs == "mentor" else (looking.me, other)
    if fit.barrier(mentor, mentee, settings.rules, NOBODY_APART) is not None:
        return None
    parts = fit.parts(mentor, mentee, looking.most, NOTHING_LEARNED)
    return _Weighed(one.person.person_id, one.person.display_name, mentor, mentee, parts)


async def _allowed(
    conn: Connection, looking: Looking, weighed: Sequence[_Weighed], limit: int
) -> list[Listed]:
    """The first of them who have a place, look for a mentor, and are not kept apart from me."""
    tenant, programme, me = looking.programme.tenant, looking.programme, looking.me.person_id
    ids = [each.person_id for each in weighed]
    looks_for_mentor = looking.side == "mentor"
    together = [(other, me) if looks_for_mentor else (me, other) for other in ids]
    apart = await crowd.apart_among(conn, tenant, programme.programme_id, together)
    if looks_for_mentor:
        cap = programme.settings.max_capacity
        free = await places.free_places(conn, tenant, ids, cap, looking.now)
        taken = {person for person in ids if not free.get(person)}
    else:
        taken = await crowd.with_a_mentor(conn, tenant, ids, looking.now)
    found: list[Listed] = []
    for each, two in zip(weighed, together, strict=True):
        if len(found) == limit:
            break
        if two not in apart and each.person_id not in taken and await _free_of(conn, looking, each):
            found.append(each.listed())
    return found


async def _free_of(conn: Connection, looking: Looking, each: _Weighed) -> bool:
    """Whether neither stands above the other, where the programme minds."""
    if not looking.programme.settings.rules.report_line:
        return True
    above = await participants.line(conn, looking.programme.tenant, each.person_id)
    return looking.me.person_id not in above and each.person_id not in looking.me.line


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


def _points(one: Participant, now: datetime) -> list[tuple[PersonId, Side, Features, Floats]]:
    """Where somebody stands, on each side that they take part on."""
    found: list[tuple[PersonId, Side, Features, Floats]] = []
    sides: tuple[Side, ...] = ("mentor", "mentee")
    for side in sides:
        if one.person.active and side in one.person.roles:
            weighed = as_weighed(one, side, now)
            found.append((one.person.person_id, side, features(weighed), point(weighed, side)))
    return found
