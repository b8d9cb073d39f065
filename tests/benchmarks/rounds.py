"""What the pairs of the commands' benchmark do, request by request. Sends and measures nothing.

A pair goes through one round: a session booked and confirmed by both, a promise made, accepted
and kept.
Requests of many rounds are interleaved, so that no two in flight are about the same pair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from shared.ids import PairId, TenantId, derived_id
from tests.support.callers import as_

TENANT = TenantId("acme")
# A session booked now can be confirmed when it has started: CONFIRMED rounds later, more than that.
AHEAD = timedelta(seconds=1)
DUE = timedelta(days=7)
CONFIRMED = 500
# Between two requests about one pair lie those about this many others.
APART = 100


def pair_id(place: int) -> PairId:
    """The id of the pair at `place`; the same in every run."""
    return PairId(derived_id("pair of the commands' benchmark", str(place)))


def members(place: int) -> dict[str, str]:
    """Who they are: nobody is in two pairs."""
    return {"mentor": f"mentor-{place}", "mentee": f"mentee-{place}"}


def _slot() -> dict[str, object]:
    starts_at = datetime.now(UTC) + AHEAD
    return {"starts_at": starts_at.isoformat(), "duration_minutes": 45}


def _promise() -> dict[str, object]:
    due_at = datetime.now(UTC) + DUE
    return {"due_at": due_at.isoformat(), "title": "three goals, written down"}


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a round: by whom, `after` how many rounds have begun since its own."""

    name: str
    by: str
    path: str
    after: int
    body: Callable[[], dict[str, object]] | None = None
    learns: str = ""


STEPS = (
    Step("book", "mentor", "/v1/pairs/{pair}/sessions", 0, _slot, "session_id"),
    Step("promise", "mentee", "/v1/pairs/{pair}/commitments", APART, _promise, "commitment_id"),
    Step("accept", "mentor", "/v1/commitments/{commitment_id}/accept", 2 * APART),
    Step("confirm", "mentor", "/v1/sessions/{session_id}/confirm", CONFIRMED),
    Step("confirm", "mentee", "/v1/sessions/{session_id}/confirm", CONFIRMED + APART),
    Step("keep", "mentor", "/v1/commitments/{commitment_id}/keep", CONFIRMED + 2 * APART),
)
# What begins before the first round and ends after the last is not a full mix.
EDGE = max(step.after for step in STEPS)


@dataclass(slots=True)
class Round:
    """One pair, and the ids that its answers have told so far."""

    place: int
    known: dict[str, str] = field(default_factory=dict)


class Command(NamedTuple):
    """One request of one round."""

    step: Step
    round: Round
    number: int

    @property
    def ready(self) -> bool:
        """Whether the ids that its path names have been told."""
        return all(name in self.round.known for name in self.names)

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.step.path)

    @property
    def headers(self) -> dict[str, str]:
        """Who asks, and a key: a client that may have to ask again sends one."""
        place = self.round.place
        more = {
            "Idempotency-Key": f"{place}-{self.number}",
            "Content-Type": "application/json",
        }
        return as_(members(place)[self.step.by], tenant=TENANT) | more

    @property
    def path(self) -> str:
        return self.step.path.format(**self.round.known)

    @property
    def body(self) -> bytes:
        return orjson.dumps(self.step.body()) if self.step.body else b""

    def learn(self, answer: bytes) -> None:
        """Take from an answer what later requests of the round name."""
        if name := self.step.learns:
            found: dict[str, Any] = orjson.loads(answer)
            self.round.known[name] = str(found[name])


def commands(rounds: int) -> Iterator[Command]:
    """The requests of so many rounds, in the order in which they are sent."""
    begun: list[Round] = []
    for turn in range(rounds + EDGE):
        if turn < rounds:
            begun.append(Round(turn, {"pair": str(pair_id(turn))}))
        for number, step in enumerate(STEPS):
            if 0 <= (place := turn - step.after) < rounds:
                yield Command(step, begun[place], number)
