"""Introductions: one member of a pair opens their network to the other. Pure.

    offered --partner and contact both say yes--> made --either of them--> concluded
       |--no answer by `until`, or a no---------> lapsed, at `until`
       `--the pair ends-------------------------> lapsed

A no is never told: to everybody else it is as if nothing had been said, in state, in time and in
what can be done. So it is when trust stops being steady, or the two would rather not meet: nothing
is made, and it lapses as if nobody had answered. What was said is forgotten when it lapses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypedDict

from services.matching.domain.decision import Decision
from services.matching.domain.guidance import PairTrust
from services.matching.domain.pair import Actor, Pair, check_visible
from shared.errors import Conflict, Forbidden, NotFound, Rejected
from shared.events.matching import (
    IntroductionConcluded,
    IntroductionLapsed,
    IntroductionMade,
    IntroductionOffered,
)
from shared.ids import IntroductionId, PairId, PersonId

ANSWER_WITHIN = timedelta(days=14)
# Of one pair at a time: an introduction is a favour, not a mailing.
MAX_OPEN = 3
# Nobody is asked about the same pair again before, whatever became of it.
REST = timedelta(days=90)
# The text's own words, and the same for everybody: never a score, and never whose side it is.
NOT_YET = (
    "Building trust doesn't happen overnight: it takes time, effort, and a willingness to be open"
    " and honest with each other. When both parties trust each other, they can introduce each"
    " other to their networks."
)

State = Literal["offered", "made", "lapsed", "concluded"]
Says = Literal["yes", "no"]
Outcome = Literal["met", "not_met", "useful"]
Action = Literal["accept", "decline", "outcome"]


class NotYet(Conflict):
    """Introductions come with trust, and trust takes time."""

    slug = "not-yet"


class PairNotRunning(Conflict):
    """Introductions are between the members of a pair that has started and not ended."""

    slug = "pair-not-running"


class TooManyIntroductions(Conflict):
    """The pair has as many introductions waiting as it can have."""

    slug = "too-many-introductions"


class OfferedAlready(Conflict):
    """This person has been asked about your pair not long ago."""

    slug = "offered-already"


class IntroductionClosed(Conflict):
    """The introduction is over, or not there yet."""

    slug = "introduction-closed"


@dataclass(frozen=True, slots=True)
class Introduction:
    """`offered_by` would introduce the other member to `contact`. `about` is a code."""

    introduction_id: IntroductionId
    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId
    offered_by: PersonId
    contact: PersonId
    about: str
    offered_at: datetime
    until: datetime
    state: State = "offered"
    partner_says: Says | None = None
    contact_says: Says | None = None
    stopped: bool = False
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    revision: int = 1

    @property
    def partner(self) -> PersonId:
        """The member who would be introduced."""
        return self.mentee_id if self.offered_by == self.mentor_id else self.mentor_id

    @property
    def introduced(self) -> tuple[PersonId, PersonId]:
        return self.partner, self.contact

    def said_by(self, person: PersonId) -> Says | None:
        """What this person answered; only they are ever shown it."""
        if person == self.partner:
            return self.partner_says
        return self.contact_says if person == self.contact else None


@dataclass(frozen=True, slots=True)
class Offer:
    """Whom to introduce the other member to, what it is about, and the id it shall have."""

    introduction_id: IntroductionId
    contact: PersonId
    about: str


@dataclass(frozen=True, slots=True)
class Known:
    """How the pair stands, how many of its introductions wait, and when the contact was asked."""

    trust: PairTrust | None
    open: int = 0
    last_offered_at: datetime | None = None


def is_steady(trust: PairTrust | None) -> bool:
    """Whether trust is steady in both directions. What nobody knows yet is not."""
    return trust is not None and trust.about_mentor.band == trust.about_mentee.band == "steady"


def offer(
    pair: Pair, by: PersonId, wish: Offer, known: Known, now: datetime
) -> Decision[Introduction]:
    """Offer to introduce the other member to a contact.

    Raises NotFound, PairNotRunning, Rejected, NotYet, OfferedAlready or TooManyIntroductions.
    """
    check_visible(pair, Actor(by, oversees=False))
    if pair.state != "started":
        raise PairNotRunning
    if wish.contact in pair.members:
        raise Rejected("the contact is somebody besides the two of you", field="contact")
    if not is_steady(known.trust):
        raise NotYet(NOT_YET)
    if known.last_offered_at is not None and now < known.last_offered_at + REST:
        raise OfferedAlready
    if known.open >= MAX_OPEN:
        raise TooManyIntroductions
    it = Introduction(
        introduction_id=wish.introduction_id,
        pair_id=pair.pair_id,
        mentor_id=pair.mentor_id,
        mentee_id=pair.mentee_id,
        offered_by=by,
        contact=wish.contact,
        about=wish.about,
        offered_at=now,
        until=now + ANSWER_WITHIN,
    )
    fact = IntroductionOffered(**_names(it), by=by, contact=it.contact, until=it.until)
    return Decision(it, (fact,))


def accept(
    it: Introduction, by: PersonId, now: datetime, *, can_be: bool
) -> Decision[Introduction]:
    """One of the two says yes; with the second yes it is made.

    Where it cannot be, it is not, and nobody is told: `can_be` is that the pair is running, trust
    is steady, and neither would rather not meet the other. Raises as `decline` does.
    """
    _require(it, by, now, "accept")
    if it.state == "made":
        return Decision(it)
    it = _said(it, by, "yes")
    if it.partner_says != "yes" or it.contact_says != "yes" or it.stopped:
        return Decision(it)
    if not can_be:
        return Decision(replace(it, stopped=True))
    it = replace(it, state="made", closed_at=now)
    return Decision(it, (IntroductionMade(**_names(it), by=it.offered_by),))


def decline(it: Introduction, by: PersonId, now: datetime) -> Decision[Introduction]:
    """One of the two says no, which is told to nobody. They may think better of it.

    Raises NotFound, Forbidden for who offers it, or IntroductionClosed.
    """
    _require(it, by, now, "decline")
    return Decision(_said(it, by, "no"))


def conclude(
    it: Introduction, by: PersonId, outcome: Outcome, now: datetime
) -> Decision[Introduction]:
    """One of the two who were introduced says what became of it: the first word is the word.

    Raises NotFound, Forbidden or IntroductionClosed.
    """
    _require_introduced(it, by)
    if it.state == "concluded" and it.outcome == outcome:
        return Decision(it)
    _require(it, by, now, "outcome")
    it = replace(it, state="concluded", outcome=outcome)
    fact = IntroductionConcluded(**_names(it), outcome=outcome, concluded_at=now)
    return Decision(it, (fact,))


def lapse(it: Introduction, at: datetime) -> Decision[Introduction]:
    """What is so at `until`, or once the pair has ended: nothing came of it."""
    if it.state != "offered":
        return Decision(it)
    fact = IntroductionLapsed(**_names(it), lapsed_at=at)
    it = replace(it, state="lapsed", closed_at=at, partner_says=None, contact_says=None)
    return Decision(it, (fact,))


def by_now(it: Introduction, ended_at: datetime | None, now: datetime) -> Introduction:
    """The introduction as time has left it, swept or not; `ended_at` is when the pair ended."""
    over = min((at for at in (it.until, ended_at) if at is not None), default=it.until)
    return lapse(it, over).thing if now >= over else it


def possible(it: Introduction, by: PersonId, now: datetime) -> tuple[Action, ...]:
    """What a person may do with it now. It does not depend on what anybody else has said."""
    if by not in it.introduced:
        return ()
    if it.state == "made":
        return ("outcome",)
    return ("accept", "decline") if it.state == "offered" and now < it.until else ()


def check_visible_to(it: Introduction, person: PersonId) -> None:
    """Raise NotFound for everybody but the three it is about."""
    if person not in (it.offered_by, *it.introduced):
        raise NotFound


def _said(it: Introduction, by: PersonId, says: Says) -> Introduction:
    return replace(it, partner_says=says) if by == it.partner else replace(it, contact_says=says)


def _require_introduced(it: Introduction, by: PersonId) -> None:
    check_visible_to(it, by)
    if by not in it.introduced:
        raise Forbidden("this is for the two who would be introduced")


def _require(it: Introduction, by: PersonId, now: datetime, action: Action) -> None:
    _require_introduced(it, by)
    allowed = possible(it, by, now)
    # A second yes to what is made is no error: it is so already.
    if action not in allowed and not (action == "accept" and it.state == "made"):
        raise IntroductionClosed(allowed=allowed)


class _Names(TypedDict):
    introduction_id: IntroductionId
    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId


def _names(it: Introduction) -> _Names:
    return _Names(
        introduction_id=it.introduction_id,
        pair_id=it.pair_id,
        mentor_id=it.mentor_id,
        mentee_id=it.mentee_id,
    )
