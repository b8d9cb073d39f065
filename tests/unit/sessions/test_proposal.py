"""Times that one side proposes: who may pick one, until when, and who is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from services.sessions.domain import proposal as rules_of
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.proposal import (
    MAX_OPEN_PROPOSALS,
    NotYourProposal,
    Offer,
    Proposal,
    ProposalClosed,
    SlotBegun,
    TooManyProposals,
)
from services.sessions.domain.rules import MAX_AHEAD
from services.sessions.domain.session import Slot
from services.sessions.domain.thing import Reply
from shared.errors import Conflict, Rejected
from shared.ids import PersonId, SessionId, derived_id
from tests.unit.sessions.given import DAY, ENDED, HOUR, INSTANT, MENTEE, MENTOR, NOW, PAIR

FIRST, LAST = NOW + DAY, NOW + 3 * DAY
SLOTS = (Slot(LAST, 60), Slot(FIRST, 60), Slot(FIRST, 30))
SESSION = SessionId(derived_id("session"))


def proposed(slots: Sequence[Slot] = SLOTS, open_already: int = 0) -> Proposal:
    """Times the mentor put before the mentee."""
    offer, id_ = Offer(tuple(slots), "video"), derived_id("proposal")
    return rules_of.propose(PAIR, id_, MENTOR, offer, open_already, NOW)[0]


def test_the_other_side_is_waited_for_until_the_last_of_the_times() -> None:
    assert proposed().reply == Reply(MENTEE, "session", LAST)


def test_one_of_the_times_is_picked_by_its_number() -> None:
    picked = [rules_of.pick(proposed(), MENTEE, number, NOW) for number in (1, 2, 3)]
    accepted = rules_of.accept(proposed(), 2, SESSION)

    assert picked == list(SLOTS)
    assert (accepted.state, accepted.session_id, accepted.reply) == ("accepted", SESSION, None)
    assert rules_of.is_picked(accepted, MENTEE, 2)
    assert not rules_of.is_picked(accepted, MENTEE, 1)
    assert not rules_of.is_picked(accepted, MENTOR, 2)


def test_a_time_that_has_begun_is_gone_and_the_others_are_not() -> None:
    with pytest.raises(SlotBegun) as refused:
        rules_of.pick(proposed(), MENTEE, 2, FIRST)
    assert refused.value.allowed == ("accept", "decline")
    assert rules_of.pick(proposed(), MENTEE, 1, LAST - INSTANT) == SLOTS[0]


@pytest.mark.parametrize(
    ("by", "action", "refused", "allowed"),
    [
        pytest.param(MENTOR, "accept", NotYourProposal, ("withdraw",), id="pick one's own"),
        pytest.param(MENTOR, "decline", NotYourProposal, ("withdraw",), id="decline one's own"),
        pytest.param(
            MENTEE, "withdraw", NotYourProposal, ("accept", "decline"), id="take back another's"
        ),
    ],
)
def test_each_side_has_its_own_word(
    by: PersonId, action: str, refused: type[Conflict], allowed: tuple[str, ...]
) -> None:
    with pytest.raises(refused) as said:
        _do(action, proposed(), by, NOW)
    assert said.value.allowed == allowed


@pytest.mark.parametrize("by", [MENTOR, MENTEE])
@pytest.mark.parametrize("action", ["accept", "decline", "withdraw"])
def test_what_has_lapsed_is_closed_swept_or_not(by: PersonId, action: str) -> None:
    said = []
    for proposal in (proposed(), rules_of.close(PAIR, proposed())[0]):
        with pytest.raises(ProposalClosed) as refused:
            _do(action, proposal, by, LAST)
        said.append((str(refused.value), refused.value.allowed))

    assert said == [("the proposal is lapsed; propose other times", ())] * 2
    assert rules_of.by_now(proposed(), LAST).state == "lapsed"
    assert rules_of.by_now(proposed(), LAST - INSTANT).state == "open"


def test_a_word_said_twice_changes_nothing_and_no_other_can_follow() -> None:
    declined, _ = rules_of.decline(PAIR, proposed(), MENTEE, NOW)
    withdrawn, _ = rules_of.withdraw(PAIR, proposed(), MENTOR, NOW)

    assert rules_of.decline(PAIR, declined, MENTEE, LAST) == (declined, ())
    assert rules_of.withdraw(PAIR, withdrawn, MENTOR, LAST) == (withdrawn, ())
    for settled in (declined, withdrawn, rules_of.accept(proposed(), 1, SESSION)):
        assert settled.reply is None
        assert rules_of.close(PAIR, settled) == (settled, ())
        with pytest.raises(ProposalClosed):
            rules_of.pick(settled, MENTEE, 1, NOW)


@pytest.mark.parametrize(
    ("slots", "field"),
    [
        pytest.param((SLOTS[0], SLOTS[0]), "slots", id="the same time twice"),
        pytest.param((SLOTS[0], Slot(NOW, 60)), "starts_at", id="a time that is past"),
        pytest.param((Slot(NOW + MAX_AHEAD + HOUR, 60),), "starts_at", id="too far ahead"),
    ],
)
def test_times_that_cannot_be_are_named(slots: Sequence[Slot], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        proposed(slots)
    assert refused.value.field == field


def test_a_number_that_is_none_of_the_times_is_named() -> None:
    for number in (0, 4):
        with pytest.raises(Rejected) as refused:
            rules_of.pick(proposed(), MENTEE, number, NOW)
        assert refused.value.field == "slot"


def test_a_pair_has_so_many_proposals_waiting_and_none_once_it_has_ended() -> None:
    proposed(open_already=MAX_OPEN_PROPOSALS - 1)
    with pytest.raises(TooManyProposals):
        proposed(open_already=MAX_OPEN_PROPOSALS)
    with pytest.raises(PairEnded):
        rules_of.propose(ENDED, derived_id("p"), MENTOR, Offer(SLOTS), 0, NOW)
    assert rules_of.ended(ENDED, proposed())[0].state == "lapsed"


def _do(action: str, proposal: Proposal, by: PersonId, now: datetime) -> None:
    if action == "accept":
        rules_of.pick(proposal, by, 1, now)
    elif action == "decline":
        rules_of.decline(PAIR, proposal, by, now)
    else:
        rules_of.withdraw(PAIR, proposal, by, now)
