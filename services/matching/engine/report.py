"""Everything there is to say about a matching before somebody publishes it. Changes nothing.

All of it are frozen values of plain numbers, words and ids; `dataclasses.asdict` makes JSON of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.matching.domain.fit import barrier
from services.matching.engine.acceptance import Ranks, by_fit
from services.matching.engine.certificate import Certificate, Prices, prices, verify
from services.matching.engine.exclusions import (
    RuleFigure,
    Unmatched,
    explain,
    rule_figures,
    unmatched,
)
from services.matching.engine.features import Problem
from services.matching.engine.flow import solve
from services.matching.engine.groups import Gaps, gaps
from services.matching.engine.matched import Matched
from services.matching.engine.measures import Churn, Measures, churn, measure, own_ranks
from services.matching.engine.side import Ints, Progress
from services.matching.engine.wanted import Wanted, wanted
from shared.ids import PersonId

STAGE = "proof"


@dataclass(frozen=True, slots=True)
class Context:
    """What a matching is judged against: people's own `ranks`, the proposals that stand as `kept`
    (edges,), and the `earlier` mentor of each mentee. None and empty are "there is none".
    """

    ranks: Ranks | None = None
    kept: Ints | None = None
    earlier: Mapping[PersonId, PersonId] | None = None


@dataclass(frozen=True, slots=True)
class WantedGoal:
    """`mentors` more who offer the goal, with so many places each, would place `people` more."""

    goal: str
    asking: int
    mentors: int
    places_each: int
    people: int


@dataclass(frozen=True, slots=True)
class Report:
    """A matching in figures and reasons.

    `certificate` proves the best matching there is, of which `measures.fit_of_optimum` is a share;
    `is_best` is whether this one is it. `broken_rules` counts pairs that a rule forbids, asked
    one by one of the slow and readable rules. `scarce_mentors` are those with whom one more place
    would place one more person.
    """

    measures: Measures
    certificate: Certificate
    is_best: bool
    broken_rules: int
    scarce_mentors: int
    groups: tuple[Gaps, Gaps]
    churn: Churn | None
    unmatched: tuple[Unmatched, ...]
    rules: tuple[RuleFigure, ...]
    wanted: tuple[WantedGoal, ...]


def report(
    problem: Problem, matched: Matched, context: Context, *, is_flow: bool, progress: Progress
) -> Report:
    """All of it. `is_flow` says that `matched` is of engine/flow: else the best is solved too."""
    places = problem.mentors.places
    best = matched if is_flow else solve(matched.edges, places, context.kept, progress)
    progress(STAGE, 0, 1)
    priced = prices(best, context.kept)
    proof = verify(best.edges, places, best, priced, context.kept)
    progress(STAGE, 1, 1)
    why = explain(problem, matched.unmatched, progress)
    ranks = own_ranks(matched.edges, context.ranks or by_fit(matched.edges))
    return Report(
        measures=measure(matched, places, context.ranks, best.total_fit),
        certificate=proof,
        is_best=verify(matched.edges, places, matched, priced, context.kept).is_optimal,
        broken_rules=broken_rules(problem, matched),
        scarce_mentors=_scarce(priced, proof),
        groups=gaps(matched, ranks, problem.mentees),
        churn=_churn(problem, matched, context),
        unmatched=unmatched(problem, matched, why),
        rules=rule_figures(why),
        wanted=tuple(_goal(each) for each in wanted(best, problem.mentees, places, progress)),
    )


def broken_rules(problem: Problem, matched: Matched) -> int:
    """How many pairs some rule forbids, by the rules of domain/fit and by nothing of the engine."""
    rules, apart = problem.settings.rules, problem.apart
    seen = (
        (
            problem.mentors.candidate(column, with_vector=False),
            problem.mentees.candidate(row, with_vector=False),
        )
        for row, column in zip(matched.mentee.tolist(), matched.mentor.tolist(), strict=True)
    )
    return sum(barrier(mentor, mentee, rules, apart) is not None for mentor, mentee in seen)


def _scarce(priced: Prices, proof: Certificate) -> int:
    return int((priced.people > 0).sum()) if proof.is_optimal else 0


def _churn(problem: Problem, matched: Matched, context: Context) -> Churn | None:
    if context.earlier is None:
        return None
    return churn(matched, problem.mentees, problem.mentors, context.earlier)


def _goal(each: Wanted) -> WantedGoal:
    return WantedGoal(each.goal, each.asking, each.mentors, each.places_each, each.most)
