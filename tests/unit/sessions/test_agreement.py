"""The agreement's versions and signatures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.sessions.domain.agreement import (
    AgreementSuperseded,
    OwnProposal,
    Terms,
    propose,
    sign,
)
from services.sessions.domain.pair import PairEnded
from shared.errors import NotFound
from tests.unit.sessions.given import DAY, ENDED, MENTEE, MENTOR, NOW, PAIR, STRANGER, told

TERMS = Terms(14, 24, ("video",))
FIRST = propose(PAIR, None, MENTOR, TERMS, NOW)


def test_the_other_side_s_signature_puts_it_in_force() -> None:
    signed, happened = sign(PAIR, FIRST, 1, MENTEE, NOW + DAY)

    assert signed == replace(FIRST, signed_at=NOW + DAY)
    assert told(happened) == [("agreement.signed", NOW + DAY)]


def test_signing_again_changes_nothing() -> None:
    signed, _ = sign(PAIR, FIRST, 1, MENTEE, NOW)

    assert sign(PAIR, signed, 1, MENTEE, NOW + DAY) == (signed, ())


def test_a_new_proposal_voids_the_one_that_waits() -> None:
    second = propose(PAIR, FIRST, MENTEE, TERMS, NOW)

    with pytest.raises(AgreementSuperseded, match="newest is version 2"):
        sign(PAIR, second, 1, MENTEE, NOW)
    with pytest.raises(OwnProposal):
        sign(PAIR, second, 2, MENTEE, NOW)
    assert sign(PAIR, second, 2, MENTOR, NOW)[0].signed_at == NOW


def test_what_was_never_proposed_cannot_be_signed() -> None:
    with pytest.raises(NotFound):
        sign(PAIR, None, 1, MENTEE, NOW)
    with pytest.raises(NotFound):
        sign(PAIR, FIRST, 2, MENTEE, NOW)


def test_a_stranger_neither_proposes_nor_signs() -> None:
    with pytest.raises(NotFound):
        propose(PAIR, None, STRANGER, TERMS, NOW)
    with pytest.raises(NotFound):
        sign(PAIR, FIRST, 1, STRANGER, NOW)


def test_an_ended_pair_agrees_on_nothing_new() -> None:
    with pytest.raises(PairEnded):
        propose(ENDED, FIRST, MENTOR, TERMS, NOW)
    with pytest.raises(PairEnded):
        sign(ENDED, FIRST, 1, MENTEE, NOW)
