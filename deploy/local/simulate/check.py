"""Whether the interval of T and P(T is low) hold what they say, in one world or in others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from deploy.local.simulate.follow import sample
from deploy.local.simulate.gather import sample_days
from deploy.local.simulate.metrics import calibration_error
from deploy.local.simulate.nature import DEFAULT, Nature
from deploy.local.simulate.story import Story
from services.insights.domain.model import Model

# Worlds that the constants were not fitted on, each off the usual one in one way.
OTHER_WORLDS: Mapping[str, Nature] = {
    "as it is": DEFAULT,
    "nobody attacks": replace(DEFAULT, attackers=0.0),
    "better people": replace(DEFAULT, mean=1.4),
    "worse people": replace(DEFAULT, mean=0.4),
    "drift three times as fast": replace(DEFAULT, drift_days=40.0, drift_spread=0.8),
    "little drift, no ruptures": replace(DEFAULT, drift_spread=0.2, ruptures_per_year=0.0),
    "facets more alike": replace(DEFAULT, pair_share=0.4, direction_share=0.45),
    "facets less alike": replace(DEFAULT, pair_share=0.12, direction_share=0.18),
    "people more alike": replace(DEFAULT, spread=0.6),
    "people less alike": replace(DEFAULT, spread=1.5),
}


class Honesty(NamedTuple):
    """Of 90 % intervals the share that covers T, their mean width, and how far P(T low) is off."""

    coverage: float
    width: float
    calibration_error: float
    asked: int


def honesty(stories: Iterable[Story], model: Model) -> Honesty:
    """Over every direction of every pair, every fortnight from the first month on."""
    said, true = [], []
    for story in stories:
        days = sample_days(story)
        said.append(sample(story, model, days).reshape(-1, 3))
        true.append(story.truth[:, list(days)].ravel())
    (low, high, chance), truth = np.concatenate(said).T, np.concatenate(true)
    return Honesty(
        coverage=float(((low <= truth) & (truth <= high)).mean()),
        width=float((high - low).mean()),
        calibration_error=calibration_error(chance, (truth < model.low_below).astype(float)),
        asked=len(truth),
    )
