"""What the model says about a simulated pair, morning by morning, from its facts alone. Pure.

It reads what the service reads: facts to evidence, evidence to the incremental state, the state to
a judgement. The truth is looked at nowhere here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deploy.local.simulate.latent import Floats
from deploy.local.simulate.nature import FACETS, SIDES, START, R
from deploy.local.simulate.story import Story
from deploy.local.simulate.world import evidence_of
from services.insights.domain import beta
from services.insights.domain.evidence import DAY_US, Evidence, to_us
from services.insights.domain.model import Model
from services.insights.domain.opinion import (
    evidence_of as amount_of,
)
from services.insights.domain.opinion import facet_opinions, opinions, probability_low, score_of
from services.insights.domain.state import PairState, refold
from services.insights.domain.weights import Tally

START_US = to_us(START)
# Where the composite stands among the opinions of one side.
COMPOSITE = FACETS


@dataclass(frozen=True)
class Track:
    """What the model said: [side, day], NaN once the pair has ended."""

    score: Floats
    reliability: Floats
    low_chance: Floats
    evidence: Floats


def mornings(
    evidence: Iterable[Evidence], model: Model, days: Iterable[int]
) -> Iterator[tuple[int, Tally]]:
    """The pair's tally at the midnight that begins each of the days, which must be in order."""
    waiting = sorted(evidence, key=lambda item: (item.at_us, item.event_id))
    state, taken = PairState(model), 0
    for day in days:
        at_us = START_US + day * DAY_US
        fresh = taken
        while fresh < len(waiting) and waiting[fresh].at_us <= at_us:
            fresh += 1
        if not all(map(state.absorb, waiting[taken:fresh])):
            state = refold(waiting[:fresh], model)
        taken = fresh
        yield day, state.tally(at_us)


def follow(story: Story, model: Model) -> Track:
    """The model's view of a pair on each morning of its life."""
    shape = (SIDES, story.facets.shape[-1])
    track = Track(*(np.full(shape, np.nan) for _ in range(4)))
    for day, counted in mornings(evidence_about(story), model, range(story.last + 1)):
        for side in range(SIDES):
            alpha, beta_ = facet_opinions(counted, model, side)[R]
            track.reliability[side, day] = alpha / (alpha + beta_)
            track.score[side, day] = score_of(counted, model, side)
            track.low_chance[side, day] = probability_low(counted, model, side)
            track.evidence[side, day] = amount_of(counted, side)
    return track


def sample(story: Story, model: Model, days: Sequence[int]) -> Floats:
    """What is said of T on each of the days: [side, day, (low, high, P(T is low))].

    Low and high are the ends of the 90 % interval; the days must lie in the pair's life.
    """
    found = np.full((SIDES, len(days), 3), np.nan)
    for place, (_, counted) in enumerate(mornings(evidence_about(story), model, days)):
        drafts = opinions(counted, model)
        for side in range(SIDES):
            bounds = beta.interval(drafts[side * (FACETS + 1) + COMPOSITE])
            found[side, place] = (*bounds, probability_low(counted, model, side))
    return found


def evidence_about(story: Story) -> list[Evidence]:
    """The evidence about a story's pair."""
    return evidence_of(story.events).get(story.pair.pair_id, [])
