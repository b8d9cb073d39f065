"""The commitment's states: who may say what, when, and what it leads to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.sessions.domain import commitment as rules_of
from services.sessions.domain.commitment import (
    Commitment,
    CommitmentClosed,
    CommitmentDue,
    CommitmentNotDue,
    CommitmentTold,
    Promise,
    TooManyCommitments,
)
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.rules import MAX_AHEAD, MAX_OPEN_COMMITMENTS, Rules
from services.sessions.domain.thing import Decision
from shared.errors import Conflict, Forbidden, NotFound, Rejected
from shared.events.sessions import CommitmentFact, CommitmentMade
from tests.unit.sessions.given import (
    DAY,
    DUE,
    ENDED,
    GRACE,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    STRANGER,
    promised,
    told,
)


@pytest.mark.parametrize(
    ("due_at", "allowed"),
    [
        pytest.param(NOW, False, id="due now is not ahead"),
        pytest.param(NOW + INSTANT, True, id="due in an instant"),
        pytest.param(NOW + MAX_AHEAD, True, id="due in a year"),
        pytest.param(NOW + MAX_AHEAD + INSTANT, False, id="due in more than a year"),
    ],
)
def test_a_promise_is_about_the_coming_year(due_at: datetime, allowed: bool) -> None:
    if allowed:
        assert promised(due_at).sweep_at == due_at + GRACE
    else:
        with pytest.raises(Rejected) as refused:
            promised(due_at)
        assert refused.value.field == "due_at"


def test_a_promise_names_who_made_it_and_never_its_title() -> None:
    _, happened = rules_of.make(
        PAIR, promised().commitment_id, MENTEE, Promise(DUE, "a secret"), NOW, Rules()
    )

    (made,) = happened
    assert isinstance(made.fact, CommitmentMade)
    assert (made.fact.by, made.fact.due_at, made.at) == (MENTEE, DUE, NOW)
    assert "secret" not in made.fact.model_dump_json()


def test_nothing_is_promised_in_an_ended_pair_or_by_a_stranger() -> None:
    with pytest.raises(PairEnded):
        rules_of.make(ENDED, promised().commitment_id, MENTEE, Promise(DUE), NOW, Rules())
    with pytest.raises(NotFound):
        rules_of.make(PAIR, promised().commitment_id, STRANGER, Promise(DUE), NOW, Rules())


def test_one_side_has_room_for_so_many_open_promises() -> None:
    rules_of.require_room(MAX_OPEN_COMMITMENTS - 1)
    with pytest.raises(TooManyCommitments):
        rules_of.require_room(MAX_OPEN_COMMITMENTS)


@pytest.mark.parametrize(
    ("now", "kept_at", "expected"),
    [
        pytest.param(DUE - DAY, None, DUE - DAY, id="said before due"),
        pytest.param(DUE, None, DUE, id="said at the very instant"),
        pytest.param(DUE + INSTANT, None, CommitmentDue, id="said after due, without when"),
        pytest.param(DUE + DAY, DUE, DUE, id="said after due, that it came in time"),
        pytest.param(DUE + DAY, DUE + INSTANT, CommitmentDue, id="said to have come too late"),
        pytest.param(DUE + GRACE - INSTANT, DUE, DUE, id="said at the end of the grace"),
        pytest.param(DUE + GRACE, DUE, CommitmentClosed, id="said when the grace is over"),
        pytest.param(NOW + DAY, NOW + DAY + INSTANT, Rejected, id="said to have come tomorrow"),
        pytest.param(NOW + DAY, NOW - INSTANT, Rejected, id="said to have come before it was made"),
    ],
)
def test_keeping(
    now: datetime, kept_at: datetime | None, expected: datetime | type[Rejected]
) -> None:
    if isinstance(expected, datetime):
        kept, happened = rules_of.keep(PAIR, promised(), MENTOR, now, kept_at)
        assert (kept.state, kept.kept_at) == ("kept", expected)
        assert told(happened) == [("commitment.kept", expected)]
    else:
        with pytest.raises(expected):
            rules_of.keep(PAIR, promised(), MENTOR, now, kept_at)


def test_nobody_says_of_their_own_promise_that_it_was_kept() -> None:
    with pytest.raises(Forbidden):
        rules_of.keep(PAIR, promised(), MENTEE, NOW, None)


def test_who_told_that_it_was_not_kept_is_believed() -> None:
    late, _ = rules_of.tell(PAIR, promised(), MENTEE, DUE + HOUR)

    with pytest.raises(CommitmentTold):
        rules_of.keep(PAIR, late, MENTOR, DUE + 2 * HOUR, DUE)


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        pytest.param(DUE - INSTANT, None, id="just before due"),
        pytest.param(DUE, CommitmentDue, id="at due it is too late to warn"),
        pytest.param(DUE + GRACE, CommitmentClosed, id="when the grace is over"),
    ],
)
def test_warning(now: datetime, refused: type[Conflict] | None) -> None:
    if refused:
        with pytest.raises(refused):
            rules_of.warn(PAIR, promised(), MENTEE, now)
    else:
        warned, happened = rules_of.warn(PAIR, promised(), MENTEE, now)
        assert (warned.state, told(happened)) == ("open", [("commitment.warned", now)])


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        pytest.param(DUE - INSTANT, CommitmentNotDue, id="before due there is nothing to tell"),
        pytest.param(DUE, None, id="at due"),
        pytest.param(DUE + GRACE - INSTANT, None, id="at the end of the grace"),
        pytest.param(DUE + GRACE, CommitmentClosed, id="when the grace is over"),
    ],
)
def test_telling(now: datetime, refused: type[Conflict] | None) -> None:
    if refused:
        with pytest.raises(refused):
            rules_of.tell(PAIR, promised(), MENTEE, now)
    else:
        late, happened = rules_of.tell(PAIR, promised(), MENTEE, now)
        assert (late.told_at, happened) == (now, ())


def test_only_the_maker_warns_and_tells() -> None:
    with pytest.raises(Forbidden):
        rules_of.warn(PAIR, promised(), MENTOR, NOW)
    with pytest.raises(Forbidden):
        rules_of.tell(PAIR, promised(), MENTOR, DUE)


def test_a_warning_outweighs_a_later_word() -> None:
    warned, _ = rules_of.warn(PAIR, promised(), MENTEE, NOW)
    both, _ = rules_of.tell(PAIR, warned, MENTEE, DUE + HOUR)

    _, happened = rules_of.close(PAIR, both)

    assert told(happened) == [("commitment.missed_warned", DUE)]


class AnyHistory(RuleBasedStateMachine):
    """Whatever the two say, in whatever order, a promise ends once and says one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.commitment = promised()
        self.facts: list[Happened] = []

    def _try(self, decide: Decision[Commitment]) -> None:
        self.commitment, happened = decide
        self.facts += happened

    @rule(hours=st.sampled_from([1, 7, 47, 48, 49, 24 * 7]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(
        verb=st.sampled_from(["keep", "keep_when", "warn", "tell"]),
        by=st.sampled_from([MENTOR, MENTEE]),
        ago=st.integers(0, 200),
    )
    def somebody_says_something(self, verb: str, by: str, ago: int) -> None:
        person = MENTOR if by == MENTOR else MENTEE
        try:
            if verb.startswith("keep"):
                when = self.now - ago * HOUR if verb == "keep_when" else None
                self._try(rules_of.keep(PAIR, self.commitment, person, self.now, when))
            elif verb == "warn":
                self._try(rules_of.warn(PAIR, self.commitment, person, self.now))
            else:
                self._try(rules_of.tell(PAIR, self.commitment, person, self.now))
        except Rejected:
            pass  # a refusal changes nothing, which the invariants see

    @precondition(lambda self: self.now >= self.commitment.sweep_at)
    @rule()
    def the_sweeper_comes(self) -> None:
        self._try(rules_of.close(PAIR, self.commitment))

    @invariant()
    def it_ended_at_most_once_and_its_state_says_how(self) -> None:
        ends = [each.fact.type for each in self.facts if each.fact.type != "commitment.warned"]
        state = self.commitment.state
        assert ends == ([] if state == "open" else [f"commitment.{state}"])

    @invariant()
    def it_was_warned_of_at_most_once_and_before_due(self) -> None:
        warnings = [each for each in self.facts if each.fact.type == "commitment.warned"]
        assert [each.at for each in warnings] == [
            at for at in [self.commitment.warned_at] if at is not None
        ]
        assert all(each.at < DUE for each in warnings)

    @invariant()
    def no_fact_is_about_the_future_or_names_another_maker(self) -> None:
        for each in self.facts:
            assert each.at <= self.now
            assert isinstance(each.fact, CommitmentFact)
            assert each.fact.by == MENTEE

    @invariant()
    def kept_means_in_time_and_not_told_otherwise(self) -> None:
        if self.commitment.state == "kept":
            assert self.commitment.kept_at is not None
            assert NOW <= self.commitment.kept_at <= DUE
            assert self.commitment.told_at is None

    @invariant()
    def what_the_sweeper_will_say_is_settled_when_the_grace_is_over(self) -> None:
        if self.now >= self.commitment.sweep_at and self.commitment.state == "open":
            _, happened = rules_of.close(PAIR, self.commitment)
            assert len(happened) == 1
            assert happened[0].at <= self.commitment.sweep_at


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
