"""The whole life of a pair, whatever everybody tries and whenever the sweeper comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.matching.domain import pair as life
from services.matching.domain.decision import Decision
from services.matching.domain.pair import Actor, Pair
from shared.errors import Forbidden, NotFound, Rejected
from shared.events.fact import Fact
from shared.events.matching import (
    PairAccepted,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairStarted,
)
from shared.ids import PersonId
from tests.unit.matching.builders import MENTEE, MENTOR, NOW, PAIR, manager, member

ACTORS = (member(MENTOR), member(MENTEE), manager(), member("a-stranger"))
MOVES: dict[str, Callable[[Pair, Actor, datetime], Decision[Pair]]] = {
    "accept": life.accept,
    "decline": life.decline,
    "withdraw": life.take_back,
    "start": life.start,
    "end": lambda pair, actor, now: life.end(pair, actor, now, "completed"),
    "rematch": life.rematch,
}
CLOSED = ("ended", "declined", "withdrawn", "expired")
ENDINGS = (PairDeclined, PairExpired, PairEnded)


class Life(RuleBasedStateMachine):
    """One pair beside a second one that is swept at every moment: they never tell apart."""

    @initialize(
        asked_by=st.sampled_from([None, MENTOR, MENTEE]),
        within=st.one_of(st.none(), st.integers(1, 20)),
    )
    def propose(self, asked_by: PersonId | None, within: int | None) -> None:
        self.now = NOW
        self.pair = replace(
            PAIR,
            asked_by=asked_by,
            mentor_accepted=asked_by == MENTOR,
            mentee_accepted=asked_by == MENTEE,
            answer_until=NOW + timedelta(days=within) if within else None,
        )
        self.swept = self.pair
        self.facts: list[Fact] = []
        self.swept_facts: list[Fact] = []

    @rule(hours=st.integers(1, 72))
    def time_goes_by(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.sweep_the_second()

    @rule(name=st.sampled_from(sorted(MOVES)), actor=st.sampled_from(ACTORS))
    def somebody_tries(self, name: str, actor: Actor) -> None:
        allowed = name in life.possible(self.pair, actor, self.now)
        before = self.pair
        one = self.tried(name, self.pair, actor)
        two = self.tried(name, self.swept, actor)
        assert one.facts == two.facts, "swept or not, the same can be done"
        assert bool(one.facts) == allowed, "what is said to be possible is"
        self.pair, self.swept = one.thing, two.thing
        self.facts += one.facts
        self.swept_facts += two.facts
        if not one.facts:
            assert self.pair == before

    @rule()
    def the_sweeper_comes(self) -> None:
        decision = life.expire(self.pair, self.now)
        self.pair = decision.thing
        self.facts += decision.facts

    @rule()
    def somebody_leaves(self) -> None:
        for pair, facts in ((self.pair, self.facts), (self.swept, self.swept_facts)):
            decision = life.close_for_leaver(pair, self.now)
            facts += decision.facts
            if pair is self.pair:
                first = decision.thing
        self.pair, self.swept = first, decision.thing

    def sweep_the_second(self) -> None:
        decision = life.expire(self.swept, self.now)
        self.swept = decision.thing
        self.swept_facts += decision.facts

    def tried(self, name: str, pair: Pair, actor: Actor) -> Decision[Pair]:
        try:
            return MOVES[name](pair, actor, self.now)
        except (Rejected, Forbidden, NotFound):
            return Decision(pair)

    @invariant()
    def both_are_the_same_to_who_reads_them(self) -> None:
        assert life.by_now(self.pair, self.now) == life.by_now(self.swept, self.now)

    @invariant()
    def what_was_told_is_so(self) -> None:
        endings = [fact for fact in self.swept_facts if isinstance(fact, ENDINGS)]
        assert len(endings) == (self.swept.state in CLOSED)
        yes = [fact.by for fact in self.swept_facts if isinstance(fact, PairAccepted)]
        assert len(yes) == len(set(yes))
        said = {*yes, self.swept.asked_by} - {None}
        assert said == {who for who in (MENTOR, MENTEE) if self.swept.accepted_by(who)}
        started = [fact for fact in self.swept_facts if isinstance(fact, PairStarted)]
        assert len(started) == (self.swept.started_at is not None)
        if started:
            assert said == {MENTOR, MENTEE}
        assert (self.swept.accepted_at is not None) == (said == {MENTOR, MENTEE})

    @invariant()
    def nothing_is_told_late(self) -> None:
        until = self.pair.answer_until
        for fact in self.swept_facts:
            if isinstance(fact, PairExpired) and fact.reason == "not_answered":
                assert fact.expired_at == until


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
