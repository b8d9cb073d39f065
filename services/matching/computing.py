"""The work of a run: everybody read at one instant, weighed, matched, measured, and kept.

The arithmetic is the engine's; here it is fed. Publishes nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import numpy as np
from pydantic import TypeAdapter

from services.matching.domain.fit import Apart
from services.matching.domain.hours import free_slots
from services.matching.domain.run import Run
from services.matching.engine.embedding import DIM, embed
from services.matching.engine.lift import NOTHING, learn
from services.matching.engine.matchmaking import Crowd, Ranked, work_out
from services.matching.engine.side import Ints, Progress, Side
from services.matching.queries import (
    crowd,
    outcomes,
    pairs,
    places,
    programmes,
    rankings,
    results,
    runs,
    waiting,
)
from services.matching.queries.crowd import One, Standing
from shared.events.people import WeeklyHours
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for

# Deeper than any organisation, and an end to a chart that goes round in a circle.
MAX_LINE = 50
_WINDOWS = TypeAdapter(tuple[WeeklyHours, ...])


async def compute(
    pool: Pool, tenant: TenantId, run: Run, now: datetime, progress: Progress
) -> bool:
    """Do the work of this attempt and keep what it came to; False when it is not wanted any longer.

    `progress` is called from another thread. Raises OverflowError for more people than can be told
    apart (some two million on a side).
    """
    async with reading_for(pool, tenant) as conn:
        everybody = await _read(conn, tenant, run, now)
    result = await asyncio.to_thread(work_out, run, everybody, progress)
    async with acting_for(pool, tenant) as conn:
        if not await runs.finish(conn, tenant, run):
            return False
        await results.keep(conn, tenant, run.run_id, result)
        return True


async def _read(conn: Connection, tenant: TenantId, run: Run, now: datetime) -> Crowd:
    """Everything there is to know, as it is at one instant."""
    settings, anew = run.settings, run.programme_id if run.incremental else None
    mentors = await crowd.mentors(conn, tenant, now.date(), settings.org_units)
    mentees = await crowd.mentees(conn, tenant, now, settings.org_units, anew)
    weighed = {each.person_id for each in mentees}
    standing = [
        each for each in await crowd.standing(conn, tenant, now, anew) if each.mentee_id in weighed
    ]
    # The place that a proposal holds is free for whoever is weighed anew.
    anew_of = Counter(each.mentor_id for each in standing)
    free = await places.free_places(conn, tenant, None, settings.max_capacity, now, anew_of)
    managers = await crowd.managers(conn, tenant) if settings.rules.report_line else {}
    lift = NOTHING
    if settings.learn:
        lift = learn(await outcomes.past(conn, tenant, run.programme_id))
    return Crowd(
        mentors=mentors_side(mentors, managers, free, now),
        mentees=mentees_side(mentees, managers, now),
        apart=await _apart(conn, tenant, run, (*mentors, *mentees), standing),
        standing={(each.mentor_id, each.mentee_id): each.pair_id for each in standing},
        waited=frozenset(await waiting.waiting_since(conn, tenant)),
        earlier=await _earlier(conn, tenant, run),
        ranked=await _ranked(conn, tenant, run, now),
        lift=lift,
    )


async def _apart(
    conn: Connection, tenant: TenantId, run: Run, people: Sequence[One], held: Sequence[Standing]
) -> Apart:
    """(mentor, mentee) who are not to be proposed: tried before, avoided by either, excluded."""
    apart = set(await pairs.tried(conn, tenant))
    apart -= {(each.mentor_id, each.mentee_id) for each in held}
    either = [(one.person_id, other) for one in people for other in one.avoid]
    either += await crowd.excluded(conn, tenant, run.programme_id)
    apart |= {pair for one, other in either for pair in ((one, other), (other, one))}
    return frozenset(apart)


async def _ranked(conn: Connection, tenant: TenantId, run: Run, now: datetime) -> Ranked | None:
    """What people said in private about each other, where the run asks for it."""
    programme = await programmes.find(conn, tenant, run.programme_id)
    if run.ranking_id is None or programme is None:
        return None
    return await rankings.ranks(conn, tenant, run.ranking_id, programme, now)


async def _earlier(
    conn: Connection, tenant: TenantId, run: Run
) -> Mapping[PersonId, PersonId] | None:
    """The mentor of each mentee in the programme's last run that was committed, if there is one."""
    last = await results.last_committed(conn, tenant, run.programme_id)
    return await results.mentor_of(conn, tenant, last) if last else None


def mentors_side(
    people: Sequence[One],
    managers: Mapping[PersonId, PersonId],
    free: Mapping[PersonId, int],
    now: datetime,
) -> Side:
    """These people as mentors, with the places that are free; `managers` empty where none asks."""
    said = [(tuple(one.offers), one.about) for one in people]
    places = np.array([free.get(one.person_id, 0) for one in people], np.int32)
    return _side(people, said, managers, places, now)


def mentees_side(
    people: Sequence[One], managers: Mapping[PersonId, PersonId], now: datetime
) -> Side:
    """These people as mentees."""
    said = [(tuple(one.goals), one.wishes) for one in people]
    return _side(people, said, managers, np.ones(len(people), np.int32), now)


def _side(
    people: Sequence[One],
    said: Sequence[tuple[tuple[str, ...], str]],
    managers: Mapping[PersonId, PersonId],
    places: Ints,
    now: datetime,
) -> Side:
    # Most people share their hours and their words with others: each is worked out once.
    slots = lru_cache(maxsize=None)(lambda hours, zone: _slots(hours, zone, now))
    vector = lru_cache(maxsize=None)(embed)
    vectors = [vector(topics, words) for topics, words in said]
    return Side(
        ids=[one.person_id for one in people],
        managers=[one.manager_id for one in people],
        lines=[_line(one.person_id, managers) for one in people],
        units=[one.org_unit for one in people],
        grades=[one.grade for one in people],
        # "pt-BR" and "pt" understand each other: only the language itself is compared.
        languages=[tuple(tag.split("-")[0] for tag in one.languages) for one in people],
        topics=[topics for topics, _ in said],
        slots=[slots(one.hours, one.timezone) for one in people],
        vectors=np.array(vectors, np.float32).reshape(len(people), DIM),
        places=places,
    )


def _slots(hours: str, zone: str, now: datetime) -> int:
    return free_slots(_WINDOWS.validate_json(hours), zone, now)


def _line(person: PersonId, managers: Mapping[PersonId, PersonId]) -> tuple[PersonId, ...]:
    """Everybody above, nearest first; a chart that goes round in a circle ends where it began."""
    above: list[PersonId] = []
    while (manager := managers.get(person)) and manager not in above and len(above) < MAX_LINE:
        above.append(manager)
        person = manager
    return tuple(above)
