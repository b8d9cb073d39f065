"""When each model would have raised an alarm, how often it was right, how early it came. Pure.

One rule for all: two mornings in a row. Ours is the model's own; a rival's threshold is the one
that raises about as many alarms as ours does, on the half that curves are fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deploy.local.simulate.gather import MODELS, OURS, Numbers, Told
from deploy.local.simulate.latent import Flags, Floats
from services.insights.domain.model import Model

ALARMED_ABOVE = 0.8
QUIET_DAYS = 14
BEFORE_END_DAYS = 120
LOW = 0.5
# The shares of mornings between which a rival's threshold is looked for, and how many are tried.
TRIED_SHARES = (0.0003, 0.1, 30)
TIE, GOLDEN = 1e-6, 0.6180339887498949


class Alarms(NamedTuple):
    """What one model's alarms were worth, by pair: each row is a pair.

    An alarm is `right` when the lower true T was low on that morning. `lead` is days from
    the first alarm of the last 120 days to an early end, NaN without one; `ended` marks early ends.
    """

    raised: Floats
    right: Floats
    lead: Floats
    ended: Flags

    def precision(self, pairs: Numbers) -> float:
        """The share of alarms that were right."""
        raised = float(self.raised[pairs].sum())
        return float(self.right[pairs].sum()) / raised if raised else float("nan")

    def lead_days(self, pairs: Numbers) -> float:
        """The median lead of the early ends that were announced."""
        lead = self.lead[pairs]
        return float(np.median(lead[~np.isnan(lead)])) if (~np.isnan(lead)).any() else float("nan")

    def announced(self, pairs: Numbers) -> float:
        """The share of early ends that an alarm came before."""
        ended = int(self.ended[pairs].sum())
        return float((~np.isnan(self.lead[pairs])).sum()) / ended if ended else float("nan")


def alarms(fitting: Sequence[Told], scored: Sequence[Told], model: Model) -> dict[str, Alarms]:
    """Each model's alarms over the pairs that are scored."""
    wanted = sum(len(episodes(_ours(each, model))) for each in fitting)
    found = {OURS: _judge(scored, [_ours(each, model) for each in scored])}
    for name in MODELS:
        if name != OURS:
            below = _threshold(fitting, name, wanted)
            found[name] = _judge(scored, [_theirs(each, name, below) for each in scored])
    return found


def _ours(told: Told, model: Model) -> Flags:
    track = told.track
    sure = (track.low_chance > ALARMED_ABOVE) & (track.evidence >= model.enough)
    found: Flags = np.any(sure, axis=0) & _alive(told)
    return found


def _theirs(told: Told, name: str, below: float) -> Flags:
    found: Flags = (_lower(told, name) <= below) & _alive(told)
    return found


def _threshold(fitting: Sequence[Told], name: str, wanted: int) -> float:
    """The score at or below which about `wanted` alarms are raised."""
    lower = [_lower(each, name)[: each.story.last + 1] for each in fitting]
    every = np.concatenate(lower)
    tried = np.quantile(every[~np.isnan(every)], np.geomspace(*TRIED_SHARES))
    raised = [sum(len(episodes(each <= below)) for each in lower) for below in tried.tolist()]
    return float(tried[int(np.argmin(np.abs(np.array(raised) - wanted)))])


def _lower(told: Told, name: str) -> Floats:
    """The lower direction's score. A coarse score ties many pairs: by lot, the same one always."""
    lot = told.story.pair.number * GOLDEN % 1.0
    found: Floats = np.fmin.reduce(told.score(name), axis=0) + TIE * lot
    return found


def _alive(told: Told) -> Flags:
    found: Flags = np.arange(told.story.facets.shape[-1]) <= told.story.last
    return found


def _judge(scored: Sequence[Told], flags: Sequence[Flags]) -> Alarms:
    raised, right, lead = (np.zeros(len(scored)) for _ in range(3))
    lead[:] = np.nan
    for place, (told, flag) in enumerate(zip(scored, flags, strict=True)):
        lower, story = told.story.truth.min(axis=0), told.story
        first = episodes(flag)
        raised[place] = len(first)
        right[place] = sum(lower[day] < LOW for day in first)
        held = flag & np.roll(flag, 1)
        days = np.flatnonzero(held[: story.last + 1])
        days = days[days >= story.last - BEFORE_END_DAYS]
        if story.early and len(days):
            lead[place] = story.last - days[0]
    return Alarms(raised, right, lead, np.array([told.story.early for told in scored]))


def episodes(flag: Flags) -> list[int]:
    """The mornings on which an alarm is raised: the second in a row, after two quiet weeks."""
    found: list[int] = []
    quiet = QUIET_DAYS
    for day in range(1, len(flag)):
        if flag[day] and flag[day - 1]:
            if quiet >= QUIET_DAYS:
                found.append(day)
            quiet = 0
        else:
            quiet += 1
    return found
