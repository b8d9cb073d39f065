"""How good predictions are: skill, ranking, calibration. Pure numpy; knows no model and no pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from deploy.local.simulate.latent import Flags, Floats

BINS = 10
ALPHA = 0.1


class Bin(NamedTuple):
    """Predictions of about the same size: their mean, how often it came true, how many."""

    predicted: float
    observed: float
    times: int


class Fit(NamedTuple):
    """A monotone curve from a score to an outcome, and the outcome where there is no score."""

    at: Floats
    value: Floats
    missing: float

    def __call__(self, score: Floats) -> Floats:
        """The curve at each score; scores may be NaN."""
        found = np.interp(np.nan_to_num(score), self.at, self.value)
        return np.where(np.isnan(score), self.missing, found)


def fit(score: Floats, outcome: Floats) -> Fit:
    """The best rising curve from score to outcome (isotonic least squares), NaN set apart."""
    known = ~np.isnan(score)
    overall = float(outcome.mean())
    missing = float(outcome[~known].mean()) if (~known).any() else overall
    if not known.any():
        return Fit(np.array([0.0]), np.array([overall]), missing)
    order = np.argsort(score[known], kind="stable")
    at, first = np.unique(score[known][order], return_index=True)
    sorted_outcome = outcome[known][order]
    counts = np.diff([*first, len(sorted_outcome)])
    means = np.add.reduceat(sorted_outcome, first) / counts
    value = isotonic_regression(means, weights=counts).x
    return Fit(at, value, missing)


def brier(chance: Floats, happened: Floats) -> float:
    """The mean squared error of chances."""
    return float(np.mean((chance - happened) ** 2))


def brier_skill(chance: Floats, happened: Floats, base: float) -> float:
    """How much better than always saying `base`: 1 is perfect, 0 is no better."""
    return 1.0 - brier(chance, happened) / brier(np.full_like(chance, base), happened)


def auc(score: Floats, happened: Flags) -> float:
    """The chance that a random case scores above a random other one; ties count half."""
    values, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    del values
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    cases = int(happened.sum())
    others = len(happened) - cases
    if not cases or not others:
        return float("nan")
    return float((ranks[happened].sum() - cases * (cases + 1) / 2.0) / (cases * others))


def reliability(chance: Floats, happened: Floats, bins: int = BINS) -> list[Bin]:
    """Predictions in bins of equal width, empty ones left out."""
    place = np.minimum((chance * bins).astype(int), bins - 1)
    return [
        Bin(float(chance[mine].mean()), float(happened[mine].mean()), int(mine.sum()))
        for mine in (place == number for number in range(bins))
        if mine.any()
    ]


def calibration_error(chance: Floats, happened: Floats, bins: int = BINS) -> float:
    """The mean distance of said and seen over the bins, weighted by how often each was said."""
    found = reliability(chance, happened, bins)
    off = sum(abs(each.predicted - each.observed) * each.times for each in found)
    return off / len(chance)


def interval_score(bounds: Floats, truth: Floats) -> float:
    """Width, and 2 / alpha times what a miss misses by: lower is better, for 90 % intervals.

    `bounds` is low and high, one row each.
    """
    low, high = bounds
    missed = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
    return float(np.mean(high - low + 2.0 / ALPHA * missed))
