"""Whatever anybody says, in whatever order, at whatever time: a promise ends once, and honestly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.sessions.domain import claims, promises
from services.sessions.domain.commitment import ONGOING, Commitment, as_of, close
from services.sessions.domain.commitment_actions import GUARDS, Action, Who, allowed
from services.sessions.domain.happened import Happened
from services.sessions.domain.rules import Rules
from services.sessions.domain.thing import Decision
from shared.errors import Conflict, Forbidden, NotFound, Rejected
from shared.events.sessions import CommitmentFact
from shared.ids import PersonId
from tests.unit.sessions.given import DAY, GRACE, HOUR, MENTEE, MENTOR, NOW, PAIR, STRANGER, made

MANAGER = PersonId("ines")
WHO: dict[PersonId, Who] = {MENTEE: "maker", MENTOR: "receiver", MANAGER: "judge"}
ACTIONS: tuple[Action, ...] = get_args(Action)
# What says how it ended. The others are about promises that go on, or are over.
OUTCOMES = {
    "commitment.kept",
    "commitment.missed_warned",
    "commitment.missed_told",
    "commitment.missed",
    "commitment.declined",
    "commitment.released",
    "commitment.shown_false",
}
# Left to chance: else few histories would come to more than a few words.
ENDS_EARLY = {"withdraw", "decline", "release", "keep"}
SILENT = {"withdrawn", "lapsed", "unconfirmed", "unsettled"}

Rule = Callable[..., Decision[Commitment]]
PLAIN: dict[Action, Rule] = {
    "accept": promises.accept,
    "decline": promises.decline,
    "withdraw": promises.withdraw,
    "warn": promises.warn,
    "tell": promises.tell,
    "refuse-time": promises.refuse_time,
    "release": promises.release,
    "take-back": claims.take_back,
    "dispute": claims.dispute,
    "admit": claims.admit,
    "acknowledge": promises.acknowledge,
}


def do(
    it: Commitment, action: Action, by: PersonId, now: datetime, ago: int | None = None
) -> Decision[Commitment]:
    """Do it in the best way there is, or say of a time that it was `ago` hours before now."""
    best = min(now, it.due_at) if ago is None else now - ago * HOUR
    if action == "keep":
        return promises.keep(PAIR, it, by, now, best)
    if action == "claim-done":
        return claims.claim_done(PAIR, it, by, now, best, Rules())
    if action == "ask-for-time":
        due = max(now, it.due_at) + (DAY if ago is None else (ago - 100) * HOUR)
        return promises.ask_for_time(PAIR, it, by, now, due, DAY)
    if action == "agree-time":
        return promises.agree_time(PAIR, it, by, now, Rules())
    if action == "resolve":
        outcomes: list[claims.Outcome] = ["kept", "false", "nothing"]
        return claims.resolve(PAIR, it, by, now, outcomes[(ago or 0) % 3])
    return PLAIN[action](PAIR, it, by, now)


def whose(action: Action) -> PersonId:
    """Whose it is to do."""
    return next(each for each, who in WHO.items() if who == GUARDS[action].who)


def can(it: Commitment, action: Action, by: PersonId, now: datetime) -> bool:
    """Whether it is allowed, as the rule itself says."""
    try:
        do(it, action, by, now)
    except (Conflict, Forbidden, NotFound):
        return False
    return True


class AnyHistory(RuleBasedStateMachine):
    """One promise twice: `punctual` is swept when it is due, `late` not before the very end."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.punctual = self.late = made()
        self.facts: list[Happened] = []
        self.late_facts: list[Happened] = []

    @initialize(taken=st.sampled_from([True, True, True, False]))
    def it_may_have_been_accepted(self, taken: bool) -> None:
        if taken:
            self.somebody_says_something("accept", MENTOR, None)

    @rule(hours=st.sampled_from([0, 1, 1, 7, 23, 49]))
    def time_passes(self, hours: int) -> None:
        self._until(self.now + timedelta(hours=hours))

    @rule(hours=st.sampled_from([-1, 0, 1]), what=st.sampled_from(["due", "due", "due", "sweep"]))
    def it_is_about_time(self, hours: int, what: str) -> None:
        at = (self.punctual.due_at if what == "due" else self.punctual.sweep_at) + hours * HOUR
        if at > self.now:
            self._until(at)

    def _until(self, until: datetime) -> None:
        if self.punctual.state in ONGOING and self.punctual.sweep_at <= until:
            self.punctual, happened = close(PAIR, self.punctual)
            self.facts += happened
        self.now = until

    @rule(
        action=st.sampled_from(ACTIONS),
        by=st.sampled_from([None, None, None, None, MENTEE, MENTOR, MANAGER, STRANGER]),
        ago=st.one_of(st.none(), st.integers(-9, 9), st.integers(0, 200)),
    )
    def somebody_says_something(self, action: Action, by: PersonId | None, ago: int | None) -> None:
        by = by or whose(action)
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

    @rule(data=st.data())
    def somebody_does_what_they_may(self, data: st.DataObject) -> None:
        self._may(data)

    @rule(data=st.data())
    def and_so_does_somebody_else(self, data: st.DataObject) -> None:
        self._may(data)
        self._may(data)

    def _may(self, data: st.DataObject) -> None:
        may = [
            (action, by)
            for by, who in WHO.items()
            for action in allowed(self.punctual, who, self.now)
            if action not in ENDS_EARLY or (action == "keep" and self.punctual.claim)
        ]
        if may:
            action, by = data.draw(st.sampled_from(may))
            self.somebody_says_something(action, by, None)

    @invariant()
    def the_sweeper_makes_no_difference(self) -> None:
        it, happened = as_of(PAIR, self.late, self.now)

        def order(facts: list[Happened]) -> list[tuple[str, datetime, str]]:
            return sorted((f.fact.type, f.at, f.fact.model_dump_json()) for f in facts)

        assert it == self.punctual
        assert order([*self.late_facts, *happened]) == order(self.facts)

    @invariant()
    def it_ended_at_most_once_and_its_state_says_how(self) -> None:
        ends = [each.fact.type for each in self.facts if each.fact.type in OUTCOMES]
        state = self.punctual.state
        over = state not in ONGOING and state not in SILENT
        assert ends == ([f"commitment.{state}"] if over else [])

    @invariant()
    def no_fact_is_about_the_future_or_before_it_was_made_or_names_another_maker(self) -> None:
        for each in self.facts:
            assert NOW <= each.at <= self.now
            assert isinstance(each.fact, CommitmentFact)
            assert each.fact.by == MENTEE

    @invariant()
    def a_miss_is_as_old_as_what_was_said_of_it(self) -> None:
        it = self.punctual
        expected = {
            "commitment.missed": it.due_at + GRACE,
            "commitment.missed_told": it.told_at,
            "commitment.missed_warned": it.due_at,
        }
        for each in self.facts:
            assert each.at == expected.get(each.fact.type, each.at)

    @invariant()
    def what_goes_on_closes_when_it_is_due_to(self) -> None:
        it = self.punctual
        if it.state in ("made", "open"):
            assert it.sweep_at == it.due_at + GRACE
        if it.state == "claimed" and it.claim:
            assert it.sweep_at == max(it.due_at, it.claim.claimed_at) + GRACE
            assert self.now < it.claim.closes_at or not allowed(it, "maker", self.now)

    @invariant()
    def what_was_never_accepted_is_never_missed(self) -> None:
        types = {each.fact.type for each in self.facts}
        if types & {"commitment.missed", "commitment.missed_warned", "commitment.missed_told"}:
            assert "commitment.accepted" in types

    @invariant()
    def kept_means_in_time_and_not_told_otherwise(self) -> None:
        if self.punctual.state == "kept":
            assert self.punctual.kept_at is not None
            assert NOW <= self.punctual.kept_at <= self.punctual.due_at
            assert self.punctual.told_at is None

    @invariant()
    def what_is_said_to_be_allowed_is_exactly_what_is(self) -> None:
        for by, who in WHO.items():
            shown = set(allowed(self.late, who, self.now))
            said = {action for action in ACTIONS if GUARDS[action].said(self.punctual)}
            for action in set(ACTIONS) - said:
                assert (action in shown) == can(self.late, action, by, self.now), action

    @invariant()
    def a_stranger_can_say_nothing_and_nobody_speaks_for_another(self) -> None:
        for action in ACTIONS:
            assert action == "resolve" or not can(self.late, action, STRANGER, self.now)
            for by, who in WHO.items():
                assert GUARDS[action].who == who or not can(self.late, action, by, self.now)

    @invariant()
    def it_waits_only_for_somebody_who_can_answer(self) -> None:
        reply = self.punctual.reply
        if reply is not None:
            assert self.punctual.state in ONGOING
            in_time = reply.until is None or self.now < reply.until
            assert not in_time or allowed(self.punctual, WHO[reply.of], self.now)

    @invariant()
    def a_repeated_word_changes_nothing(self) -> None:
        for action in ACTIONS:
            if GUARDS[action].said(self.punctual):
                assert do(self.punctual, action, whose(action), self.now) == (self.punctual, ())

    def teardown(self) -> None:
        """A sweep at the end of time says no more than the punctual one did."""
        if self.late.state in ONGOING:
            self._until(self.late.sweep_at + 30 * DAY)
            self.the_sweeper_makes_no_difference()


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


def test_the_revision_is_not_a_rules_business() -> None:
    it = replace(made(), revision=7)

    assert do(it, "accept", MENTOR, NOW)[0].revision == 7
