"""What would help a person next, in words. Reads only what may be shown; holds no number. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.sessions.domain.pair import Pair, Side
from shared.events.insights import Facet, PartnerSafe
from shared.ids import PersonId


@dataclass(frozen=True, slots=True)
class Advice:
    """A next step: one of the six ways to build trust, as the text puts it."""

    facet: Facet
    title: str
    words: str


_WORDS: dict[Facet, tuple[str, str]] = {
    "E": (
        "Set clear expectations",
        "Be clear about what you hope to achieve from the mentoring relationship: set goals,"
        " discuss expectations around communication and feedback, and agree on how often to meet.",
    ),
    "L": (
        "Listen actively",
        "Aim to really hear and understand each other’s perspectives, concerns, and goals: put"
        " aside distractions and actively engage with what the other person is saying.",
    ),
    "H": (
        "Communicate honestly and openly",
        "Be willing to share fears and uncertainties, and to provide constructive feedback.",
    ),
    "R": (
        "Be reliable",
        "Follow through on commitments and deliver on promises. If there are unforeseen"
        " circumstances that prevent this, communication is key.",
    ),
    "B": (
        "Respect boundaries",
        "Honor agreed-upon meeting times and communication channels, and do not push the other"
        " person beyond their comfort zone.",
    ),
    "P": (
        "Build rapport",
        "Find common interests, share personal anecdotes, and be open about your own experiences:"
        " it helps both of you feel more comfortable with each other.",
    ),
}
# Where the text asks something else of a mentor than of a mentee.
_OF_SIDE: dict[tuple[Facet, Side], str] = {
    ("H", "mentor"): "Be willing to provide constructive feedback and guidance, and do not withhold"
    " information.",
    ("H", "mentee"): "Be willing to share your fears and uncertainties, and do not withhold"
    " information.",
    ("P", "mentor"): "Find common interests, share personal anecdotes, and be open about your own"
    " experiences: share valuable insights and experiences that the mentee can learn from.",
}
ADVICE = {facet: Advice(facet, *words) for facet, words in _WORDS.items()}
CODES: dict[Facet, str] = {
    "E": "set_clear_expectations",
    "L": "listen_actively",
    "H": "communicate_honestly",
    "R": "be_reliable",
    "B": "respect_boundaries",
    "P": "build_rapport",
}


def advice_of(facet: Facet, side: Side) -> Advice:
    """One of the six ways, in the words for that side."""
    advice = ADVICE[facet]
    return replace(advice, words=_OF_SIDE.get((facet, side), advice.words))


def next_step(
    pair: Pair, person: PersonId, trust: PartnerSafe | None, *, agreed: bool
) -> Advice | None:
    """What `person` could do next, or None when nothing stands out.

    The weakest facet is the one about themselves: what they can change. A pair of which nothing is
    known yet and that has agreed on nothing begins with the first of the six.
    """
    weakest: Facet | None = None
    if trust is not None:
        about = trust.about_mentor if pair.side_of(person) == "mentor" else trust.about_mentee
        weakest = about.weakest
    if weakest is None and not agreed:
        weakest = "E"
    return advice_of(weakest, pair.side_of(person)) if weakest else None
