"""From stories to tables of what each model said and what was true. Scores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deploy.local.simulate.follow import Track, follow, sample
from deploy.local.simulate.latent import Flags, Floats
from deploy.local.simulate.nature import SIDES
from deploy.local.simulate.rivals import RIVALS
from deploy.local.simulate.story import Story
from services.insights.domain.model import Model

OURS = "Trustfold"
MODELS = (OURS, *RIVALS)
FIRST_SAMPLE_DAY, SAMPLE_EVERY_DAYS = 28, 14
HORIZON_DAYS = 60

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Told:
    """One pair: its story, our track and samples, and each rival's score, [side, day]."""

    story: Story
    track: Track
    samples: Floats
    rivals: Mapping[str, Floats]

    def score(self, model: str) -> Floats:
        """The score by which a model ranks directions, higher is better."""
        return self.track.score if model == OURS else self.rivals[model]


@dataclass(frozen=True)
class Rows:
    """Rows of one kind. `scores` has a column for each of MODELS; `extra` is ours alone."""

    pair: Numbers
    group: Numbers
    truth: Floats
    scores: Mapping[str, Floats]
    extra: Floats

    @property
    def fitting(self) -> Flags:
        """Which rows curves may be fitted on; the others are scored. Both groups are in both."""
        found: Flags = self.pair // 2 % 2 == 0
        return found

    def where(self, wanted: Flags) -> Rows:
        """Some of the rows."""
        scores = {name: column[wanted] for name, column in self.scores.items()}
        return Rows(
            self.pair[wanted], self.group[wanted], self.truth[wanted], scores, self.extra[wanted]
        )


# Of which pair, what was true, what each of MODELS said, and what else is known.
Row = tuple[Told, float, tuple[float, ...], tuple[float, ...]]


def tell(
    stories: Iterable[Story], model: Model, said: Callable[[int], None] = lambda _: None
) -> list[Told]:
    """Let every model follow every story. `said` is called with how many are done."""
    found = []
    for story in stories:
        days = sample_days(story)
        rivals = {name: rival(story) for name, rival in RIVALS.items()}
        track, samples = follow(story, model), sample(story, model, days)
        # The facts have been read, and they are most of the memory.
        found.append(Told(replace(story, events=[]), track, samples, rivals))
        said(len(found))
    return found


def sample_days(story: Story) -> range:
    """The mornings on which a living pair is asked about."""
    return range(FIRST_SAMPLE_DAY, story.last + 1, SAMPLE_EVERY_DAYS)


def directions(told: Iterable[Told]) -> Rows:
    """Each direction on each sampled morning; `truth` is T, `extra` low, high, P(T < .5)."""
    rows: list[Row] = []
    for each in told:
        for place, day in enumerate(sample_days(each.story)):
            for side in range(SIDES):
                said = tuple(each.samples[side, place].tolist())
                rows.append((each, each.story.truth[side, day], _at(each, side, day), said))
    return _rows(rows)


def endings(told: Iterable[Told]) -> Rows:
    """Each pair on each sampled morning; `truth` is whether it ends early in 60 days.

    Of two directions the lower one speaks, in every model; `extra` is the lower true T.
    """
    rows: list[Row] = []
    for each in told:
        story = each.story
        for day in sample_days(story):
            # Whether it ended in time must have been there to be seen.
            if day + HORIZON_DAYS > (story.facets.shape[-1] - 1 if story.early else story.last):
                continue
            lower = np.fmin(*(np.array(_at(each, side, day)) for side in range(SIDES)))
            soon = story.early and story.last - day <= HORIZON_DAYS
            true = (float(story.truth[:, day].min()),)
            rows.append((each, float(soon), tuple(lower.tolist()), true))
    return _rows(rows)


def promises(told: Iterable[Told]) -> Rows:
    """Each real promise on the morning of the day it was made; `truth`: it was in truth kept.

    Ours is asked for reliability, the facet; the rivals have one number for all.
    """
    rows: list[Row] = []
    for each in told:
        for promise in each.story.promises:
            day = int(promise.made)
            if FIRST_SAMPLE_DAY <= day <= each.story.last:
                _, *others = _at(each, promise.side, day)
                ours = each.track.reliability[promise.side, day]
                rows.append((each, float(promise.good), (ours, *others), ()))
    return _rows(rows)


def _at(each: Told, side: int, day: int) -> tuple[float, ...]:
    return tuple(float(each.score(model)[side, day]) for model in MODELS)


def _rows(rows: Sequence[Row]) -> Rows:
    columns = np.array([scores for _, _, scores, _ in rows])
    return Rows(
        pair=np.array([each.story.pair.number for each, *_ in rows]),
        group=np.array([each.story.pair.group for each, *_ in rows]),
        truth=np.array([truth for _, truth, *_ in rows]),
        scores={model: columns[:, place] for place, model in enumerate(MODELS)},
        extra=np.array([extra for *_, extra in rows]),
    )
