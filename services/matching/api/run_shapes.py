"""What goes in and out about runs over HTTP. Reads nothing, decides nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.matching.api.common import ProgrammeName
from services.matching.api.programmes import SettingsIn, settings_out
from services.matching.domain.fit import PARTS
from services.matching.domain.programme import WHOLE
from services.matching.domain.run import Action, Chosen, LeftOut, Run, State, possible
from services.matching.handlers.runs import Comparison, Looked
from services.matching.views import Member, Names
from shared.ids import PersonId
from shared.shapes import Body

MAX_PROPOSALS = 1_000_000


class RunIn(Body):
    """What a run is to do. With `what_if` it tries these settings, and is never committed.

    `incremental` weighs proposals that nobody has answered anew, at the programme's churn cost.
    `limit` is how many proposals it makes at most, the best first. `ranking_id` names a round of
    rankings that is closed.
    """

    limit: Annotated[int, Field(ge=1, le=MAX_PROPOSALS)] | None = None
    incremental: bool = False
    what_if: SettingsIn | None = None
    ranking_id: UUID | None = None


class ProgressOut(BaseModel):
    """How far a run is: `done` of `total` steps of a stage."""

    stage: str
    done: int
    total: int


class RunOut(BaseModel):
    """A run. `became` counts its pairs once they are committed: proposed, or why not any more."""

    run_id: UUID
    programme_id: ProgrammeName
    version: int
    settings: SettingsIn
    what_if: bool
    incremental: bool
    asked_at: datetime
    state: State
    attempt: int
    progress: ProgressOut
    ended_at: datetime | None
    failure: str | None
    pairs: int
    became: dict[str, int]
    allowed: tuple[Action, ...]


class RunsOut(BaseModel):
    """Runs, newest first; `next_cursor` is null on the last page."""

    runs: tuple[RunOut, ...]
    next_cursor: UUID | None


class RunPairOut(BaseModel):
    """A pair that the run would propose. `parts` add up to `fit`; `rank` is the mentor's place
    among the mentee's candidates by fit. `stands`: it has been proposed before, and stays.
    """

    place: int
    mentor: Member
    mentee: Member
    fit: float
    parts: dict[str, float]
    rank: int
    stands: bool
    became: str | None


class RunPairsOut(BaseModel):
    """Pairs of a run, best first; `next_cursor` is null on the last page."""

    pairs: tuple[RunPairOut, ...]
    next_cursor: int | None


class UnmatchedOut(BaseModel):
    """A mentee without a mentor: the rule whose lifting would help, and how many mentors each rule
    kept from them. Whom somebody is kept apart from is counted nowhere.
    """

    person_id: PersonId
    reason: str
    lost: dict[str, int]


class UnmatchedPage(BaseModel):
    """Those without a mentor, by id; `next_cursor` is null on the last page."""

    unmatched: tuple[UnmatchedOut, ...]
    next_cursor: PersonId | None


class ComparisonOut(BaseModel):
    """Two reports side by side, and for how many mentees the second differs from the first.

    `measures` are those of `b` less those of `a`, for instance `standing.mean_rank`.
    """

    a: dict[str, Any]
    b: dict[str, Any]
    measures: dict[str, float]
    gain: int
    lose: int
    differ: int


def run_out(looked: Looked) -> RunOut:
    """The run for a manager."""
    run: Run = looked.run
    return RunOut(
        run_id=run.run_id,
        programme_id=run.programme_id,
        version=run.version,
        settings=settings_out(run.settings),
        what_if=run.what_if,
        incremental=run.incremental,
        asked_at=run.asked_at,
        state=run.state,
        attempt=run.attempt,
        progress=ProgressOut(stage=run.stage, done=run.done, total=run.total),
        ended_at=run.ended_at,
        failure=run.failure,
        pairs=sum(looked.counts.values()),
        became={name: count for name, count in looked.counts.items() if name is not None},
        allowed=possible(run),
    )


def pair_out(it: Chosen, names: Names) -> RunPairOut:
    """A pair of a run for a manager."""

    def member(person_id: PersonId) -> Member:
        return Member(person_id=person_id, display_name=names.get(person_id, person_id))

    return RunPairOut(
        place=it.place,
        mentor=member(it.mentor_id),
        mentee=member(it.mentee_id),
        fit=sum(it.parts) / WHOLE,
        parts={name: part / WHOLE for name, part in zip(PARTS, it.parts, strict=True)},
        rank=it.rank,
        stands=it.stands is not None,
        became=it.became,
    )


def unmatched_out(it: LeftOut) -> UnmatchedOut:
    """Somebody without a mentor, for a manager."""
    return UnmatchedOut(person_id=it.person_id, reason=it.reason, lost=dict(it.lost))


def comparison_out(it: Comparison) -> ComparisonOut:
    """Two reports for a manager."""
    return ComparisonOut(
        a=dict(it.one),
        b=dict(it.other),
        measures=dict(it.measures),
        gain=it.gain,
        lose=it.lose,
        differ=it.differ,
    )
