"""What is said once a session has started: it took place, I was not there, they were not there.

What one side says against the other is between the two, and a manager, until it is settled: only
the outcome is a fact, as of the session. Pure.

    claimed --they admit it, or say nothing for 72 h of presence--> missed by them
      |--the claim is taken back--> as before it
      `--they say otherwise--> disputed --they admit it--> missed by them
                                 |--it is taken back--> held by their word
                                 |--a manager says--> held, missed, or lapsed
                                 `--nobody does for 14 days--> lapsed: no evidence
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from services.sessions.domain.pair import Pair
from services.sessions.domain.possible import require, require_disputed
from services.sessions.domain.presence import deadline
from services.sessions.domain.session import Claim, Session, by_now, close, held, missed
from services.sessions.domain.thing import Decision
from shared.errors import Rejected
from shared.ids import PersonId

ANSWER_WITHIN = timedelta(hours=72)
SETTLE_WITHIN = timedelta(days=14)

Outcome = Literal["held", "missed", "nothing"]


def confirm(pair: Pair, session: Session, by: PersonId, now: datetime) -> Decision[Session]:
    """One side says that the session took place. Confirming again changes nothing.

    Raises a Conflict of domain/possible.py that names what is allowed.
    """
    pair.side_of(by)
    now_so, told = by_now(pair, session, now)
    if by in now_so.confirmed_by and now_so.state in ("scheduled", "held"):
        return now_so, told
    require("confirm", now_so, by, now)
    confirmed = replace(session, confirmed_by=(*session.confirmed_by, by))
    if len(confirmed.confirmed_by) < len(pair.members):
        return confirmed, ()
    # Both may say so before the planned end; a fact is never about the future.
    return held(pair, confirmed, min(session.slot.ends_at, now))


def was_not_there(
    pair: Pair, session: Session, by: PersonId, now: datetime, *, outage: bool = False
) -> Decision[Session]:
    """One side says of themselves that they were not there: that settles it.

    An accused admits it so; after a miss of the other it says that neither was there. Who has said
    it of their own accord can say it again. Raises a Conflict of domain/possible.py.
    """
    pair.side_of(by)
    if by in session.missed_by and session.claim is None:
        return session, ()
    require("no-show", by_now(pair, session, now)[0], by, now)
    if session.claim:
        outage = session.claim.outage
    return missed(pair, session, (by,), outage=outage)


def claim(
    pair: Pair, session: Session, by: PersonId, now: datetime, *, outage: bool = False
) -> Decision[Session]:
    """One side says that the other was not there, who has 72 hours of presence to answer.

    Whoever has said that it took place, or is accused themselves, has answered with that: the two
    disagree. Claiming again changes nothing. Raises a Conflict of domain/possible.py.
    """
    accused = pair.other(by)
    now_so, _ = by_now(pair, session, now)
    if now_so.state in ("claimed", "disputed") and now_so.claim and now_so.claim.by == by:
        return session, ()
    require("no-show", now_so, by, now)
    if session.state == "claimed":
        return _disputed(session, now), ()
    if session.state in ("disputed", "missed"):
        return session, ()
    said = Claim(by, accused, now, session.confirm_until, outage)
    until = deadline(now, ANSWER_WITHIN, pair)
    claimed = replace(session, state="claimed", claim=said, sweep_at=until)
    return (_disputed(claimed, now) if accused in session.confirmed_by else claimed), ()


def dispute(pair: Pair, session: Session, by: PersonId, now: datetime) -> Decision[Session]:
    """The accused says that they were there and that it took place. Saying so again is nothing new.

    Raises a Conflict of domain/possible.py.
    """
    pair.side_of(by)
    now_so = by_now(pair, session, now)[0]
    if now_so.state == "disputed" and now_so.claim and now_so.claim.accused == by:
        return session, ()
    require("dispute", now_so, by, now)
    confirmed = dict.fromkeys((*session.confirmed_by, by))
    return _disputed(replace(session, confirmed_by=tuple(confirmed)), now), ()


def withdraw(pair: Pair, session: Session, by: PersonId, now: datetime) -> Decision[Session]:
    """Who claimed takes it back: all is as it would be without the claim.

    So the session can be confirmed again, or what was said of it by then decides.
    Raises a Conflict of domain/possible.py.
    """
    pair.side_of(by)
    require("withdraw", by_now(pair, session, now)[0], by, now)
    before = replace(session, state="scheduled", claim=None, sweep_at=session.confirm_until)
    return close(pair, before) if now >= before.sweep_at else (before, ())


def resolve(
    pair: Pair, session: Session, outcome: Outcome, missed_by: Sequence[PersonId], now: datetime
) -> Decision[Session]:
    """Somebody of neither side settles a dispute; `missed_by` is the accused unless it says others.

    Raises SessionClosed when nothing is disputed, or Rejected for somebody outside the pair.
    """
    require_disputed(by_now(pair, session, now)[0])
    assert session.claim is not None
    if missed_by and outcome != "missed":
        raise Rejected("only a missed session was missed by somebody", field="missed_by")
    if not set(missed_by) <= set(pair.members):
        raise Rejected("they are in no side of this pair", field="missed_by")
    if outcome == "nothing":
        return replace(session, state="lapsed"), ()
    if outcome == "missed":
        absent = tuple(dict.fromkeys(missed_by)) or (session.claim.accused,)
        return missed(pair, session, absent, outage=session.claim.outage)
    said = session.confirmed_by or (session.claim.accused,)
    return held(pair, replace(session, confirmed_by=said), min(session.slot.ends_at, now))


def _disputed(session: Session, now: datetime) -> Session:
    assert session.claim is not None
    said = replace(session.claim, disputed_at=now)
    return replace(session, state="disputed", claim=said, sweep_at=now + SETTLE_WITHIN)
