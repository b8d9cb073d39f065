"""Rules about pairs and what they agree on. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias, assert_never

from services.notifications.domain.message import Params
from services.notifications.domain.rules.said import (
    INVITATION_KEPT,
    NEWS_KEPT,
    Said,
    Settled,
    both,
    other,
    pair_thread,
    settled,
    side,
)
from shared.events.matching import (
    PairAccepted,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairStarted,
)
from shared.events.sessions import AgreementProposed, AgreementReviewed, AgreementSigned

PairTold: TypeAlias = PairProposed | PairStarted | PairEnded | AgreementProposed | AgreementSigned
PairSettling: TypeAlias = (
    PairAccepted
    | PairDeclined
    | PairExpired
    | PairStarted
    | PairEnded
    | AgreementProposed
    | AgreementSigned
    | AgreementReviewed
)
# How long before an answer is due one is asked again.
ASKED_AGAIN = timedelta(days=2)


def said_of_pairs(fact: PairTold, at: datetime) -> tuple[Said, ...]:
    """What is said of a pair's beginning, agreement and end."""
    thread = pair_thread(fact)
    about, two = fact.pair_id, both(fact)
    match fact:
        case PairProposed():
            return _proposed(fact, at)
        case PairStarted():
            return (Said("pair_started", two, about, thread, at, at + INVITATION_KEPT),)
        case PairEnded():
            return (Said("pair_ended", two, about, thread, at, at + INVITATION_KEPT),)
        case AgreementProposed():
            to = (other(fact, fact.by),)
            return (Said("agreement_proposed", to, about, thread, at, at + INVITATION_KEPT),)
        case AgreementSigned():
            return _signed(fact, at)
        case _:
            assert_never(fact)


def _proposed(fact: PairProposed, at: datetime) -> tuple[Said, ...]:
    # Who asked for it has said yes.
    to = both(fact) if fact.asked_by is None else (other(fact, fact.asked_by),)
    until = fact.answer_until or at + INVITATION_KEPT
    params: Params = {"answer_until_at": fact.answer_until.isoformat() if fact.answer_until else ""}
    thread = pair_thread(fact)
    asked = Said("pair_proposed", to, fact.pair_id, thread, at, until, params)
    again = until - ASKED_AGAIN
    if fact.answer_until is None or again <= at:
        return (asked,)
    return asked, Said("pair_waiting", to, fact.pair_id, thread, again, until, params)


def _signed(fact: AgreementSigned, at: datetime) -> tuple[Said, ...]:
    thread, two = pair_thread(fact), both(fact)
    terms: Params = {"cadence_days": fact.cadence_days, "notice_hours": fact.notice_hours}
    news = Said("agreement_signed", two, fact.pair_id, thread, at, at + INVITATION_KEPT, terms)
    review = datetime.combine(fact.review_on, time(), UTC) if fact.review_on else None
    if review is None or review <= at:
        return (news,)
    ends = review + NEWS_KEPT
    return news, Said("agreement_review", two, fact.pair_id, thread, review, ends)


def settled_of_pairs(fact: PairSettling) -> tuple[Settled, ...]:
    """What a fact about a pair makes pointless."""
    about = fact.pair_id
    asking = ("pair_proposed", "pair_waiting")
    match fact:
        case PairAccepted() | PairDeclined():
            mine = settled(about, *asking, to=side(fact, fact.by))
            # After a no nothing is asked of the other any more.
            return mine if isinstance(fact, PairAccepted) else settled(about, *asking)
        case PairExpired() | PairStarted():
            return settled(about, *asking)
        case PairEnded():
            return tuple(Settled(about, frozenset(), to, of_pair=True) for to in both(fact))
        case AgreementProposed():
            return settled(about, "agreement_proposed")
        case AgreementSigned():
            return settled(about, "agreement_proposed", "agreement_signed", "agreement_review")
        case AgreementReviewed():
            return settled(about, "agreement_review")
        case _:
            assert_never(fact)
