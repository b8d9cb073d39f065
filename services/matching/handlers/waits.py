"""How long somebody waits for a mentor, worked out when it is asked. No SQL, no rule is here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.ask import Known, may_meet
from services.matching.domain.pair import Pair, by_now
from services.matching.domain.programme import Programme
from services.matching.domain.waiting import words_of
from services.matching.engine.waiting import Wait, expected
from services.matching.handlers.weighing import avoid_each_other, candidate
from services.matching.queries import crowd, pairs, participants, programmes, waits
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PersonId, ProgrammeId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for

# So many places to ask for are as good as any number; so many mentors are looked at to find them.
ENOUGH = 8
MAX_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Expected:
    """A mentee's wait. `wait` is None when it is too early to say, or nothing is waited for."""

    wait: Wait | None
    open_pair: Pair | None = None

    @property
    def words(self) -> str:
        """The wait in a sentence."""
        return words_of(self.wait)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A programme's queue, for those who oversee it. `wait` is that of who finds no free place."""

    people: int
    since: datetime | None
    free_places: int
    wait: Wait | None


async def expected_for(pool: Pool, ask: Ask, programme_id: ProgrammeId) -> Expected:
    """The wait of whoever asks, until somebody says yes. Raises NotFound and TakesNoPart."""
    async with reading_for(pool, ask.tenant) as conn:
        programme = await _programme(conn, ask, programme_id)
        open_pair = await pairs.open_of_mentee(conn, ask.tenant, ask.person)
        if open_pair is not None:
            open_pair = by_now(open_pair, ask.now)
            if open_pair.state != "expired":
                return Expected(None, open_pair)
        places = await _places_for(conn, programme, ask.person, ask.now)
        queue = await waits.queue(conn, programme, ask.now)
        history = await waits.history(conn, programme, ask.now)
    return Expected(await asyncio.to_thread(expected, history, queue.people, places))


async def of_programme(pool: Pool, ask: Ask, programme_id: ProgrammeId) -> Waiting:
    """Who waits in a programme, and how long somebody would. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        programme = await _programme(conn, ask, programme_id)
        queue = await waits.queue(conn, programme, ask.now)
        free = await waits.free_places(conn, programme, ask.now)
        history = await waits.history(conn, programme, ask.now)
    wait = await asyncio.to_thread(expected, history, queue.people, 0)
    return Waiting(queue.people, queue.since, free, wait)


async def _programme(conn: Connection, ask: Ask, programme_id: ProgrammeId) -> Programme:
    programme = await programmes.find(conn, ask.tenant, programme_id)
    if programme is None:
        raise NotFound("there is no such programme")
    return programme


async def _places_for(
    conn: Connection, programme: Programme, mentee_id: PersonId, now: datetime
) -> int:
    """How many mentors with a free place the mentee could ask, ENOUGH at most."""
    me = (await participants.of(conn, programme.tenant, [mentee_id], now.date())).get(mentee_id)
    mentee = await candidate(conn, programme, me, "mentee", now)
    if me is None or mentee is None:
        raise NotFound("you do not look for a mentor in this programme")
    goals = me.person.goals
    near = await waits.have_places(conn, programme, mentee_id, goals, now, MAX_LOOKED_AT)
    people = await participants.of(conn, programme.tenant, near, now.date())
    together = [(mentor_id, mentee_id) for mentor_id in near]
    tried = await crowd.apart_among(conn, programme.tenant, programme.programme_id, together)
    found = 0
    for mentor_id, one in people.items():
        avoid = avoid_each_other({mentee_id: me, mentor_id: one}, mentee_id, mentor_id)
        apart = avoid or (mentor_id, mentee_id) in tried
        mentor = await candidate(conn, programme, one, "mentor", now)
        found += may_meet(Known(mentor, mentee, apart, places=1), programme)
        if found >= ENOUGH:
            break
    return found
