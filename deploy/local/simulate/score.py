"""The scoreboard's figures: every column for every model, with bootstrap intervals. Pure.

Curves are fitted on one half of the pairs and scored on the other, the same way for all models. The
intervals come from drawing pairs, not rows: a pair's mornings are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from deploy.local.simulate.alerts import LOW, Alarms, alarms
from deploy.local.simulate.gather import (
    MODELS,
    OURS,
    Numbers,
    Rows,
    Told,
    directions,
    endings,
    promises,
)
from deploy.local.simulate.latent import Floats
from deploy.local.simulate.metrics import (
    ALPHA,
    Bin,
    auc,
    brier_skill,
    calibration_error,
    fit,
    interval_score,
    reliability,
)
from services.insights.domain.model import Model

RESAMPLES = 400
SURE = 0.95
PROMISE = "skill, next promise"
ENDS = "AUC, ends early within 60 days"
LOW_SKILL = "skill, T below .5"
CALIBRATION = "calibration error, T below .5"
COVERAGE = "coverage of the 90 % interval"
INTERVAL = "interval score"
GAP = "gap between groups, points"
PRECISION = "alarm precision"
ANNOUNCED = "early ends announced"
LEAD = "lead of the alarm, days"
Measure = Callable[[str, Numbers], float]


@dataclass(frozen=True)
class Figure:
    """One cell: the value and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Column:
    """One measure. `better` is 1 when higher is better, -1 when lower is, 0 when neither.

    `ahead` compares ours with each rival: 1 better, -1 worse, 0 when the interval of the
    difference holds 0.
    """

    name: str
    better: int
    figures: dict[str, Figure]
    ahead: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Board:
    """The scoreboard. `curve` is how our P(T < .5) came true, `raw_skill` is ours without a curve,
    `cover_honest` our coverage of pairs that attack nothing, `best_auc` what the true T would get.
    """

    columns: list[Column]
    curve: list[Bin]
    raw_skill: float
    cover_honest: float
    best_auc: float
    pairs: int
    alarms: dict[str, int]
    ended: int


def score(told: Sequence[Told], model: Model, seed: int) -> Board:
    """Every column. `told` must hold pairs of both halves."""
    fitting = [each for each in told if each.story.pair.number // 2 % 2 == 0]
    scored = [each for each in told if each.story.pair.number // 2 % 2]
    where = _Where(directions(told), endings(told), promises(told))
    alarmed = alarms(fitting, scored, model)
    draws = _draws(len(scored), seed)
    numbers = np.array([each.story.pair.number for each in scored])
    columns = [
        *where.columns(numbers, draws),
        *_alarm_columns(alarmed, draws),
    ]
    return Board(
        columns=columns,
        curve=where.curve(),
        raw_skill=where.raw_skill(),
        cover_honest=where.cover_of(scored),
        best_auc=where.best_auc(),
        pairs=len(told),
        alarms={name: int(each.raised.sum()) for name, each in alarmed.items()},
        ended=int(alarmed[OURS].ended.sum()),
    )


class _Where:
    """The rows that are scored, with each model's fitted predictions."""

    def __init__(self, sides: Rows, ends: Rows, kept: Rows) -> None:
        self._sides, self._low, self._t, self._bounds = _fit_directions(sides)
        self._ends = ends.where(~ends.fitting)
        self._kept = kept.where(~kept.fitting)
        learnt = kept.where(kept.fitting)
        self._base = float(learnt.truth.mean())
        self._chance = {
            name: fit(learnt.scores[name], learnt.truth)(self._kept.scores[name]) for name in MODELS
        }

    def columns(self, pairs: Numbers, draws: Sequence[Numbers]) -> list[Column]:
        """All columns but those of alarms."""
        sides, ends, kept = self._sides, self._ends, self._kept
        low = (sides.truth < LOW).astype(float)
        often = float(low.mean())
        measures: list[tuple[str, int, Rows, Measure]] = [
            (PROMISE, 1, kept, lambda name, at: brier_skill(
                self._chance[name][at], kept.truth[at], self._base)),
            (ENDS, 1, ends, lambda name, at: auc(
                -_filled(ends.scores[name])[at], ends.truth[at] > 0)),
            (LOW_SKILL, 1, sides, lambda name, at: brier_skill(
                self._low[name][at], low[at], often)),
            (CALIBRATION, -1, sides, lambda name, at: calibration_error(
                self._low[name][at], low[at])),
            (COVERAGE, 0, sides, self._covered),
            (INTERVAL, -1, sides, lambda name, at: interval_score(
                self._bounds[name][:, at], sides.truth[at])),
            (GAP, -1, sides, self._gap),
        ]  # fmt: skip
        return [
            _column(name, better, of, _picked(rows, pairs, draws))
            for name, better, rows, of in measures
        ]

    def _covered(self, name: str, at: Numbers) -> float:
        low, high = self._bounds[name][:, at]
        truth = self._sides.truth[at]
        return float(((low <= truth) & (truth <= high)).mean())

    def _gap(self, name: str, at: Numbers) -> float:
        """How much more one group is over-rated than the other, in points of 100."""
        off, group = self._t[name][at] - self._sides.truth[at], self._sides.group[at]
        return abs(float(off[group == 0].mean() - off[group == 1].mean())) * 100.0

    def curve(self) -> list[Bin]:
        low = (self._sides.truth < LOW).astype(float)
        return reliability(self._low[OURS], low)

    def raw_skill(self) -> float:
        """The skill of ours at the next promise, the number taken as it is."""
        return brier_skill(self._kept.scores[OURS], self._kept.truth, self._base)

    def best_auc(self) -> float:
        """The AUC of early ends if the true T were known."""
        return auc(-self._ends.extra[:, 0], self._ends.truth > 0)

    def cover_of(self, scored: Sequence[Told]) -> float:
        """Coverage over the pairs that attack nothing."""
        honest = [each.story.pair.number for each in scored if each.story.pair.honest]
        return self._covered(OURS, np.flatnonzero(np.isin(self._sides.pair, honest)))


def _fit_directions(
    rows: Rows,
) -> tuple[Rows, dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
    """The scored rows; by model P(T < .5), the expected T, and low and high of T.

    Ours are its own numbers, unfitted. A rival's come from curves fitted on known truth, which
    nobody in the field has, and its interval is what its curve misses T by.
    """
    learnt, scored = rows.where(rows.fitting), rows.where(~rows.fitting)
    low = {OURS: scored.extra[:, 2]}
    expected = {OURS: scored.scores[OURS]}
    bounds = {OURS: scored.extra[:, :2].T}
    for name in MODELS:
        if name == OURS:
            continue
        seen, now = learnt.scores[name], scored.scores[name]
        low[name] = fit(-seen, (learnt.truth < LOW).astype(float))(-now)
        curve = fit(seen, learnt.truth)
        expected[name] = curve(now)
        misses = np.quantile(learnt.truth - curve(seen), [ALPHA / 2, 1 - ALPHA / 2])
        bounds[name] = np.clip(expected[name] + misses[:, None], 0.0, 1.0)
    return scored, low, expected, bounds


def _filled(scores: Floats) -> Floats:
    """Scores with the mean where there is none yet: no opinion."""
    found: Floats = np.where(np.isnan(scores), np.nanmean(scores), scores)
    return found


def _draws(pairs: int, seed: int) -> list[Numbers]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, pairs, pairs) for _ in range(RESAMPLES)]


def _picked(rows: Rows, pairs: Numbers, draws: Sequence[Numbers]) -> list[Numbers]:
    """All rows, then the rows of the pairs of each draw."""
    mine = [np.flatnonzero(rows.pair == pair) for pair in pairs]
    every = np.arange(len(rows.pair))
    return [every, *(np.concatenate([mine[place] for place in draw]) for draw in draws)]


def _column(name: str, better: int, of: Measure, picked: Sequence[Numbers]) -> Column:
    every, *again = picked
    return _with_intervals(
        name,
        better,
        {model: of(model, every) for model in MODELS},
        {model: np.array([of(model, at) for at in again]) for model in MODELS},
    )


def _alarm_columns(alarmed: dict[str, Alarms], draws: Sequence[Numbers]) -> list[Column]:
    measures: dict[str, Callable[[Alarms, Numbers], float]] = {
        PRECISION: Alarms.precision,
        ANNOUNCED: Alarms.announced,
        LEAD: Alarms.lead_days,
    }
    every = np.arange(len(alarmed[OURS].raised))
    return [
        _with_intervals(
            name,
            1,
            {model: of(alarmed[model], every) for model in MODELS},
            {model: np.array([of(alarmed[model], at) for at in draws]) for model in MODELS},
        )
        for name, of in measures.items()
    ]


def _with_intervals(
    name: str, better: int, values: dict[str, float], again: dict[str, Floats]
) -> Column:
    figures = {model: Figure(values[model], *_middle(again[model])) for model in MODELS}
    ahead = {}
    for model in MODELS:
        if model != OURS and better:
            low, high = _middle(better * (again[OURS] - again[model]))
            ahead[model] = 1 if low > 0 else -1 if high < 0 else 0
    return Column(name, better, figures, ahead)


def _middle(values: Floats) -> tuple[float, float]:
    """The middle 95 % of resampled values; resamples without a value do not count."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1.0 - SURE) / 2.0, (1.0 + SURE) / 2.0])
    return float(low), float(high)
