"""A session's whole life against a model, with a sweeper that comes late or never.

The same words are said about two sessions: one is swept now and then, the other never before the
end. A model that knows nothing of sweeping says what must come of each word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.sessions.domain import afterwards, moving
from services.sessions.domain.happened import Happened
from services.sessions.domain.moving import NOTICE, Wish
from services.sessions.domain.possible import possible
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Session, by_now, close
from services.sessions.domain.thing import Decision, replies
from shared.errors import Rejected
from shared.events.sessions import SessionCancelled, SessionHeld, SessionMissed, SessionRescheduled
from shared.ids import PersonId
from tests.unit.sessions.given import DAY, HOUR, MENTEE, MENTOR, NOW, PAIR, scheduled

CONFIRM_WITHIN = Rules().confirm_within
WHO = st.sampled_from((MENTOR, MENTEE))
LEGAL = re.compile(
    r"scheduled (rescheduled )*(cancelled |held |missed (missed )?)?",
)


@dataclass
class Model:
    """What a session is by what was said, as a sweeper that is never late would have it."""

    starts_at: datetime
    ends_at: datetime
    state: str = "scheduled"
    confirmed: list[PersonId] = field(default_factory=list)
    missed: list[PersonId] = field(default_factory=list)
    claimant: PersonId | None = None
    closes_at: datetime | None = None

    @property
    def confirm_until(self) -> datetime:
        return self.ends_at + CONFIRM_WITHIN

    def let_time_pass(self, now: datetime) -> None:
        if self.state == "scheduled" and now >= self.confirm_until:
            self.state = "held" if self.confirmed else "lapsed"
        elif self.closes_at is not None and now >= self.closes_at:
            if self.state == "claimed":
                assert self.claimant is not None
                self.state = "missed"
                self.missed.append(PAIR.other(self.claimant))
            elif self.state == "disputed":
                self.state = "lapsed"

    def allowed(self, who: PersonId, now: datetime) -> set[str]:
        claims = who == self.claimant
        match self.state:
            case "scheduled":
                if now < self.starts_at:
                    return {"reschedule", "cancel"}
                return set() if who in self.confirmed else {"confirm", "no-show"}
            case "claimed":
                return {"withdraw"} if claims else {"no-show", "dispute"}
            case "disputed":
                return {"withdraw"} if claims else {"no-show"}
            case "held":
                return {"feedback"}
            case "missed" if who in self.missed:
                return {"repair"}
            case "missed" if not claims and now < self.confirm_until:
                return {"no-show"}
        return set()


def _said(answer: Decision[Session] | Rejected) -> object:
    """A refusal in its words; what was let through is none."""
    return (answer.slug, str(answer), answer.allowed) if isinstance(answer, Rejected) else None


class Life(RuleBasedStateMachine):
    """Both sides say anything at any time, time passes, and a sweeper comes by when it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.swept = self.unswept = scheduled(NOW + DAY)
        self.model = Model(NOW + DAY, NOW + DAY + HOUR)
        self.of_swept: list[Happened] = []
        self.of_unswept: list[Happened] = []
        self.waiting: list[str] = []

    def _say(self, rule_: Callable[[Session], Decision[Session]]) -> bool:
        """Say it about both; whether it was let through, which is the same for both."""
        of_swept, of_unswept = self._answer(rule_, self.swept), self._answer(rule_, self.unswept)
        if isinstance(of_swept, Rejected) or isinstance(of_unswept, Rejected):
            assert _said(of_swept) == _said(of_unswept)
            return False
        (swept, told), (unswept, also_told) = of_swept, of_unswept
        self.waiting += [each.fact.type for each in replies(PAIR, self.swept, swept, self.now)]
        self.of_swept += told
        self.of_unswept += also_told
        self.swept, self.unswept = swept, unswept
        return True

    @initialize(since=st.sampled_from([NOW, NOW + DAY, NOW + DAY + HOUR, NOW + 3 * DAY]))
    def it_is_looked_at(self, since: datetime) -> None:
        # Left to chance, most lives would end with a call-off before anything could be said.
        self.now = since

    @staticmethod
    def _answer(
        rule_: Callable[[Session], Decision[Session]], session: Session
    ) -> Decision[Session] | Rejected:
        try:
            return rule_(session)
        except Rejected as refused:
            return refused

    @rule(
        span=st.sampled_from([HOUR / 4, HOUR, 20 * HOUR, DAY, 4 * DAY, 15 * DAY])
        | st.timedeltas(timedelta(0), 2 * DAY)
    )
    def time_passes(self, span: timedelta) -> None:
        self.now += span
        self.model.let_time_pass(self.now)

    @precondition(lambda self: self.swept.state in ("scheduled", "claimed", "disputed"))
    @rule()
    def the_sweeper_comes(self) -> None:
        if self.now >= self.swept.sweep_at:
            before = self.swept
            self.swept, happened = close(PAIR, before)
            self.of_swept += happened
            told = replies(PAIR, before, self.swept, before.sweep_at)
            self.waiting += [each.fact.type for each in told]

    @rule(who=WHO)
    def confirm(self, who: PersonId) -> None:
        model, again = self.model, who in self.model.confirmed
        repeated = again and model.state in ("scheduled", "held")
        expected = repeated or "confirm" in model.allowed(who, self.now)
        assert self._say(lambda it: afterwards.confirm(PAIR, it, who, self.now)) == expected
        if expected and not repeated:
            model.confirmed.append(who)
            model.state = "held" if len(model.confirmed) == 2 else "scheduled"

    @rule(who=WHO)
    def was_not_there(self, who: PersonId) -> None:
        model = self.model
        repeated = who in model.missed and model.claimant is None
        expected = repeated or "no-show" in model.allowed(who, self.now)
        assert self._say(lambda it: afterwards.was_not_there(PAIR, it, who, self.now)) == expected
        if expected and not repeated:
            model.state = "missed"
            model.missed.append(who)

    @rule(who=WHO)
    def claim(self, who: PersonId) -> None:
        model = self.model
        repeated = model.state in ("claimed", "disputed") and who == model.claimant
        expected = repeated or "no-show" in model.allowed(who, self.now)
        assert self._say(lambda it: afterwards.claim(PAIR, it, who, self.now)) == expected
        if not expected or repeated:
            return
        if model.state == "claimed":
            self._disputed()
        elif model.state == "scheduled":
            model.state, model.claimant = "claimed", who
            model.closes_at = self.now + timedelta(hours=72)
            if PAIR.other(who) in model.confirmed:
                self._disputed()

    @rule(who=WHO)
    def dispute(self, who: PersonId) -> None:
        model = self.model
        repeated = model.state == "disputed" and who != model.claimant
        expected = repeated or "dispute" in model.allowed(who, self.now)
        assert self._say(lambda it: afterwards.dispute(PAIR, it, who, self.now)) == expected
        if expected and not repeated:
            if who not in model.confirmed:
                model.confirmed.append(who)
            self._disputed()

    @rule(who=WHO)
    def withdraw(self, who: PersonId) -> None:
        expected = "withdraw" in self.model.allowed(who, self.now)
        assert self._say(lambda it: afterwards.withdraw(PAIR, it, who, self.now)) == expected
        if expected:
            self.model.state, self.model.claimant, self.model.closes_at = "scheduled", None, None
            self.model.let_time_pass(self.now)

    @rule(outcome=st.sampled_from(("held", "missed", "nothing")))
    def a_manager_settles_it(self, outcome: afterwards.Outcome) -> None:
        model, expected = self.model, self.model.state == "disputed"
        assert self._say(lambda it: afterwards.resolve(PAIR, it, outcome, (), self.now)) == expected
        if expected and model.claimant:
            model.state = {"nothing": "lapsed"}.get(outcome, outcome)
            accused = PAIR.other(model.claimant)
            if outcome == "missed":
                model.missed.append(accused)
            elif outcome == "held" and not model.confirmed:
                model.confirmed.append(accused)

    @rule(who=WHO)
    def cancel(self, who: PersonId) -> None:
        model = self.model
        expected = model.state == "cancelled" or "cancel" in model.allowed(who, self.now)
        assert self._say(lambda it: moving.cancel(PAIR, it, who, NOTICE, self.now)) == expected
        if expected:
            model.state = "cancelled"

    @rule(who=WHO, ahead=st.integers(-2, 60))
    def reschedule(self, who: PersonId, ahead: int) -> None:
        model, starts_at = self.model, self.now + ahead * HOUR
        moves = starts_at != model.starts_at
        expected = "reschedule" in model.allowed(who, self.now) and (ahead > 0 or not moves)
        wish = Wish(starts_at)

        def move(it: Session) -> Decision[Session]:
            return moving.reschedule(PAIR, it, who, wish.of(it, NOTICE), self.now, Rules())

        assert self._say(move) == expected
        if expected:
            model.starts_at, model.ends_at = starts_at, starts_at + HOUR

    def _disputed(self) -> None:
        self.model.state, self.model.closes_at = "disputed", self.now + timedelta(days=14)

    @invariant()
    def both_are_what_the_model_says(self) -> None:
        for session in (self.swept, self.unswept):
            it = by_now(PAIR, session, self.now)[0]
            assert (it.state, sorted(it.missed_by)) == (
                self.model.state,
                sorted(self.model.missed),
            )
            for who in PAIR.members:
                assert set(possible(it, who, self.now)) == self.model.allowed(who, self.now)

    @invariant()
    def what_is_published_is_legal(self) -> None:
        words = "".join(each.fact.type.removeprefix("session.") + " " for each in self.of_swept)
        assert LEGAL.fullmatch("scheduled " + words)
        absent = [
            who
            for each in self.of_swept
            if isinstance(each.fact, SessionMissed)
            for who in each.fact.missed_by
        ]
        assert len(absent) == len(set(absent))
        for each in self.of_swept:
            assert each.at <= self.now
            match each.fact:
                case SessionMissed():
                    assert each.at == self.model.starts_at
                case SessionHeld():
                    assert self.model.starts_at <= each.at <= self.model.ends_at
                case SessionCancelled() | SessionRescheduled() as fact:
                    assert each.at < getattr(fact, "previous_starts_at", self.model.starts_at)

    @invariant()
    def somebody_is_waited_for_once_at_a_time(self) -> None:
        turns = ["reply.requested", "reply.settled"] * len(self.waiting)
        assert self.waiting == turns[: len(self.waiting)]
        assert (len(self.waiting) % 2 == 1) == (self.swept.reply is not None)

    def teardown(self) -> None:
        """However late the sweeper comes, the facts are those of one that is never late."""
        for session, happened in ((self.swept, self.of_swept), (self.unswept, self.of_unswept)):
            happened += close(PAIR, session)[1] if session.state != "cancelled" else ()
        assert self.of_swept == self.of_unswept


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
