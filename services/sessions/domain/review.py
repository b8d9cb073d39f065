"""Looking at the agreement in force again: each side says so, and when both have, it is a fact.

On time is by the review date in it, and the next date follows. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.sessions.domain.agreement import (
    Agreement,
    AgreementSettled,
    AgreementSuperseded,
    Newest,
    next_review,
    possible,
    state_of,
    today,
)
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import Decision
from shared.errors import Conflict
from shared.events.sessions import AgreementReviewed
from shared.ids import PersonId

# How long before its date an agreement can be reviewed. Sooner, a new version is what helps.
REVIEW_OPENS = timedelta(days=14)


class ReviewNotOpen(Conflict):
    """It is too early to review the agreement, or none was agreed on."""

    slug = "review-not-open"


def review(
    pair: Pair, agreement: Agreement, newest: Newest, by: PersonId, now: datetime
) -> Decision[Agreement]:
    """One side has looked at the agreement in force again; when both have, that is a fact.

    The next review is reckoned from there. Reviewing again, before the next one opens, changes
    nothing. Raises ReviewNotOpen, AgreementSuperseded, AgreementSettled or PairEnded.
    """
    pair.side_of(by)
    pair.require_active()
    if state_of(agreement, newest) != "signed":
        allowed = possible(pair, agreement, by, newest)
        if newest.in_force > agreement.version:
            in_force = f"version {newest.in_force} is in force now"
            raise AgreementSuperseded(in_force, allowed=allowed)
        raise AgreementSettled("this version is not in force", allowed=allowed)
    complete = len(agreement.reviewed_by) == len(pair.members)
    if by in agreement.reviewed_by and not (complete and _is_open(pair, agreement, by, now)):
        return agreement, ()
    _require_open(pair, agreement, by, now)
    reviewed_by = (by,) if complete else (*agreement.reviewed_by, by)
    reviewed = replace(agreement, reviewed_by=reviewed_by)
    if len(reviewed_by) < len(pair.members):
        return reviewed, ()
    assert agreement.review_on is not None
    on_time = today(pair, by, now) <= agreement.review_on
    fact = AgreementReviewed(**pair.sides, agreement_version=agreement.version, on_time=on_time)
    reviewed = replace(reviewed, review_on=next_review(pair, agreement, by, now))
    return reviewed, (Happened(pair.tenant, fact, now),)


def _require_open(pair: Pair, agreement: Agreement, by: PersonId, now: datetime) -> None:
    if agreement.review_on is None:
        raise ReviewNotOpen(
            "no review was agreed on: propose a version with review_after_days",
            allowed=("propose",),
        )
    if not _is_open(pair, agreement, by, now):
        opens = agreement.review_on - REVIEW_OPENS
        raise ReviewNotOpen(
            f"it can be reviewed from {opens.isoformat()} on; to change it now, propose a version",
            allowed=("propose",),
        )


def _is_open(pair: Pair, agreement: Agreement, by: PersonId, now: datetime) -> bool:
    review_on = agreement.review_on
    return review_on is not None and today(pair, by, now) >= review_on - REVIEW_OPENS
