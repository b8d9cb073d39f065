"""From everybody to a result: candidates, solution, report. Reads nothing and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np

from services.matching.domain.fit import Apart, Barrier, barrier
from services.matching.domain.ranking import SHORTLIST, UNLISTED
from services.matching.domain.run import Chosen, LeftOut, Result, Run
from services.matching.engine.acceptance import Ranks, accept, by_fit
from services.matching.engine.candidates import Edges, find, with_pairs
from services.matching.engine.effect import effect
from services.matching.engine.exclusions import RuleFigure, Unmatched
from services.matching.engine.features import Problem
from services.matching.engine.flow import solve
from services.matching.engine.lift import Lift
from services.matching.engine.matched import Matched
from services.matching.engine.measures import own_ranks
from services.matching.engine.report import Context, Report, report
from services.matching.engine.side import Ints, Progress, Side
from shared.ids import PersonId

OVER_LIMIT = "over_limit"
# Each of two rankings of ten can add as much as a fifth of a fit: what people want goes far.
RANKED_PERMILLE = 200
# Who waits since an earlier pair stands first among equals, and before nobody else.
WAITED_PERMILLE = 1
# Fewer are persons: how many are kept apart is shown from here on.
AT_LEAST = 5

Together = tuple[PersonId, PersonId]
# By (mentor, mentee): the mentee's rank and the mentor's, from 1; None for a `never` of either.
Ranked = Mapping[Together, tuple[int, int] | None]
_UNSHOWN = (UNLISTED, UNLISTED)


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Everybody, and what is known of them. `standing` are proposals that nobody has answered.

    `apart` and `standing` name (mentor, mentee); `earlier` is the mentor of each mentee in the
    last run. `ranked` is what people said in private, None when nobody was asked.
    """

    mentors: Side
    mentees: Side
    apart: Apart
    standing: Mapping[Together, UUID]
    waited: frozenset[PersonId]
    earlier: Mapping[PersonId, PersonId] | None
    ranked: Ranked | None
    lift: Lift


def work_out(run: Run, crowd: Crowd, progress: Progress) -> Result:
    """What the run comes to: the same for the same people, in whatever order they were read."""
    problem = Problem(crowd.mentees, crowd.mentors, run.settings, crowd.apart, crowd.lift)
    matched, context = _match(run, crowd, problem, progress)
    is_flow = run.settings.policy == "flow"
    told = report(problem, matched, context, is_flow=is_flow, progress=progress)
    # By fit, whatever people said: managers see it, and an order of one's own is nobody else's.
    found = _best_first(crowd, matched, by_fit(matched.edges))
    kept, cut = _limited(found, run.at_most)
    left_out = [LeftOut(one.person_id, _reason(one.reason), _lost(one)) for one in told.unmatched]
    left_out += [LeftOut(one.mentee_id, OVER_LIMIT, {}) for one in cut]
    figures = _figures(told, is_private=crowd.ranked is not None) | {
        "over_limit": len(cut),
        "lessons": _lessons(run, crowd, problem, matched, progress),
    }
    return Result(figures, kept, left_out, _taken_back(crowd, kept, cut))


def _match(run: Run, crowd: Crowd, problem: Problem, progress: Progress) -> tuple[Matched, Context]:
    """The matching by the programme's policy, and what it is to be judged against."""
    edges = find(crowd.mentees, crowd.mentors, run.settings, crowd.apart, crowd.lift, progress)
    if crowd.standing:
        edges = with_pairs(edges, problem, _allowed(problem, crowd.standing))
    # A name for each edge only where somebody is asked about by name: there are millions.
    together = _together(crowd, edges) if crowd.standing or crowd.ranked is not None else []
    ranks = None
    if crowd.ranked is not None:
        allowed = np.array([crowd.ranked.get(two, _UNSHOWN) is not None for two in together], bool)
        edges = edges.keeping(allowed)
        together = [two for two, may in zip(together, allowed, strict=True) if may]
        ranks = _ranks(crowd.ranked, together)
    kept = _kept(run, crowd, edges, together)
    context = Context(ranks, kept, crowd.earlier)
    places = crowd.mentors.places
    if run.settings.policy == "flow":
        return solve(edges, places, kept, progress), context
    return accept(edges, places, ranks or _by_fit_and_waiting(crowd, edges), progress), context


def _allowed(problem: Problem, standing: Iterable[Together]) -> list[Together]:
    """Those of these proposals that no rule forbids by now, of people who are weighed."""
    mentors = {person: at for at, person in enumerate(problem.mentors.ids)}
    mentees = {person: at for at, person in enumerate(problem.mentees.ids)}
    return [
        (mentor, mentee)
        for mentor, mentee in standing
        if mentor in mentors
        and mentee in mentees
        and barrier(
            problem.mentors.candidate(mentors[mentor], with_vector=False),
            problem.mentees.candidate(mentees[mentee], with_vector=False),
            problem.settings.rules,
            problem.apart,
        )
        is None
    ]


def _together(crowd: Crowd, edges: Edges) -> list[Together]:
    mentors, mentees = crowd.mentors.ids, crowd.mentees.ids
    return [
        (mentors[column], mentees[row])
        for row, column in zip(edges.mentee.tolist(), edges.mentor.tolist(), strict=True)
    ]


def _kept(run: Run, crowd: Crowd, edges: Edges, together: Sequence[Together]) -> Ints:
    """What each edge is worth beside its fit, in thousandths: it stands, is wanted, or waits."""
    waits = np.array([one in crowd.waited for one in crowd.mentees.ids], np.int32)
    worth = waits[edges.mentee] * WAITED_PERMILLE if len(edges) else np.zeros(0, np.int32)
    if crowd.standing:
        stands = np.array([two in crowd.standing for two in together], np.int32)
        worth = worth + stands * run.settings.churn_permille
    if crowd.ranked is not None:
        worth = worth + np.array([_wanted(crowd.ranked.get(two)) for two in together], np.int32)
    return worth.astype(np.int32)


def _wanted(ranks: tuple[int, int] | None) -> int:
    """What two rankings add: all of RANKED_PERMILLE for a first place, less for each further."""
    steps = sum(max(0, UNLISTED - rank) for rank in ranks or ())
    return RANKED_PERMILLE * steps // SHORTLIST


def _ranks(ranked: Ranked, together: Sequence[Together]) -> Ranks:
    """Both sides' orders; those whom neither was shown come last, and there by fit."""
    said = [ranked.get(two) or _UNSHOWN for two in together]
    both = np.array(said, np.int32).reshape(-1, 2)
    return Ranks(both[:, 0], both[:, 1])


def _by_fit_and_waiting(crowd: Crowd, edges: Edges) -> Ranks:
    """By fit; among equals a mentor prefers who has waited since an earlier pair."""
    waits = np.array([one in crowd.waited for one in crowd.mentees.ids], np.int32)
    waited = waits[edges.mentee] if len(edges) else np.zeros(0, np.int32)
    return Ranks(-edges.fit, (-2 * edges.fit - waited).astype(np.int32))


def _best_first(crowd: Crowd, matched: Matched, ranks: Ranks) -> list[Chosen]:
    """The pairs, the best fit first, then by ids; and the place of each in its mentee's list."""
    edges, chosen = matched.edges, matched.chosen
    order = chosen[np.lexsort((edges.mentor[chosen], edges.mentee[chosen], -edges.fit[chosen]))]
    rank = own_ranks(edges, ranks)[order]
    together = zip(edges.mentee[order].tolist(), edges.mentor[order].tolist(), strict=True)
    rows = zip(together, rank.tolist(), edges.parts[order].tolist(), strict=True)
    found = []
    for place, ((row, column), at, parts) in enumerate(rows, start=1):
        two = (crowd.mentors.ids[column], crowd.mentees.ids[row])
        found.append(Chosen(place, *two, at, tuple(parts), crowd.standing.get(two)))
    return found


def _limited(found: Sequence[Chosen], at_most: int | None) -> tuple[list[Chosen], list[Chosen]]:
    """What is kept and what is cut: at most so many are new, and what stands takes up none."""
    if at_most is None:
        return list(found), []
    new = [each.place for each in found if each.stands is None]
    beyond = set(new[at_most:])
    kept = [each for each in found if each.place not in beyond]
    return kept, [each for each in found if each.place in beyond]


def _taken_back(crowd: Crowd, kept: Sequence[Chosen], cut: Sequence[Chosen]) -> list[UUID]:
    """The proposals that were weighed anew and lost.

    Nobody loses one for nothing: not whose new one is over the limit, and not because the other
    could not be weighed, being away for instance, unless there is somebody else for them.
    """
    stays = {each.stands for each in kept}
    moved = {each.mentee_id for each in kept if each.stands is None}
    waits = {each.mentee_id for each in cut}
    mentors, mentees = set(crowd.mentors.ids), set(crowd.mentees.ids)
    return sorted(
        pair_id
        for (mentor, mentee), pair_id in crowd.standing.items()
        if pair_id not in stays
        and (mentee in moved or (mentor in mentors and mentee in mentees and mentee not in waits))
    )


def _figures(told: Report, *, is_private: bool) -> dict[str, Any]:
    """The report as plain values, without what is one person's.

    `is_private`: it measures how far down people's own lists they got, which fewer than five would
    be known by.
    """
    figures = asdict(told)
    if is_private and told.measures.mentees < AT_LEAST:
        figures["measures"]["standing"] = None
    del figures["unmatched"]
    figures["measures"]["shortage"] = told.measures.shortage
    figures["certificate"]["gap"] = told.certificate.gap
    figures["rules"] = [asdict(each) for each in told.rules if _may_be_shown(each)]
    return figures


def _may_be_shown(each: RuleFigure) -> bool:
    # That a few are kept apart would say that somebody avoids, or is avoided.
    is_private = each.rule is Barrier.KEPT_APART
    return not is_private or min(each.bars_all, each.would_help) >= AT_LEAST


def _reason(reason: Barrier) -> str:
    return Barrier.NO_CANDIDATE_LEFT if reason is Barrier.KEPT_APART else reason


def _lost(one: Unmatched) -> dict[str, int]:
    return {
        str(barrier): count
        for barrier, count in one.lost.items()
        if barrier is not Barrier.KEPT_APART
    }


def _lessons(
    run: Run, crowd: Crowd, problem: Problem, matched: Matched, progress: Progress
) -> dict[str, Any] | None:
    """What earlier pairs taught, and what it changed about this run; None when it is not asked."""
    if not run.settings.learn:
        return None
    lesson: dict[str, Any] = asdict(crowd.lift)
    if crowd.lift.used:
        alone = replace(run, settings=replace(run.settings, learn=False))
        plain = replace(problem, settings=alone.settings, lift=None)
        without, _ = _match(alone, crowd, plain, progress)
        change = effect(crowd.lift, _by_mentee(matched), _by_mentee(without))
        lesson["effect"] = asdict(change) | {"fit_change": change.fit_change}
    return lesson


def _by_mentee(matched: Matched) -> dict[int, tuple[int, int]]:
    """Each mentee's mentor, and the fit of the two without what was learned."""
    declared = matched.edges.parts[matched.chosen, :-1].sum(axis=1, dtype=np.int64)
    rows = zip(matched.mentee.tolist(), matched.mentor.tolist(), declared.tolist(), strict=True)
    return {mentee: (mentor, fit) for mentee, mentor, fit in rows}
