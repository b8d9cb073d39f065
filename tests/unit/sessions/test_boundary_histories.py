"""Any history of one boundary, swept at once or never: the same facts, and what is allowed is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.sessions.domain.boundary import (
    ONGOING,
    Action,
    Boundary,
    BoundaryNotNow,
    Who,
    allowed,
    claim,
    close,
    confirm,
    contest,
    remind,
    resolve,
    standing,
    withdraw,
)
from services.sessions.domain.happened import Happened
from services.sessions.domain.thing import Decision
from shared.errors import Forbidden, NotFound, Rejected
from shared.events.sessions import BoundaryBreached
from shared.ids import BoundaryId, PersonId, derived_id
from tests.unit.sessions.given import HOUR, MENTEE, MENTOR, NOW, PAIR, STRANGER

MANAGER = PersonId("hanna")


def reminded() -> Boundary:
    """The mentee has reminded the mentor of the hours."""
    return remind(PAIR, BoundaryId(derived_id("boundary")), MENTEE, "hours", NOW)[0]


WHO: dict[PersonId, Who] = {MENTEE: "claimant", MENTOR: "accused", MANAGER: "judge"}
ACTIONS: tuple[Action, ...] = ("claim", "withdraw", "confirm", "contest", "resolve")


def do(it: Boundary, action: Action, by: PersonId, now: datetime, ago: int) -> Decision[Boundary]:
    if action == "claim":
        return claim(PAIR, it, by, now, now - timedelta(hours=ago))
    if action == "resolve":
        return resolve(PAIR, it, by, now, "breached" if ago % 2 else "nothing")
    rule_of: dict[Action, Callable[..., Decision[Boundary]]] = {
        "withdraw": withdraw,
        "confirm": confirm,
        "contest": contest,
    }
    return rule_of[action](PAIR, it, by, now)


class AnyHistory(RuleBasedStateMachine):
    """One boundary twice: `punctual` is swept at once, `late` never."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.punctual = self.late = reminded()
        self.facts: list[Happened] = []
        self.late_facts: list[Happened] = []

    @rule(hours=st.sampled_from([0, 1, 1, 30, 24 * 13, 24 * 15]))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR
        if self.punctual.state in ONGOING and self.punctual.sweep_at <= self.now:
            self.punctual, happened = close(PAIR, self.punctual)
            self.facts += happened

    @rule(
        action=st.sampled_from(ACTIONS),
        by=st.sampled_from([MENTEE, MENTOR, MANAGER, STRANGER]),
        ago=st.integers(-1, 40),
    )
    def somebody_says_something(self, action: Action, by: PersonId, ago: int) -> None:
        refused: list[type[Exception]] = []
        try:
            self.punctual, happened = do(self.punctual, action, by, self.now, ago)
            self.facts += happened
        except Rejected as error:
            refused.append(type(error))
        try:
            self.late, happened = do(self.late, action, by, self.now, ago)
            self.late_facts += happened
        except Rejected as error:
            refused.append(type(error))
        assert len(refused) in (0, 2)
        assert len(set(refused)) <= 1

    @rule(data=st.data(), ago=st.integers(0, 9))
    def somebody_does_what_they_may(self, data: st.DataObject, ago: int) -> None:
        may = [
            (action, by)
            for by, who in WHO.items()
            for action in allowed(self.punctual, who, self.now)
        ]
        action, by = data.draw(st.sampled_from(may))
        self.somebody_says_something(action, by, ago)

    @invariant()
    def the_sweeper_makes_no_difference(self) -> None:
        assert standing(self.late, self.now) == self.punctual
        assert self.late_facts == self.facts

    @invariant()
    def breaches_are_dated_one_after_the_other_between_the_reminder_and_now(self) -> None:
        at = [each.at for each in self.facts]
        assert at == sorted(set(at))
        assert all(NOW <= each <= self.now for each in at)
        assert self.punctual.breached_at == (at[-1] if at else None)

    @invariant()
    def nothing_but_a_breach_of_the_accused_is_ever_published(self) -> None:
        for each in self.facts:
            assert isinstance(each.fact, BoundaryBreached)
            assert each.fact.about == MENTOR

    @invariant()
    def a_claim_is_there_while_it_goes_on(self) -> None:
        assert (self.punctual.claim is not None) == (self.punctual.state in ONGOING)

    @invariant()
    def it_waits_only_for_somebody_who_can_answer(self) -> None:
        reply = self.punctual.reply
        if reply is not None:
            assert allowed(self.punctual, WHO[reply.of], self.now) == ("confirm", "contest")

    @invariant()
    def what_is_said_to_be_allowed_is_exactly_what_is(self) -> None:
        for by, who in WHO.items():
            shown = allowed(self.late, who, self.now)
            for action in ACTIONS:
                try:
                    after = do(self.late, action, by, self.now, 0)[0]
                except (BoundaryNotNow, Forbidden, NotFound):
                    assert action not in shown
                except Rejected:
                    assert action == "claim"  # of the instant that was settled last
                else:
                    said_before = after == standing(self.late, self.now)
                    assert action in shown or said_before


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
