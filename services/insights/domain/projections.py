"""Who may see what: one judgement, rendered for services, for the pair, for a manager. Pure.

Whatever a person may see is made from the observable scope alone, as of its own newest evidence,
so that no private answer, not even its date, can be read out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.insights.domain import beta
from services.insights.domain.bands import Band, bands_of, needs_past
from services.insights.domain.evidence import Evidence, from_us
from services.insights.domain.explain import codes, strongest
from services.insights.domain.model import FACETS, SIDES
from services.insights.domain.opinion import composites, opinions, standing_of
from services.insights.domain.state import PairState
from services.insights.domain.trust import DirectionTrust, conclude
from services.insights.domain.weights import Scope, Tally
from shared.events import insights as wire
from shared.ids import PairId, PersonId

# What is published is rounded: the last bits of a sum depend on the order of arrival.
DIGITS = 6
NAMES = tuple(facet.name for facet in FACETS)


class Subject(NamedTuple):
    """Whose trust it is."""

    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId


class Draft(NamedTuple):
    """A pair's sums in both scopes, as of the newest evidence of each; not judged yet."""

    subject: Subject
    state: PairState
    counted: Tally
    shared: Tally

    @property
    def wanted(self) -> list[beta.Parameters]:
        """What `finish` needs the intervals of, in this order."""
        model = self.state.model
        return opinions(self.counted, model) + composites(self.shared, model)

    @property
    def needs_past(self) -> bool:
        """Whether `finish` needs the pair's evidence, too."""
        model = self.state.model
        return needs_past(self.counted, model) or needs_past(self.shared, model)


def draft(subject: Subject, state: PairState) -> Draft:
    """The sums of a pair, which must have evidence."""
    newest, shared = state.newest(), state.newest(Scope.SHARED)
    assert newest is not None
    shared_us = newest if shared is None else shared
    return Draft(subject, state, state.tally(newest), state.tally(shared_us, Scope.SHARED))


def finish(
    drafted: Draft, intervals: Sequence[beta.Interval], evidence: Sequence[Evidence]
) -> wire.TrustChanged:
    """The fact, from the intervals of `drafted.wanted` and, if it needs the past, all evidence."""
    subject, state, counted, seen = drafted
    model, sides = state.model, len(SIDES)
    bands = bands_of(counted, model, evidence, Scope.EVERYTHING)
    trust = conclude(counted, model, intervals[:-sides], bands)
    bands = bands_of(seen, model, evidence, Scope.SHARED)
    mentor, mentee = (
        _shared(drafted, side, intervals[side - sides], bands[side]) for side in range(sides)
    )
    newest = state.newest(Scope.SHARED)
    shared_as_of = None if newest is None else from_us(newest)
    gap = trust.gap
    # Validated in one go: a pair is published for each change, and parts one by one cost twice.
    return wire.TrustChanged.model_validate(
        {
            **subject._asdict(),
            "model": model.name,
            "revision": state.revision,
            "as_of": from_us(counted.at_us),
            "half_life_days": trust.half_life_days,
            "health": rounded(trust.health),
            "gap": None if gap is None else rounded(gap),
            "about_mentor": full(trust.about_mentor),
            "about_mentee": full(trust.about_mentee),
            "partner_safe": {
                "as_of": shared_as_of,
                "about_mentor": mentor,
                "about_mentee": mentee,
            },
        }
    )


def trust_changed(
    subject: Subject, state: PairState, evidence: Sequence[Evidence]
) -> wire.TrustChanged:
    """The newest trust of one pair, as it is published."""
    drafted = draft(subject, state)
    return finish(drafted, [beta.interval(each) for each in drafted.wanted], evidence)


def full(direction: DirectionTrust) -> dict[str, Any]:
    """One direction with everything in it, as `wire.DirectionTrust`: for services alone."""
    return {
        "score": rounded(direction.score),
        "low": rounded(direction.low),
        "high": rounded(direction.high),
        "band": direction.band,
        "facets": {
            name: {
                "r": round(r, DIGITS),
                "s": round(s, DIGITS),
                "score": round(score, DIGITS),
                "low": round(low, DIGITS),
                "high": round(high, DIGITS),
            }
            for name, (r, s, score, low, high) in zip(NAMES, direction.facets, strict=True)
        },
    }


def _shared(drafted: Draft, side: int, interval: beta.Interval, band: Band) -> dict[str, Any]:
    """One direction as the pair may see it."""
    seen, model = drafted.shared, drafted.state.model
    _, _, score, weakest = standing_of(seen, model, side)
    reasons = strongest(drafted.state, seen.at_us, side)
    up, down = codes(r for r in reasons if r.delta > 0), codes(r for r in reasons if r.delta < 0)
    return {
        "score": rounded(score),
        "low": rounded(interval[0]),
        "high": rounded(interval[1]),
        "band": band,
        "top_reason": reasons[0].code if reasons else None,
        "weakest": None if weakest is None else NAMES[weakest],
        "up": up,
        "down": down,
    }


def rounded(value: float) -> float:
    """As many digits as are published."""
    return round(value, DIGITS)
