"""HR tells of a hundred thousand people: from Kafka to matching's tables, by the real worker.

Some facts come twice, some people are told of again; the index of the shortlist is made beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from shared.events.envelope import Event, new_event
from shared.events.people import PersonChanged, PersonJoined
from shared.ids import new_id
from tests.benchmarks.facts import START, TENANT, publish
from tests.benchmarks.harness import Bench, Result, pool_of
from tests.benchmarks.organisation import FIELDS, SKILLS

# Of a hundred: told of again, and delivered twice.
AGAIN, TWICE = 5, 3
_APPLIED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset"
_BARE = """
    INSERT INTO person (tenant, person_id, display_name, timezone, languages, hours, roles,
                        capacity, offers, goals, active, as_of, event_id)
    SELECT 'bare', 'p' || n, 'Person ' || n, 'UTC', '{en}', '[]', '{mentee}', 0, '{}', '{data}',
           true, now(), gen_random_uuid()
    FROM generate_series($1::int, $2::int) AS n
"""


async def measure(bench: Bench) -> list[Result]:
    """From the first offset that is committed to the last."""
    people = bench.size(small=10_000, full=100_000)
    events = list(_events(people))
    async with bench.network() as network:
        await publish(network.stack.kafka_bootstrap, iter(events), bench.say)
        async with pool_of(network, "matching", size=2) as pool:

            async def applied() -> int:
                return int(await pool.fetchval(_APPLIED))

            bench.say("the worker")
            pace = await bench.watch(applied, len(events), network.launch("matching", "worker"))
            network.stop("matching")
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute("SET LOCAL trustfold.tenant = '*'")
                known = await conn.fetchval("SELECT count(*) FROM person WHERE active")
                began = time.perf_counter()
                await conn.execute(_BARE, 1, people)
                bare = people / (time.perf_counter() - began)
    if known != people:
        raise RuntimeError(f"{known:,} of {people:,} people known")
    took = len(events) / pace.per_s
    note = f"{len(events):,} facts of {people:,} people; {pace.words}"
    return [
        Result(
            "intake", "bare", bare, "people/s", note="one INSERT of rows as wide, one statement"
        ),
        Result(
            "intake", "worker", pace.per_s, "facts/s", pace.per_s / bare, "intake.bare", "", note
        ),
        Result("intake", "a hundred thousand", took * 100_000 / len(events), "s", wanted="<= 60"),
    ]


def _events(people: int) -> Iterator[Event]:
    for n in range(people):
        event = _event(PersonJoined, n, days=0)
        yield event
        if n % 100 < TWICE:
            yield event
        if n % 100 < AGAIN:
            yield _event(PersonChanged, n, days=1)


def _event(kind: type[PersonJoined] | type[PersonChanged], n: int, *, days: int) -> Event:
    topics = tuple(f"{FIELDS[(n + at) % len(FIELDS)]}_{SKILLS[n % len(SKILLS)]}" for at in range(2))
    part = {"roles": ["mentee"], "goals": topics} if n % 6 else {
        "roles": ["mentor"], "capacity": 5, "offers": topics,
    }  # fmt: skip
    fact = kind.model_validate(
        {
            "person_id": f"p{n:06}",
            "email": f"p{n}@mentoring.example",
            "display_name": f"Person {n}",
            "timezone": "Europe/Berlin",
            "manager_id": f"p{n // 12:06}",
            "org_unit": f"unit-{n % 120}",
            "languages": ["en", "de"] if n % 3 else ["en"],
            "hours": [{"weekday": 1, "from_minute": 540, "until_minute": 1020}],
            "participation": part,
        }
    )
    now = START + timedelta(days=days)
    return new_event(fact, event_id=new_id(), tenant=TENANT, service="hr", now=now)
