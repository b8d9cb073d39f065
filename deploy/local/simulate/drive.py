"""Drives the real thing with simulated facts: Kafka, the insights service, its API. Knows no rule.

What the service says is compared with the fold of the same facts in memory, and with the truth.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import uuid4

from pydantic import TypeAdapter

from deploy.local import external
from deploy.local.demo.api import Api, DemoFailed
from deploy.local.demo.log import Log
from deploy.local.demo.noise import encoded
from deploy.local.foreground import Foreground
from deploy.local.network import Network, NetworkOptions
from deploy.local.progress import say
from deploy.local.simulate.follow import START_US
from deploy.local.simulate.nature import SIDES, START, TENANT
from deploy.local.simulate.story import Story
from deploy.local.simulate.world import evidence_of, stories
from deploy.local.stack import Stack
from services.insights.domain.evidence import DAY_US, Evidence, to_us
from services.insights.domain.model import V1
from services.insights.domain.trust import fold
from shared.clock import FileClock
from shared.events.insights import TrustChanged
from shared.ids import PairId, TenantId

SERVICE = "insights"
PAGE = 200
POLL_S = 0.3
STALLED_S = 60.0
# A pair that the service does not know is as wrong as can be.
UTTERLY = 1.0
_SERVED: TypeAdapter[list[TrustChanged]] = TypeAdapter(list[TrustChanged])


@dataclass(frozen=True)
class Outcome:
    """What a run found. `max_difference` is between any number served and its fold in memory.

    The other figures compare what is served with the true T, both directions, as of each
    pair's newest evidence.
    """

    pairs: int
    days: int
    seed: int
    facts: int
    evidence: int
    seconds: float
    max_difference: float
    coverage: float
    mean_error: float

    def data(self) -> dict[str, float | int]:
        """As plain data, for JSON."""
        return asdict(self)


def run(pairs: int, days: int, seed: int, front: Foreground) -> Outcome:
    """Everything, on a stack of its own or on the one that TRUSTFOLD_* name.

    Raises StackError, or DemoFailed when the service does not get through.
    """
    namespace, tenant = _own_names()
    say(f"{pairs} pairs, {days} days, seed {seed}")
    told = list(stories(seed, pairs, days, tenant=tenant))
    say("starting Kafka and Postgres")
    with Stack.start() as stack:
        stack.on_death(front.died)
        clock = FileClock(stack.run_dir / "clock")
        clock.set(START + timedelta(days=days + 1))
        options = NetworkOptions(clock_file=stack.run_dir / "clock", namespace=namespace)
        with Network(stack, options, front.died) as network:
            asyncio.run(network.prepare())
            network.launch(SERVICE)
            network.wait_ready(SERVICE)
            return front.run(_drive(network, told, tenant, namespace, (days, seed)))


async def _drive(
    network: Network, told: Sequence[Story], tenant: TenantId, namespace: str, run: tuple[int, int]
) -> Outcome:
    events = [event for story in told for event in story.events]
    evidence = evidence_of(events)
    wanted = {pair: len({item.event_id for item in items}) for pair, items in evidence.items()}
    began = time.monotonic()
    async with (
        Api(network, tenant) as api,
        Log(network.stack.kafka_bootstrap, namespace) as log,
    ):
        say(f"{len(events)} facts into Kafka")
        await log.send(encoded(event) for event in events)
        served = await _read_all(api, wanted)
    seconds = time.monotonic() - began
    covered, errors = _against_truth(served, told)
    return Outcome(
        pairs=len(told),
        days=run[0],
        seed=run[1],
        facts=len(events),
        evidence=sum(wanted.values()),
        seconds=round(seconds, 1),
        max_difference=difference(served, evidence),
        coverage=covered,
        mean_error=errors,
    )


def _own_names() -> tuple[str, TenantId]:
    """On a broker or database that others use: topics and a tenant of its own."""
    names = (external.KAFKA_VARIABLE, external.POSTGRES_VARIABLE)
    if not any(os.environ.get(name) for name in names):
        return "", TENANT
    own = f"simulate-{uuid4().hex[:8]}"
    return f"{own}.", TenantId(own)


async def _read_all(api: Api, wanted: dict[PairId, int]) -> list[TrustChanged]:
    """What the service serves, once it has counted every piece of evidence of every pair."""
    whole, seen, since = sum(wanted.values()), -1, time.monotonic()
    while True:
        served = await _served(api)
        counted = sum(trust.revision for trust in served)
        if {PairId(trust.pair_id): trust.revision for trust in served} == wanted:
            say(f"  all {whole} pieces of evidence counted")
            return served
        if counted != seen:
            seen, since = counted, time.monotonic()
            say(f"  {counted} of {whole} pieces of evidence counted")
        if time.monotonic() - since > STALLED_S:
            raise DemoFailed(f"insights stands still at {counted} of {whole} pieces of evidence")
        await asyncio.sleep(POLL_S)


async def _served(api: Api) -> list[TrustChanged]:
    found: list[TrustChanged] = []
    after = ""
    while True:
        page = await api.get(SERVICE, f"/v1/trust?limit={PAGE}{after}")
        found += _SERVED.validate_python([item["trust"] for item in page["items"]])
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def difference(served: Sequence[TrustChanged], evidence: dict[PairId, list[Evidence]]) -> float:
    """How far any score or interval served is from the fold of the same facts in memory."""
    worst = 0.0 if {trust.pair_id for trust in served} == set(evidence) else UTTERLY
    for trust in served:
        again = fold(evidence.get(PairId(trust.pair_id), []), V1, to_us(trust.as_of))
        for said, folded in (
            (trust.about_mentor, again.about_mentor),
            (trust.about_mentee, again.about_mentee),
        ):
            one = (said.score, said.low, said.high)
            other = (folded.score, folded.low, folded.high)
            worst = max(worst, *(abs(a - b) for a, b in zip(one, other, strict=True)))
    return worst


def _against_truth(served: Sequence[TrustChanged], told: Sequence[Story]) -> tuple[float, float]:
    """How many served intervals cover the true T, and by how much the score is off on average."""
    stories_of = {story.pair.pair_id: story for story in told}
    covered, off = 0, 0.0
    for trust in served:
        story = stories_of[PairId(trust.pair_id)]
        day = min((to_us(trust.as_of) - START_US) // DAY_US, story.facets.shape[-1] - 1)
        for side, said in enumerate((trust.about_mentor, trust.about_mentee)):
            true = float(story.truth[side, day])
            covered += said.low <= true <= said.high
            off += abs(said.score - true)
    asked = max(1, SIDES * len(served))
    return covered / asked, off / asked
