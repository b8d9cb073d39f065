"""`python -m deploy.local.simulate.calibrate`: how the two constants of T's interval were found.

Chooses by likelihood of the true T on some seeds and says what holds on others. Changes nothing:
what it finds is written into the model by hand, with a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from scipy.stats import beta as beta_distribution

from deploy.local.progress import say
from deploy.local.simulate.check import honesty
from deploy.local.simulate.follow import COMPOSITE, evidence_about, mornings
from deploy.local.simulate.gather import sample_days
from deploy.local.simulate.nature import FACETS, SIDES
from deploy.local.simulate.world import stories
from services.insights.domain.model import V1, Model
from services.insights.domain.opinion import opinions
from services.insights.domain.weights import Tally

FITTED_ON, CHECKED_ON = (101, 102, 103, 104), (201, 202, 203)
PAIRS, DAYS = 150, 365
CORRELATIONS = (0.0, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5)
MARGINS = (0.0, 0.2, 0.3, 0.4)

Asked = tuple[Tally, int, float]


def asked(seeds: Iterable[int]) -> list[Asked]:
    """What is known and what is true, of each direction on each sampled morning."""
    found: list[Asked] = []
    for seed in seeds:
        for story in stories(seed, PAIRS, DAYS):
            for day, counted in mornings(evidence_about(story), V1, sample_days(story)):
                found += [(counted, side, story.truth[side, day]) for side in range(SIDES)]
    return found


def likelihood(rows: Sequence[Asked], model: Model) -> float:
    """The mean log likelihood of the truth under what is believed of T."""
    believed = [
        opinions(counted, model)[side * (FACETS + 1) + COMPOSITE] for counted, side, _ in rows
    ]
    alpha, beta_ = np.array(believed).T
    truth = np.array([true for *_, true in rows])
    return float(beta_distribution.logpdf(truth, alpha, beta_).mean())


def main() -> None:
    """Print the grid, and what the model's own constants hold."""
    rows = asked(FITTED_ON)
    say(f"{len(rows)} times asked, seeds {FITTED_ON}")
    for correlation, margin in product(CORRELATIONS, MARGINS):
        tried = replace(V1, facet_correlation=correlation, weakest_margin=margin)
        print(f"{correlation:.2f}  {margin:.2f}  {likelihood(rows, tried):.4f}", flush=True)
    for seeds in (FITTED_ON, CHECKED_ON):
        told = [story for seed in seeds for story in stories(seed, PAIRS, DAYS)]
        print(seeds, honesty(told, V1))


if __name__ == "__main__":
    main()
