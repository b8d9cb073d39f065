"""`trustfold insights verify`: the stored scores against a plain fold of the log itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.insights import handlers
from services.insights.domain.model import V1
from services.insights.domain.packing import pack, unpack
from services.insights.projection.place import GROUP
from shared.clock import FixedClock
from shared.kafka import dead_letters
from shared.kafka.delivery import Delivery
from shared.postgres.pool import Pool
from tests.integration.insights.live import ACME, GLOBEX, Facts, Live, command, pair_id, poison
from tests.support.seeing import seeing

pytestmark = pytest.mark.stack

PAIR = pair_id(7)


async def spoil_state(pool: Pool) -> None:
    """One sum of one pair, a hundredth off."""
    packed = await pool.fetchval("SELECT state FROM pair WHERE pair_id = $1", PAIR)
    state = unpack(packed, V1)
    assert state is not None
    place = next(place for place, value in enumerate(state.sums) if value)
    state.sums[place] *= 1.01
    await pool.execute("UPDATE pair SET state = $2 WHERE pair_id = $1", PAIR, pack(state))


async def test_what_the_worker_stored_is_what_the_log_says_in_any_order(live: Live) -> None:
    facts = Facts()
    async with live.worker():
        await live.say(facts.some(1_500))
        await live.send(poison(1))
        await live.caught_up()
    code, said = await command(live, "verify", "--orders", "2", "--seed", "5")
    assert (code, said["ok"], said["pairs"], said["parked"]) == (0, True, 30, 3)
    assert said["records"] == live.sent
    assert [run["seed"] for run in said["runs"]] == ["5/1", "5/2"]
    for run in said["runs"]:
        assert run["facts"] == await live.seen.fetchval("SELECT count(*) FROM evidence")
        assert run["duplicates"] > run["facts"] // 4
        assert run["difference"] <= 1e-9


async def test_it_is_exact_while_facts_arrive(live: Live) -> None:
    """Seen to fail (states ahead of the log) with the offsets read after the states, outside of
    their snapshot.
    """
    facts = Facts()
    async with live.worker(), live.traffic(facts):
        verdicts = [await live.proved() for _ in range(4)]
    assert [verdict.ok for verdict in verdicts] == [True] * 4
    assert verdicts[-1].told.records > verdicts[0].told.records


async def test_a_spoilt_state_is_found_and_named_and_rebuilding_repairs_it(live: Live) -> None:
    async with live.worker():
        await live.say(Facts().some(1_000))
        await live.caught_up()
    await spoil_state(live.seen)

    code, said = await command(live, "verify")
    assert (code, said["ok"]) == (1, False)
    assert {run["worst"] for run in said["runs"]} == {f"{ACME}/{PAIR}"}

    code, done = await command(live, "rebuild")
    assert (code, done["swapped"]) == (0, True)
    assert list(done["comparison"]["repaired"]) == [f"{ACME}/{PAIR}"]
    code, said = await command(live, "verify")
    assert (code, said["ok"]) == (0, True)


async def test_evidence_that_was_lost_and_a_pair_that_was_invented_are_found(live: Live) -> None:
    async with live.worker():
        await live.say(Facts().some(500))
        await live.caught_up()
    await live.seen.execute("DELETE FROM pair WHERE pair_id = $1", PAIR)
    invented = pair_id(999)
    add = "INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id) VALUES ('acme', $1, 'a', 'b')"
    await live.seen.execute(add, invented)
    verdict = await live.proved()
    assert not verdict.ok
    assert (verdict.missing, verdict.invented) == ([(ACME, PAIR)], [(ACME, invented)])


@pytest.mark.full
async def test_one_tenant_is_proved_without_the_others(live: Live) -> None:
    async with live.worker():
        await live.say(Facts().some(800))
        await live.caught_up()
    await spoil_state(live.seen)
    assert (await live.proved(GLOBEX)).ok
    assert not (await live.proved(ACME)).ok
    assert await command(live, "verify", "--tenant", "nobody") == (2, None)


async def test_a_letter_that_waits_does_not_count_until_it_was_redriven(live: Live) -> None:
    """Seen to fail (the letter's fact is missing) when redriven letters are passed over, too."""
    async with live.worker():
        await live.say(Facts().some(100))
        await live.send(poison(3)[2:])
        await live.caught_up()
    waiting = await live.proved()
    clock = FixedClock(datetime.now(UTC) + timedelta(days=500))
    delivery = Delivery(GROUP, live.seen, handlers.apply, clock)
    async with seeing(live.seen) as conn:
        await dead_letters.decide(conn, "redriving", None)
    assert await delivery.redrive() == 1
    redriven = await live.proved()
    assert (waiting.ok, waiting.told.parked) == (True, 1)
    assert (redriven.ok, redriven.told.parked) == (True, 0)
    assert redriven.runs[0].facts == waiting.runs[0].facts + 1
