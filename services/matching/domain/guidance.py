"""Trust in words: what a band means and what would help next. Never a number, never a verdict.

The words are those of "Building Trust: The Foundation of Successful Mentoring"; they speak to the
one who can do something, and come from observable evidence alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from shared.events.insights import Band, Facet, SharedTrust


@dataclass(frozen=True, slots=True)
class Advice:
    """A next step: one of the six ways to build trust, as the text puts it."""

    facet: Facet
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How one side's behaviour stands, from what both could see."""

    band: Band
    weakest: Facet | None

    @property
    def words(self) -> str:
        return _BANDS[self.band]

    @property
    def next_step(self) -> Advice | None:
        """What would help most; where nothing is known yet, where the text begins."""
        if self.weakest is not None:
            return ADVICE[self.weakest]
        return ADVICE["E"] if self.band == "too_early" else None


@dataclass(frozen=True, slots=True)
class PairTrust:
    """Both directions of a pair: how far the mentor, and how far the mentee, can be trusted."""

    about_mentor: Standing
    about_mentee: Standing


def standing(trust: SharedTrust) -> Standing:
    """What matching keeps of one direction: the numbers are left behind."""
    return Standing(trust.band, trust.weakest)


_BANDS: Mapping[Band, str] = {
    "too_early": "Too early to tell: trust takes time.",
    "steady": "Trust is growing steadily.",
    "watch": "Worth a look: something could use attention.",
    "strained": "Under strain: a good moment to talk openly and find a way forward together.",
}

ADVICE: Mapping[Facet, Advice] = {
    "E": Advice(
        "E",
        "Set clear expectations",
        "Set goals together, discuss how you communicate and give feedback, and agree on how"
        " often to meet.",
    ),
    "L": Advice(
        "L",
        "Listen actively",
        "Aim to really hear and understand the other's perspectives, concerns and goals: put"
        " distractions aside and engage with what they are saying.",
    ),
    "H": Advice(
        "H",
        "Communicate honestly and openly",
        "Be willing to share fears and uncertainties, and to provide constructive feedback.",
    ),
    "R": Advice(
        "R",
        "Be reliable",
        "Follow through on commitments and deliver on promises. If unforeseen circumstances"
        " prevent this, communication is key.",
    ),
    "B": Advice(
        "B",
        "Respect boundaries",
        "Honor agreed-upon meeting times and communication channels, and do not push the other"
        " person beyond their comfort zone.",
    ),
    "P": Advice(
        "P",
        "Build rapport",
        "Find common interests, share personal anecdotes, and be open about your own experiences.",
    ),
}

# A facet or band that the contracts gain must be put into words here before it can be shown.
assert set(ADVICE) == set(get_args(Facet))
assert set(_BANDS) == set(get_args(Band))
