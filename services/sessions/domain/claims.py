"""What the two say when the maker claims to have kept a promise: claim, dispute, settlement. Pure.

Nothing of it is published before it is settled: a claim is one side's word about the other.
Who may say it and when is in `commitment_actions`; every rule raises what `enter` there raises.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from services.sessions.domain.commitment import (
    SETTLE_WITHIN,
    Claim,
    Commitment,
    CommitmentDue,
    names_of,
)
from services.sessions.domain.commitment_actions import WhyNot, enter, refusal
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import deadline
from services.sessions.domain.promises import kept
from services.sessions.domain.rules import Rules
from services.sessions.domain.thing import Decision
from shared.errors import Rejected
from shared.events.sessions import CommitmentShownFalse
from shared.ids import PersonId

Outcome = Literal["kept", "false", "nothing"]


def claim_done(
    pair: Pair,
    commitment: Commitment,
    by: PersonId,
    now: datetime,
    done_at: datetime | None,
    rules: Rules,
) -> Decision[Commitment]:
    """The maker says that it was done at `done_at`, by due; the receiver has a grace to answer.

    Left out, `done_at` is now. What was done later is no claim: it is late, which is to be told.
    Raises Rejected or CommitmentDue, too.
    """
    it, before, said = enter(pair, commitment, by, now, "claim-done")
    if said:
        return it, before
    done_at = done_at or now
    if done_at > it.due_at:
        words = (
            f"it was due at {it.due_at.isoformat()}: if it was done by then, say when with done_at;"
            " if it was done later, tell the other side"
        )
        raise refusal(it, "maker", now, WhyNot(CommitmentDue, words))
    if not it.made_at <= done_at <= now:
        raise Rejected("done_at lies between when it was made and now", field="done_at")
    # However late the claim comes, there is time to answer it.
    until = max(it.sweep_at, deadline(now, rules.grace, pair))
    claim = Claim(done_at, now, it.sweep_at)
    receiver = pair.other(by)
    return (
        replace(it, state="claimed", claim=claim, sweep_at=until, asked=None, waits_for=receiver),
        before,
    )


def take_back(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime
) -> Decision[Commitment]:
    """The maker takes the claim back: it is as open as it was."""
    it, before, _ = enter(pair, commitment, by, now, "take-back")
    assert it.claim is not None
    back = replace(it, state="open", claim=None, sweep_at=it.claim.closes_at, waits_for=None)
    return back, before


def dispute(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime
) -> Decision[Commitment]:
    """The receiver says that it was not done. The maker has to answer, or a manager settles it."""
    it, before, said = enter(pair, commitment, by, now, "dispute")
    if said:
        return it, before
    until = deadline(now, SETTLE_WITHIN, pair)
    it = replace(it, state="disputed", disputed_at=now, sweep_at=until, waits_for=it.made_by)
    return it, before


def admit(pair: Pair, commitment: Commitment, by: PersonId, now: datetime) -> Decision[Commitment]:
    """The maker agrees that it was not done: both sides say that the claim was false."""
    it, before, said = enter(pair, commitment, by, now, "admit")
    return (it, before) if said else _shown_false(pair, it, now, "both", before)


def resolve(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime, outcome: Outcome
) -> Decision[Commitment]:
    """A manager of neither side settles the dispute; `nothing` is that nobody can tell."""
    it, before, _ = enter(pair, commitment, by, now, "resolve")
    assert it.claim is not None
    if outcome == "kept":
        return kept(pair, it, it.claim.done_at, before)
    if outcome == "false":
        return _shown_false(pair, it, now, "manager", before)
    return replace(it, state="unsettled", waits_for=None), before


def _shown_false(
    pair: Pair,
    it: Commitment,
    now: datetime,
    confirmed_by: Literal["both", "manager"],
    before: tuple[Happened, ...],
) -> Decision[Commitment]:
    it = replace(it, state="shown_false", waits_for=None)
    fact = CommitmentShownFalse(**pair.sides, **names_of(it), confirmed_by=confirmed_by)
    return it, (*before, Happened(pair.tenant, fact, now))
