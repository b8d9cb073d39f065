"""What the simulated world is like: every number of the generator, in one place. Holds no logic.

Written down before any model was scored on it. Where something is published it is used: facets of
one direction correlate .6 (mentoring competencies: .49 to .92), the two directions of a pair .37
(leader and member, 64 samples), contact and support .25 (173 correlations).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.ids import TenantId

# A Monday; midnight, so that day n of the story begins n days later.
START = datetime(2026, 1, 5, tzinfo=UTC)
TENANT = TenantId("simulated")
PROGRAMME = "known-truth"
# Mentor and mentee, as `about_mentor` and `about_mentee` are ordered everywhere.
SIDES = 2
E, L, H, R, B, P = range(6)
FACETS = 6


@dataclass(frozen=True, slots=True)
class Nature:
    """Latent facets live on the logit scale; a share is of their variance between directions."""

    mean: float = 0.9
    spread: float = 1.0
    pair_share: float = 0.25
    direction_share: float = 0.35
    drift_spread: float = 0.5
    drift_days: float = 120.0
    ruptures_per_year: float = 0.6
    rupture_depth: tuple[float, float] = (1.0, 2.0)
    repaired_share: float = 0.5
    repaired_within_days: float = 15.0
    unrepaired_fades_days: float = 90.0
    # Behaviour: chances of one occasion.
    no_show: float = 0.2  # x (1 - R)
    cancels: float = 0.08
    crosses_boundary: float = 0.12  # x (1 - B)
    lies: float = 0.1  # x (1 - H), about a promise that was not kept
    answers: float = 0.6
    lenient: float = 0.1  # the share of deserved noes that become yeses, on average
    promises: float = 0.7
    outages_per_year: float = 4.0
    leaves_per_year: tuple[float, float] = (0.6, 1.2)  # full time, part time
    cadence_days: tuple[int, int] = (14, 28)
    attackers: float = 0.16  # shared equally by the four kinds
    # The chance of a day that a pair ends early: `ends` x e^(-steep (T - .6)) of the lower T.
    ends_per_year: float = 0.15
    ends_steep: float = 6.0
    leaves_company_per_year: float = 0.05


DEFAULT = Nature()
