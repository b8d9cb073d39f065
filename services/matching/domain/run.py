"""The life of a matching run: asked for, worked out, looked at, and committed by a manager. Pure.

    queued --> running --> ready --commit--> committing --> committed
       \\---------\\---------\\---cancel--> cancelled
                  \\--> failed

A run that only asks "what if" can be looked at and never committed. Doing again what is already so
changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from services.matching.domain.decision import Decision
from services.matching.domain.programme import Contradiction, Programme, Settings, check
from shared.errors import Conflict
from shared.ids import PersonId, ProgrammeId

State: TypeAlias = Literal[
    "queued", "running", "ready", "committing", "committed", "cancelled", "failed"
]
Action: TypeAlias = Literal["commit", "cancel"]
# A process that dies three times over the same people will die a fourth time.
MOST_ATTEMPTS = 3
DIED = "died"
# One tenant's runs that nobody has worked out yet: others wait behind them.
MOST_WAITING = 20


class RunMovedOn(Conflict):
    """The run has come further than that, or not so far yet."""

    slug = "run-moved-on"


class TooManyRuns(Conflict):
    """As many runs as may wait are waiting: cancel one, or wait for it."""

    slug = "too-many-runs"


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `at_most` is how many new proposals it may make, None for as many as there are.

    `stage`, `done` and `total` say how far it is; `failure` is a code. An `incremental` run weighs
    proposals that are not yet answered anew, with the programme's churn cost.
    """

    run_id: UUID
    programme_id: ProgrammeId
    version: int
    settings: Settings
    what_if: bool
    incremental: bool
    at_most: int | None
    ranking_id: UUID | None
    asked_at: datetime
    state: State = "queued"
    attempt: int = 0
    stage: str = "queued"
    done: int = 0
    total: int = 0
    ended_at: datetime | None = None
    failure: str | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """A pair that a run would propose. `parts` are those of domain/fit, in thousandths.

    `rank` is the mentor's place in the mentee's list by fit. `stands` is the proposal there is
    already. `became` says what it was at the commit.
    """

    place: int
    mentor_id: PersonId
    mentee_id: PersonId
    rank: int
    parts: tuple[int, ...]
    stands: UUID | None = None
    became: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A mentee whom a run found nobody for. `lost` counts mentors by the rule that kept them."""

    person_id: PersonId
    reason: str
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """All that a run came to. `taken_back` are the proposals that it decided against."""

    report: Mapping[str, Any]
    pairs: Sequence[Chosen]
    left_out: Sequence[LeftOut]
    taken_back: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a manager asks for. `what_if` are settings to try, None for the programme's own."""

    run_id: UUID
    what_if: Settings | None = None
    incremental: bool = False
    at_most: int | None = None
    ranking_id: UUID | None = None


def ask(wish: Wish, programme: Programme, waiting: int, now: datetime) -> Decision[Run]:
    """A run that waits for its turn, behind so many of the tenant.

    Raises ProgrammeClosed, TooManyRuns, or Contradiction naming the field.
    """
    programme.require_open()
    if waiting >= MOST_WAITING:
        raise TooManyRuns
    if wish.what_if is not None:
        if wish.ranking_id is not None:
            # Tried again and again, with and without, it would tell what somebody ranked.
            raise Contradiction("rankings are not for trying: leave one out", field="ranking_id")
        check(wish.what_if)
    made = Run(
        run_id=wish.run_id,
        programme_id=programme.programme_id,
        version=programme.revision,
        settings=wish.what_if or programme.settings,
        what_if=wish.what_if is not None,
        incremental=wish.incremental,
        at_most=wish.at_most,
        ranking_id=wish.ranking_id,
        asked_at=now,
    )
    return Decision(made)


def possible(run: Run) -> tuple[Action, ...]:
    """What can be done with it now."""
    if run.state == "ready":
        return ("cancel",) if run.what_if else ("commit", "cancel")
    return ("cancel",) if run.state in ("queued", "running") else ()


def cancel(run: Run, now: datetime) -> Decision[Run]:
    """It is not wanted any more. Raises RunMovedOn once it is being committed."""
    if run.state == "cancelled":
        return Decision(run)
    _require(run, "cancel")
    return Decision(replace(run, state="cancelled", ended_at=now))


def commit(run: Run, programme: Programme) -> Decision[Run]:
    """Its proposals are to be made. Raises ProgrammeClosed, or RunMovedOn, for a what-if too."""
    if run.state in ("committing", "committed"):
        return Decision(run)
    _require(run, "commit")
    programme.require_open()
    return Decision(replace(run, state="committing"))


def begin(run: Run, now: datetime) -> Run:
    """A process begins with it, or begins again; after three that died, it has failed."""
    if run.attempt >= MOST_ATTEMPTS:
        return fail(run, DIED, now)
    return replace(run, state="running", attempt=run.attempt + 1, stage="starting", done=0, total=0)


def fail(run: Run, code: str, now: datetime) -> Run:
    """It came to nothing, for a reason that trying again does not change."""
    return replace(run, state="failed", failure=code, ended_at=now)


def _require(run: Run, action: Action) -> None:
    allowed = possible(run)
    if action in allowed:
        return
    if action == "commit" and run.what_if:
        raise RunMovedOn("a run that asks what if is never committed", allowed=allowed)
    raise RunMovedOn(f"the run is {run.state}", allowed=allowed)
