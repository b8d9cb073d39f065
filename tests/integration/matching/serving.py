"""A programme with something of each kind in it, behind a real HTTP server. Holds no test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from services.matching.api import Doors, build_api
from services.matching.api.door import Limit
from services.matching.computing import compute
from services.matching.domain.run import Run
from services.matching.handlers import rankings
from services.matching.receipts import Receipts
from services.matching.runner import Runner
from services.matching.scim.rules import ScimRules
from services.matching.subscribers import HANDLERS
from shared.clock import Clock
from shared.events.envelope import new_event
from shared.events.fact import Fact
from shared.ids import TenantId, new_id
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from tests.integration.matching.care import trust
from tests.integration.matching.conftest import START, caller, mentee, mentor
from tests.support.databases import Databases
from tests.support.fuzz import Target
from tests.support.serving import Serving

TENANT = "acme"
DOORS = Doors(Limit(1e6, 1e6), ScimRules(), Receipts(None))


def build(pool: Pool | None, clock: Clock) -> FastAPI:
    """The service's API; without a database, for its document alone."""
    return build_api(pool, clock, DOORS)  # type: ignore[arg-type]


def serving_matching(databases: Databases) -> Serving:
    """Matching, ready to run."""
    return Serving(databases, "matching", build, START)


@dataclass
class Things:
    """A programme of its own, people of its own, runs, pairs: ids by the name a path has."""

    serving: Serving
    name: str
    ids: dict[str, list[str]] = field(default_factory=dict)

    def target(self) -> Target:
        """Everything there is, asked about by those it is about, and by a manager."""
        sides = (f"ann-{self.name}", f"ben-{self.name}", f"eve-{self.name}")
        callers = [caller(side, "participant", TENANT) for side in sides]
        callers += [caller("boss", "manager", TENANT)] * 3
        return Target(self.serving.url, self.serving.clock.now(), self.ids, callers)

    def fill(self) -> None:
        """Ask the service for one of each."""
        names = [f"{who}-{self.name}" for who in ("ann", "ben", "cy", "dot", "eve", "fay")]
        ann, ben, cy, dot, eve, fay = names
        self._hear(mentor(ann, capacity=3), mentee(ben), mentee(cy), mentor(dot), mentee(eve))
        self._hear(mentor(fay))
        place = f"/v1/programmes/p{self.name}"
        self._manage("PUT", place, {"name": "P"})
        self.ids["programme"] = [f"p{self.name}"]
        self.ids["person"], self.ids["one"], self.ids["other"] = names, [ann, ben], [cy, dot]
        for wish in ({"limit": 2}, {"what_if": {"candidates": 3}}, {}):
            made = self._manage("POST", f"{place}/runs", wish)
            self.ids.setdefault("run", []).append(made["run_id"])
            self._work()
        self._manage("POST", f"/v1/runs/{self.ids['run'][0]}/commit", None)
        self._work()
        made = self._manage("POST", f"{place}/rankings", None)
        self.ids["ranking"] = [made["ranking_id"]]
        self.serving.do(rankings.prepare)
        page = self._manage("GET", "/v1/pairs?limit=50", None)["pairs"]
        mine = [each for each in page if each["programme_id"] == f"p{self.name}"]
        self.ids["pair"] = [each["pair_id"] for each in mine]
        self._introduce(mine[0], eve)

    def _introduce(self, pair: dict[str, Any], contact: str) -> None:
        """The pair starts, trust is steady, and one side offers to open their network."""
        path = f"/v1/pairs/{pair['pair_id']}"
        sides = [pair[side]["person_id"] for side in ("mentor", "mentee")]
        for side in sides:
            self._ask("POST", side, f"{path}/accept", None)
        self._ask("POST", sides[0], f"{path}/start", None)
        self._hear(trust(path, "steady", "steady"))
        wish = {"contact": contact, "about": "python"}
        made = self._ask("POST", sides[0], f"{path}/introductions", wish)
        self.ids["introduction"] = [made["introduction_id"]]

    def _work(self) -> None:
        async def work(pool: Pool) -> None:
            async def execute(tenant: TenantId, run: Run) -> None:
                await compute(pool, tenant, run, self.serving.clock.now(), lambda *_: None)

            while await Runner(pool, self.serving.clock, execute).step():
                pass

        self.serving.do(work)

    def _hear(self, *facts: Fact) -> None:
        async def deliver(pool: Pool) -> None:
            now = self.serving.clock.now()
            events = [
                new_event(fact, event_id=new_id(), tenant=TenantId(TENANT), service="hr", now=now)
                for fact in facts
            ]
            async with pool.acquire() as conn, conn.transaction():
                await per_fact(HANDLERS)(conn, events, now)

        self.serving.do(deliver)

    def _manage(self, method: str, path: str, body: Any) -> dict[str, Any]:
        return self.serving.ask(method, path, caller("boss", "manager", TENANT), body)

    def _ask(self, method: str, person: str, path: str, body: Any) -> dict[str, Any]:
        return self.serving.ask(method, path, caller(person, "participant", TENANT), body)
