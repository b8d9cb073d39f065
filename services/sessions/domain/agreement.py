"""The agreement of a pair: its versions, its signatures, and looking at it again. Pure.

    proposed --the other side signs--> in force --a later version is signed--> replaced
      |  |--a newer version is proposed--> superseded
      |  `--its proposer takes it back--> withdrawn
      `--its proposer edits it--> proposed, with another revision

A signature names the version and the revision of the text that was read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.terms import Terms, require_terms
from services.sessions.domain.thing import Decision
from shared.errors import Conflict
from shared.events.sessions import (
    AgreedHours,
    AgreementProposed,
    AgreementSigned,
)
from shared.ids import PairId, PersonId, TenantId

State = Literal["proposed", "withdrawn", "superseded", "signed", "replaced"]
Action = Literal["propose", "sign", "edit", "withdraw", "review"]
Actions: TypeAlias = tuple[Action, ...]


class AgreementSuperseded(Conflict):
    """A newer version of the agreement has been proposed since."""

    slug = "agreement-superseded"


class OwnProposal(Conflict):
    """You proposed this version, and so have signed it; it waits for the other side."""

    slug = "own-proposal"


class NotYourProposal(Conflict):
    """The other side proposed this version: sign it, or propose one of your own."""

    slug = "not-your-proposal"


class AgreementEdited(Conflict):
    """The text has been edited since you read it: read it again, then sign."""

    slug = "agreement-edited"


class AgreementSettled(Conflict):
    """This version waits for nobody any more; propose a new one."""

    slug = "agreement-settled"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version. The proposer's signature is the proposal; `signed_at` is the other side's.

    `review_on` is a local day of whoever comes to it; `reviewed_by` is who has looked at it again
    for that day, and keeps both names until the next review opens.
    """

    tenant: TenantId
    pair_id: PairId
    agreement_id: UUID
    version: int
    terms: Terms
    proposed_by: PersonId
    proposed_at: datetime
    revision: int = 1
    signed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    review_on: date | None = None
    reviewed_by: tuple[PersonId, ...] = ()

    @property
    def id(self) -> UUID:
        return self.agreement_id

    @property
    def reply(self) -> None:
        """That it waits for a signature is said by agreement.proposed."""
        return

    @property
    def waits(self) -> bool:
        """Whether it waits for a signature, as long as no newer version is proposed."""
        return self.signed_at is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Newest:
    """The pair's newest version and the one in force, which decide what older ones still are."""

    version: int = 0
    in_force: int = 0


def state_of(agreement: Agreement, newest: Newest) -> State:
    """What a version is, given the newest and the one in force."""
    if agreement.signed_at is not None:
        return "signed" if agreement.version == newest.in_force else "replaced"
    if agreement.withdrawn_at is not None:
        return "withdrawn"
    return "proposed" if agreement.version == newest.version else "superseded"


def possible(pair: Pair, agreement: Agreement, by: PersonId, newest: Newest) -> Actions:
    """What a member may do about a version. Whether a review is open is for `review` to say."""
    if pair.ended_at is not None:
        return ()
    state = state_of(agreement, newest)
    if state == "proposed":
        return ("edit", "withdraw") if by == agreement.proposed_by else ("sign", "propose")
    if state == "signed" and agreement.review_on is not None:
        return "review", "propose"
    return ("propose",)


def propose(
    pair: Pair, newest: Newest, agreement_id: UUID, by: PersonId, terms: Terms, now: datetime
) -> Decision[Agreement]:
    """The next version, signed by its proposer. An older one that waits for a signature is void.

    Raises Rejected for terms that cannot be, or PairEnded.
    """
    pair.side_of(by)
    pair.require_active()
    require_terms(terms, pair)
    version = newest.version + 1
    made = Agreement(pair.tenant, pair.pair_id, agreement_id, version, terms, by, now)
    fact = AgreementProposed(**pair.sides, agreement_version=version, by=by)
    return made, (Happened(pair.tenant, fact, now),)


def edit(
    pair: Pair, agreement: Agreement, newest: Newest, by: PersonId, terms: Terms
) -> Decision[Agreement]:
    """Another text for one's own proposal. Nothing is published: the other side waits for none.

    Raises NotYourProposal, AgreementSuperseded, AgreementSettled, PairEnded, or Rejected.
    """
    _require_own(pair, agreement, newest, by)
    pair.require_active()
    require_terms(terms, pair)
    return replace(agreement, terms=terms), ()


def withdraw(
    pair: Pair, agreement: Agreement, newest: Newest, by: PersonId, now: datetime
) -> Decision[Agreement]:
    """Take one's own proposal back; what is in force stays so. Again, it changes nothing.

    Raises NotYourProposal, AgreementSuperseded or AgreementSettled.
    """
    pair.side_of(by)
    if agreement.withdrawn_at is not None and by == agreement.proposed_by:
        return agreement, ()
    _require_own(pair, agreement, newest, by)
    return replace(agreement, withdrawn_at=now), ()


def sign(
    pair: Pair, agreement: Agreement, newest: Newest, revision: int, by: PersonId, now: datetime
) -> Decision[Agreement]:
    """Sign the newest version as the other side, having read `revision` of it. Again is nothing.

    Raises AgreementSuperseded, OwnProposal, AgreementSettled, AgreementEdited or PairEnded.
    """
    pair.side_of(by)
    _require_newest(pair, agreement, newest, by)
    allowed = possible(pair, agreement, by, newest)
    if by == agreement.proposed_by:
        raise OwnProposal(allowed=allowed)
    if agreement.signed_at is not None:
        return agreement, ()
    if agreement.withdrawn_at is not None:
        raise AgreementSettled("its proposer took this version back", allowed=allowed)
    if revision != agreement.revision:
        raise AgreementEdited(
            f"you sign revision {revision} of version {agreement.version}, which has been edited "
            f"since: read revision {agreement.revision}, then sign that",
            allowed=allowed,
        )
    pair.require_active()
    signed = replace(agreement, signed_at=now, review_on=next_review(pair, agreement, by, now))
    return signed, (Happened(pair.tenant, _signed(pair, signed), now),)


def next_review(pair: Pair, agreement: Agreement, by: PersonId, now: datetime) -> date | None:
    """When it is to be looked at again, as of today where `by` is; None if that is not agreed."""
    days = agreement.terms.review_after_days
    return today(pair, by, now) + timedelta(days=days) if days is not None else None


def today(pair: Pair, person: PersonId, now: datetime) -> date:
    """The day it is where that member is."""
    return now.astimezone(ZoneInfo(pair.member(person).zone)).date()


def _require_own(pair: Pair, agreement: Agreement, newest: Newest, by: PersonId) -> None:
    pair.side_of(by)
    allowed = possible(pair, agreement, by, newest)
    if by != agreement.proposed_by:
        raise NotYourProposal(allowed=allowed)
    _require_newest(pair, agreement, newest, by)
    if not agreement.waits:
        done = "it is signed" if agreement.signed_at else "you took this version back"
        raise AgreementSettled(f"{done}: propose a new version", allowed=allowed)


def _require_newest(pair: Pair, agreement: Agreement, newest: Newest, by: PersonId) -> None:
    if agreement.version < newest.version:
        raise AgreementSuperseded(
            f"version {agreement.version} has been superseded; "
            f"the newest is version {newest.version}",
            allowed=possible(pair, agreement, by, newest),
        )


def _signed(pair: Pair, agreement: Agreement) -> AgreementSigned:
    """The fact: everything but the pair's own words, which are in no fact."""
    terms = agreement.terms
    hours, off_limits = (
        tuple(
            AgreedHours(
                person_id=each.person_id,
                weekday=each.weekday,
                from_minute=each.from_minute,
                until_minute=each.until_minute,
            )
            for each in windows
        )
        for windows in (terms.hours, terms.off_limits)
    )
    return AgreementSigned(
        **pair.sides,
        agreement_version=agreement.version,
        cadence_days=terms.cadence_days,
        notice_hours=terms.notice_hours,
        channels=terms.channels,
        hours=hours,
        off_limits=off_limits,
        feedback=terms.feedback,
        review_on=agreement.review_on,
    )
