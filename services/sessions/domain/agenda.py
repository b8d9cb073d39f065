"""What the next session could be about: the pair's own items, and what lies open. Pure.

Suggestions are words, never a score or a number. Of trust, no more than what the two may be shown
is looked at, and of that no more than what each can do themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.sessions.domain import commitment as commitment_rules
from services.sessions.domain import repair as repair_rules
from services.sessions.domain.agreement import Agreement, today
from services.sessions.domain.commitment import Commitment
from services.sessions.domain.goal import Goal
from services.sessions.domain.guidance import CODES, next_step
from services.sessions.domain.pair import Pair
from services.sessions.domain.repair import Repair
from services.sessions.domain.review import REVIEW_OPENS
from services.sessions.domain.session import Session
from services.sessions.domain.thing import Decision
from shared.errors import Conflict
from shared.events.insights import PartnerSafe
from shared.ids import PairId, PersonId, TenantId

MAX_ITEMS = 30
MAX_SUGGESTIONS = 20
# How often a pair meets that has not agreed on it.
USUAL_CADENCE = timedelta(days=14)


class TooManyItems(Conflict):
    """The agenda is full; take something off first."""

    slug = "too-many-agenda-items"


@dataclass(frozen=True, slots=True)
class Item:
    """What one of the two wants to speak about. It stays until one of them takes it off."""

    tenant: TenantId
    pair_id: PairId
    item_id: UUID
    written_by: PersonId
    written_at: datetime
    text: str
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.item_id

    @property
    def reply(self) -> None:
        """An item asks for no answer."""
        return


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What could be spoken about, in words. `about` is the thing it is about, or None."""

    code: str
    words: str
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """Something of a kind waits for a word of the reader, until then at most."""

    what: str
    id: UUID
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """All that suggestions come from. `newest` may be the agreement in force, or one proposed."""

    session: Session | None = None
    in_force: Agreement | None = None
    newest: Agreement | None = None
    commitments: Sequence[Commitment] = ()
    waiting: Sequence[Waits] = ()
    repairs: Sequence[Repair] = ()
    goals: Sequence[Goal] = ()
    trust: PartnerSafe | None = None


def put_on(
    pair: Pair, item_id: UUID, by: PersonId, text: str, now: datetime, already: int
) -> Decision[Item]:
    """Put something on the agenda, when `already` things are there.

    Raises PairEnded or TooManyItems.
    """
    pair.side_of(by)
    pair.require_active()
    if already >= MAX_ITEMS:
        raise TooManyItems
    return Item(pair.tenant, pair.pair_id, item_id, by, now, text), ()


def suggest(pair: Pair, reader: PersonId, known: Known, now: datetime) -> tuple[Suggestion, ...]:
    """What the reader could bring up in the next session, the most pressing first.

    One about each thing, and one from the facet that needs care. None once the pair has ended.
    """
    pair.side_of(reader)
    if pair.ended_at is not None:
        return ()
    every = (
        *_replies(known.waiting, now),
        *_agreement(pair, reader, known, now),
        *_repairs(reader, known.repairs, now),
        *_due(reader, known, now),
        *_still(known, now),
    )
    said: set[UUID] = set()
    first = [each for each in every if each.about is None or _new(each.about, said)]
    return (*first[:MAX_SUGGESTIONS], *_care(pair, reader, known))


def cadence_of(in_force: Agreement | None) -> timedelta:
    """How often the pair has agreed to meet, or else what is usual."""
    return timedelta(days=in_force.terms.cadence_days) if in_force else USUAL_CADENCE


_REPLY = {
    "session": "Whether a session took place waits for your word.",
    "proposal": "Times for a session were proposed: say which one suits you.",
    "commitment": "A commitment waits for your word.",
    "repair": "Something was put right, as the other side says: say whether it was.",
    "boundary": "The other side says that a boundary was not kept: say how you see it.",
    "goal": "A goal was proposed: say whether it is yours too.",
}


def _new(about: UUID, said: set[UUID]) -> bool:
    if about in said:
        return False
    said.add(about)
    return True


def _replies(waiting: Sequence[Waits], now: datetime) -> Iterable[Suggestion]:
    for each in waiting:
        # Whether the sweeper has been makes no difference.
        if each.until is not None and each.until <= now:
            continue
        yield Suggestion("reply", _REPLY.get(each.what, "Something waits for your word."), each.id)


def _agreement(pair: Pair, reader: PersonId, known: Known, now: datetime) -> Iterable[Suggestion]:
    newest, in_force = known.newest, known.in_force
    if newest is not None and newest.waits and newest.proposed_by != reader:
        words = "The other side proposed how you work together: read it, then sign or answer it."
        yield Suggestion("agreement_to_sign", words, newest.agreement_id)
    if in_force is None:
        words = (
            "You have not agreed yet how you work together. From the outset, both of you should be"
            " clear about what you hope to achieve from the mentoring relationship."
        )
        yield Suggestion("no_agreement", words)
    elif _to_review(pair, in_force, reader, now):
        words = "It is time to look at your agreement again: do the expectations still hold?"
        yield Suggestion("agreement_review", words, in_force.agreement_id)


def _to_review(pair: Pair, in_force: Agreement, reader: PersonId, now: datetime) -> bool:
    review_on, said = in_force.review_on, in_force.reviewed_by
    if review_on is None or today(pair, reader, now) < review_on - REVIEW_OPENS:
        return False
    # Both names stay until the next review opens, and say nothing of that one.
    return reader not in said or len(said) == len(pair.members)


def _repairs(reader: PersonId, repairs: Sequence[Repair], now: datetime) -> Iterable[Suggestion]:
    for each in repairs:
        if repair_rules.standing(each, now).state not in repair_rules.ONGOING:
            continue
        mine = each.wish.by == reader
        words = (
            "You promised to put something right: say how far you are."
            if mine
            else "The other side promised to put something right: ask how far it is."
        )
        yield Suggestion("repair_open", words, each.repair_id)


def _due(reader: PersonId, known: Known, now: datetime) -> Iterable[Suggestion]:
    until = known.session.slot.starts_at if known.session else now + cadence_of(known.in_force)
    for each in known.commitments:
        if commitment_rules.standing(each, now).state != "open" or each.due_at > until:
            continue
        words = (
            "You have a commitment due by then. If there are unforeseen circumstances that prevent"
            " it, communication is key."
            if each.made_by == reader
            else "The other side has a commitment due by then: ask whether they need anything."
        )
        yield Suggestion("commitment_due", words, each.commitment_id)


def _still(known: Known, now: datetime) -> Iterable[Suggestion]:
    since = now - 2 * cadence_of(known.in_force)
    for each in known.goals:
        if each.state == "open" and each.moved_at is not None and each.moved_at <= since:
            words = "A goal has not moved for a while: is it still what you want, and what is next?"
            yield Suggestion("goal_still", words, each.goal_id)


def _care(pair: Pair, reader: PersonId, known: Known) -> Iterable[Suggestion]:
    # That there is no agreement has been said; the facet is what the evidence adds.
    advice = next_step(pair, reader, known.trust, agreed=True)
    if advice is not None and (advice.facet != "E" or known.in_force is not None):
        yield Suggestion(CODES[advice.facet], f"{advice.title}: {advice.words}")
