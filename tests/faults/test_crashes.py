"""Nothing lost and nothing counted twice, whatever dies and whenever (guarantees 1, 2, 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from deploy.local.network import Network
from tests.faults.conftest import RELAY, WORKER, UnderLoad
from tests.faults.load import Size, Verdict

pytestmark = pytest.mark.stack

SEED = 20260105
Harm = Callable[[Network, int], None]

SMALL, FULL = Size(facts=4_000, pairs=200), Size(facts=100_000, pairs=1_000)


def sizes(small: int, full: int) -> list[object]:
    """The small form runs in `make test`, the full one in `make test-faults`."""
    return [
        pytest.param(SMALL, small, id=f"{small} times in 4,000 facts"),
        pytest.param(FULL, full, id=f"{full} times in 100,000 facts", marks=pytest.mark.full),
    ]


def kill_one_of_two(network: Network, n: int) -> None:
    service, role = (WORKER, RELAY)[n % 2]
    network.kill(service)
    network.launch(service, role)


def stop_one_of_two(network: Network, n: int) -> None:
    service, role = (WORKER, RELAY)[n % 2]
    network.wait_ready(service)  # before that, SIGTERM finds nothing to stop in order
    assert network.stop(service) == 0, network.log_tail(service)
    network.launch(service, role)


def crash_the_database(network: Network, n: int) -> None:
    assert network.stack.postgres is not None
    network.stack.postgres.kill_immediate()
    network.stack.postgres.start()


def restart_the_broker(network: Network, n: int) -> None:
    assert network.stack.kafka is not None
    (network.stack.kafka.kill if n % 2 else network.stack.kafka.stop)(1)
    network.stack.kafka.start(1)


async def harmed(under_load: UnderLoad, size: Size, times: int, harm: Harm) -> Verdict:
    """Do harm at `times` random points of the load; then look at what became of every fact."""
    print(f"seed {SEED}")
    async with under_load(size, SEED) as (network, load):
        points = sorted(load.chance.sample(range(1, size.facts), times))

        async def harm_at_points() -> None:
            for n, point in enumerate(points):
                await load.wait_applied(point)
                await asyncio.to_thread(harm, network, n)

        work: list[Awaitable[None]] = [load.write(), harm_at_points()]
        await asyncio.gather(*work)
        await load.wait_applied(len(load.committed))
        verdict = await load.verdict()
        print(f"{len(load.committed)} facts, {times} times: {verdict}")
        return verdict


@pytest.mark.parametrize(("size", "times"), sizes(2, 60))
async def test_a_worker_and_a_relay_killed_under_load_lose_and_repeat_nothing(
    under_load: UnderLoad, size: Size, times: int
) -> None:
    """Seen to fail with `offsets.advance` outside the transaction that applies (not all facts come)
    and with the key of the evidence dropped (265 of 4,000 counted twice)."""
    verdict = await harmed(under_load, size, times, kill_one_of_two)

    verdict.assert_perfect()


@pytest.mark.full
@pytest.mark.parametrize(("size", "times"), sizes(2, 20))
async def test_stopping_in_order_under_load_loses_nothing(
    under_load: UnderLoad, size: Size, times: int
) -> None:
    verdict = await harmed(under_load, size, times, stop_one_of_two)

    verdict.assert_perfect()


@pytest.mark.full
@pytest.mark.parametrize(("size", "times"), sizes(1, 8))
async def test_a_database_that_crashes_under_load_costs_nothing(
    under_load: UnderLoad, size: Size, times: int
) -> None:
    verdict = await harmed(under_load, size, times, crash_the_database)

    verdict.assert_perfect()


@pytest.mark.full
@pytest.mark.parametrize(("size", "times"), sizes(1, 8))
async def test_a_broker_that_restarts_under_load_costs_nothing(
    under_load: UnderLoad, size: Size, times: int
) -> None:
    verdict = await harmed(under_load, size, times, restart_the_broker)

    verdict.assert_perfect()
