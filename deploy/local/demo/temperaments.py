"""How people behave in the demo's story, as chances. Data only; nothing here happens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nature:
    """One side's ways: what becomes of a promise, and what is said of a session.

    What is left of one after `keep`, `warn` and `tell` is silence. `yes` is how often the OTHER
    side answers yes about this one in private.
    """

    keep: float
    warn: float
    tell: float
    confirm: float
    yes: float


DEPENDABLE = Nature(keep=0.95, warn=0.04, tell=0.01, confirm=0.98, yes=0.95)
CONSIDERATE = Nature(keep=0.62, warn=0.34, tell=0.03, confirm=0.96, yes=0.90)
FORGETFUL = Nature(keep=0.58, warn=0.06, tell=0.20, confirm=0.85, yes=0.70)
SILENT = Nature(keep=0.12, warn=0.00, tell=0.05, confirm=0.40, yes=0.25)


@dataclass(frozen=True, slots=True)
class Temperament:
    """A pair's character. `later` takes over at half time; after `meets_until` nobody meets."""

    name: str
    mentor: Nature
    mentee: Nature
    later: Nature | None = None
    meets_until: float = 1.0
    signs: bool = True


STEADY = Temperament("steady", DEPENDABLE, DEPENDABLE)
WARNS_AHEAD = Temperament("warns ahead", CONSIDERATE, CONSIDERATE)
FORGETS = Temperament("forgets sometimes", FORGETFUL, FORGETFUL)
GOES_SILENT = Temperament("silent", SILENT, SILENT)
RECOVERS = Temperament("recovering", SILENT, SILENT, later=DEPENDABLE)
ONE_SIDED = Temperament("one-sided", SILENT, DEPENDABLE)
DRIFTS = Temperament("drifts apart", DEPENDABLE, CONSIDERATE, meets_until=0.4)
UNAGREED = Temperament("never agreed", CONSIDERATE, FORGETFUL, signs=False)

# Most pairs do well. The first eight are all different, for a demo of few pairs.
CYCLE = (
    STEADY, GOES_SILENT, WARNS_AHEAD, RECOVERS, FORGETS, ONE_SIDED, DRIFTS, UNAGREED,
    STEADY, STEADY, WARNS_AHEAD, STEADY, FORGETS, STEADY, WARNS_AHEAD, STEADY,
    WARNS_AHEAD, STEADY, FORGETS, STEADY,
)  # fmt: skip


def temperament_of(pair: int) -> Temperament:
    """The character of the pair with this number."""
    return CYCLE[pair % len(CYCLE)]
