"""Pairs with something of each kind in them, behind a real HTTP server. Holds no test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from services.sessions.api import build_api
from services.sessions.domain.rules import Rules
from shared.clock import Clock
from shared.events.matching import PairStarted
from shared.ids import PairId, PersonId, ProgrammeId, new_id
from shared.postgres.pool import Pool
from tests.integration.sessions.world import START, TENANT, World
from tests.support.callers import as_
from tests.support.databases import Databases
from tests.support.fuzz import Target
from tests.support.serving import Serving

DAY = timedelta(days=1)
# What only a manager may is asked by somebody of neither side.
BOSS = ("boss", "manager")


def build(pool: Pool | None, clock: Clock) -> FastAPI:
    """The service's API; without a database, for its document alone."""
    return build_api(pool, clock, Rules())  # type: ignore[arg-type]


def serving_sessions(databases: Databases) -> Serving:
    """Sessions, ready to run."""
    return Serving(databases, "sessions", build, START)


def start_pair(serving: Serving, mentor: str, mentee: str) -> PairId:
    """A new pair, as matching's fact starts it: the only thing that is not done over HTTP."""
    pair = PairId(new_id())
    fact = PairStarted(
        pair_id=pair,
        mentor_id=PersonId(mentor),
        mentee_id=PersonId(mentee),
        programme_id=ProgrammeId("leaders"),
        started_at=serving.clock.now(),
    )

    async def deliver(pool: Pool) -> None:
        world = World(pool, serving.clock, None, pair)  # type: ignore[arg-type]
        await world.deliver(fact)

    serving.do(deliver)
    return pair


@dataclass
class Things:
    """A new pair and something of each kind in it: ids by the name a path has for them."""

    serving: Serving
    mentor: str
    mentee: str
    ids: dict[str, list[str]] = field(default_factory=dict)

    def target(self) -> Target:
        """Everything that is there, asked about by the two, and by somebody of neither side."""
        sides = [(self.mentor, "participant"), (self.mentee, "participant")] * 2
        callers = [as_(person, role, tenant=TENANT) for person, role in (*sides, BOSS)]
        return Target(self.serving.url, self.serving.clock.now(), self.ids, callers)

    def fill(self) -> None:
        """Ask the service for one of each."""
        self.ids["pair"] = [str(start_pair(self.serving, self.mentor, self.mentee))]
        now = self.serving.clock.now()
        terms = {"cadence_days": 14, "notice_hours": 24, "channels": ["video", "email"]}
        self._post(self.mentor, "agreement", terms)
        self._post(self.mentee, "agreement/sign", {"version": 1})
        self._post(self.mentor, "agreement", {**terms, "cadence_days": 7})
        self.ids["version"] = ["1", "2"]
        for days in (1, 2):
            slot = {"starts_at": (now + days * DAY).isoformat(), "duration_minutes": 45}
            self._made("session", self._post(self.mentor, "sessions", {**slot, "channel": "video"}))
        for days in (5, 6):
            due = {"due_at": (now + days * DAY).isoformat(), "title": "read it"}
            self._made("commitment", self._post(self.mentee, "commitments", due))
        self._ask(self.mentor, f"/v1/commitments/{self.ids['commitment'][0]}/accept", None)
        offer = {"slots": [{"starts_at": (now + 9 * DAY).isoformat(), "duration_minutes": 30}]}
        self._made("proposal", self._post(self.mentor, "proposals", offer))
        first = (now + 40 * DAY).replace(tzinfo=None)
        weekly = {"starts_at_local": first.isoformat(), "duration_minutes": 30, "count": 2}
        self._made("series", self._post(self.mentor, "series", weekly))
        self._made("boundary", self._post(self.mentee, "boundaries", {"term": "other"}))
        for _ in range(2):
            goal = self._post(self.mentee, "goals", {"words": "a talk", "measure": "ten people"})
            self._made("goal", goal)
            self._made("note", self._post(self.mentor, "notes", {"text": "mornings"}))
            self._made("item", self._post(self.mentee, "agenda", {"text": "the talk"}))
        self._ask(self.mentor, f"/v1/goals/{self.ids['goal'][0]}/agree", None)

    def _post(self, person: str, what: str, body: Any) -> dict[str, Any]:
        return self._ask(person, f"/v1/pairs/{self.ids['pair'][0]}/{what}", body)

    def _ask(self, person: str, path: str, body: Any) -> dict[str, Any]:
        headers = as_(person, tenant=TENANT)
        return self.serving.ask("POST", path, headers, body)

    def _made(self, name: str, answer: dict[str, Any]) -> None:
        self.ids.setdefault(name, []).append(str(answer[f"{name}_id"]))
