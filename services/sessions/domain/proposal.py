"""Times that one side proposes, of which the other picks one. Nothing is booked before. Pure.

    open --the other picks a time--> accepted: the session is scheduled
      |--the other says no--> declined
      |--who proposed takes it back--> withdrawn
      `--the last of the times begins--> lapsed

Whoever picks a time allows what it breaks of the agreement, this once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.sessions.domain.pair import Pair
from services.sessions.domain.session import Slot, require_ahead
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Rejected
from shared.ids import PairId, PersonId, SessionId, TenantId

MAX_SLOTS = 5
MAX_OPEN_PROPOSALS = 10

State = Literal["open", "accepted", "declined", "withdrawn", "lapsed"]
Action = Literal["accept", "decline", "withdraw"]


class ProposalClosed(Conflict):
    """The proposal has been answered, taken back, or is too old."""

    slug = "proposal-closed"


class NotYourProposal(Conflict):
    """This is for the other side to say."""

    slug = "proposal-not-yours"


class SlotBegun(Conflict):
    """That time has begun."""

    slug = "slot-begun"


class TooManyProposals(Conflict):
    """The pair has as many proposals waiting as it can have."""

    slug = "too-many-proposals"


@dataclass(frozen=True, slots=True)
class Offer:
    """The times to choose from, in the order they were named."""

    slots: tuple[Slot, ...]
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """`asked` has the word until `sweep_at`, when the last of the times begins."""

    tenant: TenantId
    pair_id: PairId
    proposal_id: UUID
    proposed_by: PersonId
    asked: PersonId
    proposed_at: datetime
    offer: Offer
    sweep_at: datetime
    state: State = "open"
    picked: int | None = None
    session_id: SessionId | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.proposal_id

    @property
    def reply(self) -> Reply | None:
        return Reply(self.asked, "session", self.sweep_at) if self.state == "open" else None


def propose(
    pair: Pair, proposal_id: UUID, by: PersonId, offer: Offer, open_already: int, now: datetime
) -> Decision[Proposal]:
    """Put one to five times before the other side.

    Raises Rejected for a time named twice, past or too far, TooManyProposals, or PairEnded.
    """
    asked = pair.other(by)
    pair.require_active()
    if len(set(offer.slots)) != len(offer.slots):
        raise Rejected("name each time once", field="slots")
    for slot in offer.slots:
        require_ahead(slot, now)
    if open_already >= MAX_OPEN_PROPOSALS:
        raise TooManyProposals
    last = max(slot.starts_at for slot in offer.slots)
    return Proposal(pair.tenant, pair.pair_id, proposal_id, by, asked, now, offer, last), ()


def pick(proposal: Proposal, by: PersonId, number: int, now: datetime) -> Slot:
    """The time with that number, from 1, for the asked side to accept.

    Raises ProposalClosed, NotYourProposal, Rejected, or SlotBegun.
    """
    _require("accept", proposal, by, now)
    if not 1 <= number <= len(proposal.offer.slots):
        raise Rejected(f"it has {len(proposal.offer.slots)} times to choose from", field="slot")
    slot = proposal.offer.slots[number - 1]
    if slot.starts_at <= now:
        raise SlotBegun(allowed=possible(proposal, by, now))
    return slot


def accept(proposal: Proposal, number: int, session_id: SessionId) -> Proposal:
    """The proposal of which `pick` gave the time of that session."""
    return replace(proposal, state="accepted", picked=number, session_id=session_id)


def is_picked(proposal: Proposal, by: PersonId, number: int) -> bool:
    """Whether the asked side has picked that time already."""
    return proposal.state == "accepted" and (by, number) == (proposal.asked, proposal.picked)


def decline(pair: Pair, proposal: Proposal, by: PersonId, now: datetime) -> Decision[Proposal]:
    """The asked side says no to all of it. Saying so again changes nothing."""
    pair.side_of(by)
    if proposal.state == "declined" and by == proposal.asked:
        return proposal, ()
    _require("decline", proposal, by, now)
    return replace(proposal, state="declined"), ()


def withdraw(pair: Pair, proposal: Proposal, by: PersonId, now: datetime) -> Decision[Proposal]:
    """Who proposed takes it back. Doing so again changes nothing."""
    pair.side_of(by)
    if proposal.state == "withdrawn" and by == proposal.proposed_by:
        return proposal, ()
    _require("withdraw", proposal, by, now)
    return replace(proposal, state="withdrawn"), ()


def close(pair: Pair, proposal: Proposal) -> Decision[Proposal]:  # noqa: ARG001
    """What is so at `sweep_at`: nobody picked any of the times. No evidence of anything."""
    return (replace(proposal, state="lapsed") if proposal.state == "open" else proposal), ()


def ended(pair: Pair, proposal: Proposal) -> Decision[Proposal]:
    """What is so once the pair has ended: nobody can pick any longer."""
    return close(pair, proposal)


def by_now(proposal: Proposal, now: datetime) -> Proposal:
    """The proposal as time has left it, swept or not."""
    if proposal.state == "open" and now >= proposal.sweep_at:
        return replace(proposal, state="lapsed")
    return proposal


def possible(proposal: Proposal, by: PersonId, now: datetime) -> tuple[Action, ...]:
    """What a member may do with the proposal now."""
    if by_now(proposal, now).state != "open":
        return ()
    return ("accept", "decline") if by == proposal.asked else ("withdraw",)


def _require(action: Action, proposal: Proposal, by: PersonId, now: datetime) -> None:
    allowed = possible(proposal, by, now)
    if action in allowed:
        return
    state = by_now(proposal, now).state
    if state != "open":
        raise ProposalClosed(f"the proposal is {state}; propose other times", allowed=allowed)
    words = " or ".join(allowed)
    raise NotYourProposal(f"that is for the other side; you can {words} it", allowed=allowed)
