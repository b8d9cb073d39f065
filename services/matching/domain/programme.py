"""A programme's settings: who may meet whom, what counts for how much, how a run is solved. Pure.

Every change is a new version; a run names the version it was made with. What contradicts itself is
refused with the field that has to change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from shared.errors import Conflict, Rejected
from shared.ids import ProgrammeId, TenantId

Policy: TypeAlias = Literal["flow", "deferred_acceptance"]
Stages: TypeAlias = Literal["direct", "ranked"]
WEEK_MINUTES = 7 * 24 * 60
WHOLE = 1000
# What was learned from earlier pairs may tip a balance and never outweigh what people said.
MOST_LEARNED_PERMILLE = 100


class Contradiction(Rejected):
    """These settings cannot hold together."""

    slug = "contradiction"


class ProgrammeClosed(Conflict):
    """The programme is closed: open it before you do this."""

    slug = "programme-closed"


@dataclass(frozen=True, slots=True)
class Rules:
    """Hard rules: a pair that breaks one is never proposed. One's manager is always excluded.

    `report_line` excludes everybody above and below at any level. Grade gaps are the mentor's grade
    minus the mentee's, and hold where both have one. `min_overlap_minutes` is free time in common a
    week, in pieces of half an hour at least, and holds where both gave hours; 0 asks for none.
    """

    common_language: bool = True
    shared_goal: bool = True
    min_overlap_minutes: int = 30
    report_line: bool = False
    org_units: Literal["any", "same", "different"] = "any"
    min_grade_gap: int | None = None
    max_grade_gap: int | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part counts, in any unit: only their ratios matter."""

    goals: float = 4.0
    related: float = 1.0
    languages: float = 2.0
    hours: float = 3.0

    def permille(self) -> tuple[int, int, int, int]:
        """Goals, related, languages, hours as thousandths that add up to 1,000.

        By largest remainder, the earlier part first where they tie.
        """
        given = (self.goals, self.related, self.languages, self.hours)
        whole = sum(given)
        exact = [WHOLE * each / whole for each in given]
        down = [int(each) for each in exact]
        by_rest = sorted(range(len(given)), key=lambda at: (down[at] - exact[at], at))
        for at in by_rest[: WHOLE - sum(down)]:
            down[at] += 1
        return down[0], down[1], down[2], down[3]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run needs to know beside the people.

    `org_units` empty is everybody who takes part. `max_capacity` caps what a mentor offers.
    `candidates` is how many each person is considered with, from either side. `churn_permille` is
    how much better a new proposal must be to take the place of one that is not yet answered.
    `learn` lets earlier pairs of the programme speak (at most 100 thousandths of a fit).
    """

    org_units: tuple[str, ...] = ()
    rules: Rules = field(default_factory=Rules)
    weights: Weights = field(default_factory=Weights)
    policy: Policy = "flow"
    stages: Stages = "direct"
    candidates: int = 30
    max_capacity: int | None = None
    churn_permille: int = 100
    learn: bool = False
    answer_within: timedelta = timedelta(days=14)
    ask_within: timedelta = timedelta(days=7)
    rank_within: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme of a tenant at one version."""

    tenant: TenantId
    programme_id: ProgrammeId
    name: str
    settings: Settings
    changed_at: datetime
    is_open: bool = True
    revision: int = 1

    def require_open(self) -> None:
        """Raise ProgrammeClosed unless it is open."""
        if not self.is_open:
            raise ProgrammeClosed


def check(settings: Settings) -> None:
    """Raise Contradiction, naming the field, for settings that no run could keep to."""
    rules, weights = settings.rules, settings.weights
    for each in fields(weights):
        if not 0 <= getattr(weights, each.name) <= WHOLE:  # NaN is in no range
            raise Contradiction(
                "a weight is a number from 0 to 1000", field=f"settings.weights.{each.name}"
            )
    if not any(getattr(weights, each.name) for each in fields(weights)):
        raise Contradiction("give at least one part a weight", field="settings.weights")
    low, high = rules.min_grade_gap, rules.max_grade_gap
    if low is not None and high is not None and low > high:
        raise Contradiction(
            f"no gap is at least {low} and at most {high}", field="settings.rules.min_grade_gap"
        )
    if rules.min_overlap_minutes > WEEK_MINUTES:
        raise Contradiction(
            f"a week has {WEEK_MINUTES} minutes", field="settings.rules.min_overlap_minutes"
        )
    if rules.org_units == "different" and len(settings.org_units) == 1:
        raise Contradiction(
            "everybody is of one unit, and the rule wants different ones",
            field="settings.rules.org_units",
        )
