"""The truth: how each side of each pair really is, day by day. Pure but for its generator.

Six facets a direction between 0 and 1. They share what the pair and the person share, drift as an
Ornstein-Uhlenbeck walk, fall at ruptures and come back: soon where there was a repair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deploy.local.simulate.nature import FACETS, SIDES, H, Nature, R

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WEAKEST_SHARE = 0.25
YEAR_DAYS = 365.0
# A rupture is about what was promised and said, and spoils the rest by half.
RUPTURED = np.full(FACETS, 0.5)
RUPTURED[[R, H]] = 1.0
DRIFT_SHARED = 0.5
REPAIR_WINDOW_DAYS = 21


class Latent(NamedTuple):
    """`facets` is [pair, side, facet, day]; `mending` is [pair, side, day]: a repair is due."""

    facets: Floats
    mending: Flags


def composite(facets: Floats, axis: int) -> Floats:
    """The true T: the model's own composite, of facets that are all known."""
    mean, least = facets.mean(axis=axis), facets.min(axis=axis)
    found: Floats = (1.0 - WEAKEST_SHARE) * mean + WEAKEST_SHARE * least
    return found


def draw(rng: np.random.Generator, nature: Nature, pairs: int, days: int) -> Latent:
    """The truth about so many ordinary pairs, for days 0 to `days`."""
    level = _levels(rng, nature, pairs)[..., None] + _drift(rng, nature, pairs, days)
    fallen, mending = _ruptures(rng, nature, pairs, days)
    level -= fallen[:, :, None, :] * RUPTURED[:, None]
    return Latent(1.0 / (1.0 + np.exp(-level)), mending)


def _levels(rng: np.random.Generator, nature: Nature, pairs: int) -> Floats:
    own = 1.0 - nature.pair_share - nature.direction_share
    mixed: Floats = (
        np.sqrt(nature.pair_share) * rng.standard_normal((pairs, 1, 1))
        + np.sqrt(nature.direction_share) * rng.standard_normal((pairs, SIDES, 1))
        + np.sqrt(own) * rng.standard_normal((pairs, SIDES, FACETS))
    )
    return nature.mean + nature.spread * mixed


def _drift(rng: np.random.Generator, nature: Nature, pairs: int, days: int) -> Floats:
    keep = np.exp(-1.0 / nature.drift_days)
    shared, own = np.sqrt(DRIFT_SHARED), np.sqrt(1.0 - DRIFT_SHARED)
    walk = np.empty((pairs, SIDES, FACETS, days + 1))
    now = _noise(rng, pairs, shared, own)
    for day in range(days + 1):
        walk[..., day] = now
        now = keep * now + np.sqrt(1.0 - keep * keep) * _noise(rng, pairs, shared, own)
    return nature.drift_spread * walk


def _noise(rng: np.random.Generator, pairs: int, shared: float, own: float) -> Floats:
    together = rng.standard_normal((pairs, SIDES, 1))
    found: Floats = shared * together + own * rng.standard_normal((pairs, SIDES, FACETS))
    return found


def _ruptures(
    rng: np.random.Generator, nature: Nature, pairs: int, days: int
) -> tuple[Floats, Flags]:
    """How far each direction is down on each day, and where who broke it is putting it right."""
    shape = (pairs, SIDES, days + 1)
    struck = rng.random(shape) < nature.ruptures_per_year / YEAR_DAYS
    repaired = rng.random(shape) < nature.repaired_share
    depth = np.where(struck, rng.uniform(*nature.rupture_depth, shape), 0.0)
    soon = _fading(np.where(repaired, depth, 0.0), nature.repaired_within_days)
    slowly = _fading(np.where(repaired, 0.0, depth), nature.unrepaired_fades_days)
    mending = _fading((struck & repaired).astype(float), REPAIR_WINDOW_DAYS) > np.exp(-1.0)
    return soon + slowly, mending


def _fading(struck: Floats, days: float) -> Floats:
    keep, down = np.exp(-1.0 / days), np.zeros(struck.shape[:2])
    found = np.empty_like(struck)
    for day in range(struck.shape[2]):
        down = keep * down + struck[..., day]
        found[..., day] = down
    return found
