"""The assignment problem, solved by SciPy: coverage first, then fit, then the smaller ids.

At the edge because it needs arrays; it knows no rule of matching and touches nothing outside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

# Mentees times places. Up to here every cost below is exact in a float64, and a run takes seconds.
MAX_CELLS = 1_000_000


def assign(fits: Sequence[Sequence[int]], free_places: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of (row, column) with a positive fit; no column more often than it has places.

    Deterministic. As many rows as possible are placed; among those answers the sum of fits is the
    largest; among those the sum of row and column numbers is the smallest.
    """
    rows, columns = len(fits), len(free_places)
    if not rows or not columns:
        return []
    # A mentor with three places is three equal columns; more places than mentees are never used.
    owner = np.repeat(np.arange(columns), np.minimum(free_places, rows))
    fit = np.asarray(fits, dtype=np.int64)[:, owner]
    most = min(fit.shape)
    ties = np.arange(rows)[:, None] + owner[None, :]
    # Three aims in one whole number: one unit of an aim outweighs all that those after it can add.
    per_fit = most * (rows + columns) + 1
    per_place = most * int(fit.max(initial=0)) * per_fit + per_fit
    gain = np.where(fit > 0, per_place + fit * per_fit - ties, 0)
    chosen = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return [(int(row), int(owner[slot])) for row, slot in chosen if fit[row, slot] > 0]
