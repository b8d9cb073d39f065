"""Builders of evidence and histories, and Hypothesis' strategies for them. Holds no test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from services.insights.domain.evidence import DAY_US, About, Evidence, Kind, to_us
from services.insights.domain.model import V1
from services.insights.domain.trust import DirectionTrust, FacetTrust, fold

# A Monday: week limits fall on whole weeks from here.
DAY_0 = to_us(datetime(2026, 1, 5, tzinfo=UTC))
_ids = count(1)
TWO_SIDED = [
    Kind.AGREEMENT_SIGNED,
    Kind.AGREEMENT_REVIEWED,
    Kind.SESSION_HELD_SAID_ONE,
    Kind.SESSION_HELD_SAID_BOTH,
    Kind.GOAL_SET,
    Kind.GOAL_PROGRESSED,
]
MISSES = [Kind.COMMITMENT_MISSED, Kind.COMMITMENT_MISSED_TOLD, Kind.SESSION_NO_SHOW]
REPAIRS = [Kind.REPAIR_PROMISED, Kind.REPAIR_BROKEN, Kind.REPAIR_DELIVERED]
LEAVES = [Kind.LEAVE_STARTED, Kind.LEAVE_ENDED]
PRIVATE = [kind for kind, row in V1.rows.items() if row.private]


def on_day(
    day: float,
    kind: Kind,
    about: About = About.MENTOR,
    *,
    cadence: int = 0,
    shared: bool = False,
    ref: int = 0,
    id: int = 0,
) -> Evidence:
    """Something observed so many days after DAY_0; agreements and sessions are about both."""
    whom = About.BOTH if kind in TWO_SIDED else about
    detail = cadence if kind is Kind.AGREEMENT_SIGNED else int(shared)
    at_us = DAY_0 + round(day * DAY_US)
    return Evidence(UUID(int=id or next(_ids)), at_us, kind, whom, detail, ref)


def kept(days: Sequence[float], about: About = About.MENTOR) -> list[Evidence]:
    """A commitment kept on each of the days."""
    return [on_day(day, Kind.COMMITMENT_KEPT, about) for day in days]


def every_14_days(times: int) -> list[Evidence]:
    """The worked figures' history: one commitment kept every 14 days, from day 14."""
    return kept([14 * n for n in range(1, times + 1)])


def at_day(day: float) -> int:
    return DAY_0 + round(day * DAY_US)


def mentor(evidence: Sequence[Evidence], day: float) -> DirectionTrust:
    """How the mentor stands on a day."""
    return fold(evidence, V1, at_day(day)).about_mentor


def reliability(evidence: Sequence[Evidence], day: float) -> FacetTrust:
    """Facet R of the mentor on a day."""
    return mentor(evidence, day).facets[3]


def examples(wanted: int) -> settings:
    """So many under Hypothesis' default profile; a profile with more raises them all."""
    scale = settings.default.max_examples / 100 if settings.default else 1
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=int(wanted * scale), deadline=None, suppress_health_check=slow)


@st.composite
def histories(draw: st.DrawFn) -> list[Evidence]:
    """Up to 30 pieces of evidence over a year and a half, some at the very same instant.

    Whole and half days make week limits, half-lives and ties meet often; few sessions, promises and
    leaves make answers meet, misses be repaired and leaves overlap. In half of the histories
    everything happens within two months, so that answers meet often, too.
    """
    items = draw(st.lists(_ITEMS, min_size=1, max_size=30))
    dense = draw(st.booleans())
    return [
        on_day(
            day / 9 if dense else day,
            kind,
            about,
            cadence=cadence,
            shared=kind in PRIVATE and number % 7 == 0,
            ref=ref,
            id=number << 32 | place,
        )
        for place, (day, kind, about, cadence, ref, number) in enumerate(items)
    ]


_DAYS = st.integers(0, 1100).map(lambda half: half / 2) | st.floats(0, 550)
_SIDES = st.sampled_from([About.MENTOR, About.MENTEE])
# 15 days is the default half-life of 90; 7 and 10 are both clamped to 60.
_CADENCES = st.sampled_from([7, 10, 14, 15, 30, 60])
_KINDS = (
    st.sampled_from(list(Kind))
    | st.sampled_from(PRIVATE)
    | st.sampled_from([*MISSES, *REPAIRS])
    | st.sampled_from([Kind.COMMITMENT_KEPT, Kind.SESSION_HELD_SAID_BOTH])
)
_REFS = st.integers(0, 4)
_ITEMS = st.tuples(_DAYS, _KINDS, _SIDES, _CADENCES, _REFS, st.integers(1, 2**16))
