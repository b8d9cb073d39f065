"""Who waits for whom, as it is published: that somebody waits, never for what."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from services.sessions.domain.thing import Reply, replies
from shared.events.sessions import ReplyRequested, ReplySettled
from shared.ids import PairId, TenantId, derived_id
from tests.unit.sessions.given import DAY, MENTEE, MENTOR, NOW, PAIR, TENANT

CLAIM, PAIR_ID = derived_id("claim"), PAIR.pair_id


@dataclass(frozen=True)
class Claim:
    """A thing that waits for a word, or does not."""

    reply: Reply | None
    id: UUID = CLAIM
    tenant: TenantId = TENANT
    pair_id: PairId = PAIR_ID
    revision: int = 1


NOBODY = Claim(None)
FOR_MENTOR = Claim(Reply(MENTOR, "pair", NOW + DAY))
FOR_MENTEE = Claim(Reply(MENTEE, "pair"))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(None, NOBODY, [], id="a thing that asks for nothing says nothing"),
        pytest.param(
            None, FOR_MENTOR, [("reply.requested", MENTOR)], id="a new thing may ask at once"
        ),
        pytest.param(
            NOBODY, FOR_MENTEE, [("reply.requested", MENTEE)], id="a claim asks the other"
        ),
        pytest.param(FOR_MENTOR, NOBODY, [("reply.settled", MENTOR)], id="a word given settles it"),
        pytest.param(
            FOR_MENTOR,
            FOR_MENTEE,
            [("reply.settled", MENTOR), ("reply.requested", MENTEE)],
            id="an answer that asks back settles the one and asks for the other",
        ),
        pytest.param(
            FOR_MENTOR,
            Claim(Reply(MENTOR, "pair", NOW + 2 * DAY)),
            [],
            id="more time for the same word is not asked for again",
        ),
    ],
)
def test_who_waits_for_whom(
    before: Claim | None, after: Claim, told: list[tuple[str, str]]
) -> None:
    happened = replies(PAIR, before, after, NOW)

    facts = [each.fact for each in happened]
    assert all(isinstance(fact, ReplyRequested | ReplySettled) for fact in facts)
    assert [(fact.type, fact.of) for fact in facts] == told  # type: ignore[attr-defined]
    assert {each.at for each in happened} <= {NOW}


def test_a_request_tells_no_more_than_that_somebody_waits() -> None:
    (asked,) = replies(PAIR, None, FOR_MENTOR, NOW)

    assert set(asked.fact.model_dump()) == {
        "pair_id",
        "mentor_id",
        "mentee_id",
        "reply_id",
        "of",
        "about",
        "until",
    }
