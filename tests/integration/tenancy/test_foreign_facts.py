"""Facts of a stranger's tenant about another one's things change nothing there, in any service; the
same ids in two tenants live side by side.
"""

from __future__ import annotations

import pytest

from services.insights.queries import streams
from services.insights.surfacing import surface
from shared.command import SERVICES
from shared.errors import PoisonMessage
from shared.events.contracts.examples import sample
from shared.events.envelope import Event, decode, encode, new_event
from shared.events.fact import Fact, PairFact, PersonFact
from shared.events.registry import FACTS
from shared.events.topics import GROUPS
from shared.ids import PairId, TenantId, new_id
from shared.postgres.pool import Pool
from tests.conftest import MakePool
from tests.integration.identity.every_service import built
from tests.integration.insights.programmes import after, begin, several
from tests.integration.insights.test_measures import busy
from tests.integration.tenancy.test_strangers import rows_of
from tests.integration.tenancy.worlds import Ids, world_of
from tests.support.databases import Databases
from tests.support.seeing import seeing

pytestmark = pytest.mark.stack

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = after(2026, 8)


def facts_of(service: str, ids: Ids) -> list[Fact]:
    """An example of every fact that the service reads, about what `acme` has."""
    group = next(each for each in GROUPS if each.name == service)
    made: list[Fact] = []
    for kind in FACTS.values():
        if kind.topic not in group.topics:
            continue
        value = sample(kind)["value"]
        people = ids.get("person") or ["mentor-one", "mentee-one"]
        for name, known in (("pair_id", ids.get("pair")), ("programme_id", ids.get("programme"))):
            if name in value and known:
                value[name] = known[0]
        for name, at in (("mentor_id", 0), ("mentee_id", 1), ("person_id", 0)):
            if name in value:
                value[name] = people[at % len(people)]
        fact = kind.model_validate(value)
        if isinstance(fact, PairFact | PersonFact):
            made.append(fact)
    return made


async def hear(service: str, pool: Pool, facts: list[Fact]) -> int:
    """Deliver each as `globex`'s; how many could be read. The others would be parked."""
    made, taken = built(service, pool), 0
    for fact in facts:
        event = new_event(fact, event_id=new_id(), tenant=GLOBEX, service="hr", now=NOW)
        try:
            async with pool.acquire() as conn, conn.transaction():
                await made.apply(conn, [decode(*encode(event))], NOW)
            taken += 1
        except PoisonMessage:
            continue
    return taken


@pytest.mark.parametrize("service", SERVICES)
def test_a_strangers_facts_about_our_things_change_none_of_ours(
    service: str, databases: Databases
) -> None:
    with world_of(service, databases) as world:
        before = world.serving.do(rows_of)
        facts = facts_of(service, world.ids)
        assert len(facts) > 3

        taken = world.serving.do(lambda pool: hear(service, pool, facts))

        assert taken > 3
        assert world.serving.do(rows_of) == before


def test_a_record_whose_key_is_another_tenants_is_refused() -> None:
    fact = several(range(1))[0].starts(NOW).fact
    event = new_event(fact, event_id=new_id(), tenant=GLOBEX, service="matching", now=NOW)
    _, value, headers = encode(event)
    foreign = encode(new_event(fact, event_id=new_id(), tenant=ACME, service="x", now=NOW))[0]

    with pytest.raises(PoisonMessage) as refused:
        decode(foreign, value, headers)

    assert refused.value.reason == "wrong_key"


async def test_the_same_ids_in_two_tenants_live_side_by_side(service_pool: MakePool) -> None:
    """In scores, in what is surfaced, and in what each tenant's stream is told."""
    pool = await service_pool("insights")
    pairs = several(range(2))
    ours: list[Event] = [*begin(pairs), *busy(pairs, days=40)]
    theirs = [
        new_event(
            each.fact, event_id=each.event_id, tenant=GLOBEX, service="x", now=each.occurred_at
        )
        for each in ours[: len(ours) // 2]
    ]
    made = built("insights", pool)
    async with pool.acquire() as conn, conn.transaction():
        await made.apply(conn, [*ours, *theirs], NOW)
    while await surface(pool):
        pass

    async with seeing(pool) as seen:
        rows = await seen.fetch("SELECT tenant, pair_id, state FROM pair ORDER BY pair_id, tenant")
        told = await streams.newest_of(
            seen, {(tenant, PairId(pairs[0].pair_id)): 0 for tenant in (ACME, GLOBEX)}
        )
    assert [row["tenant"] for row in rows] == [ACME, GLOBEX] * 2
    assert rows[0]["state"] != rows[1]["state"]
    assert {of[0] for of in told} == {ACME, GLOBEX}
    assert len({body for _, body in told.values()}) == 2


async def test_a_tenants_stream_holds_its_own_changes_and_no_others(service_pool: MakePool) -> None:
    pool = await service_pool("insights")
    pairs = several(range(3))
    async with pool.acquire() as conn, conn.transaction():
        await built("insights", pool).apply(conn, [*begin(pairs), *busy(pairs, days=40)], NOW)
    while await surface(pool):
        pass

    async with seeing(pool) as seen:
        found = await streams.after(seen, {("service", GLOBEX): 0, ("service", ACME): 0}, 100)

    assert ("service", GLOBEX) not in found
    assert len(found["service", ACME]) == 3
