"""What everything of a pair has in common, and what a decision about it is. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, TypeVar
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from shared.events.sessions import ReplyRequested, ReplySettled
from shared.ids import PairId, PersonId, TenantId


@dataclass(frozen=True, slots=True)
class Reply:
    """Whose word a thing waits for, and until when at most."""

    of: PersonId
    about: Literal["session", "commitment", "repair", "pair"]
    until: datetime | None = None


class Thing(Protocol):
    """Something of one pair that changes by decisions. `revision` counts them, from 1."""

    @property
    def id(self) -> UUID: ...
    @property
    def tenant(self) -> TenantId: ...
    @property
    def pair_id(self) -> PairId: ...
    @property
    def revision(self) -> int: ...
    @property
    def reply(self) -> Reply | None: ...


AThing = TypeVar("AThing", bound=Thing)
Decision: TypeAlias = tuple[AThing, tuple[Happened, ...]]


def replies(pair: Pair, before: Thing | None, after: Thing, now: datetime) -> tuple[Happened, ...]:
    """What is published about who waits for whom. It says no more than that somebody waits."""
    old, new = before.reply if before else None, after.reply
    happened = []
    if old is not None and (new is None or new.of != old.of):
        settled = ReplySettled(**pair.sides, reply_id=after.id, of=old.of)
        happened.append(Happened(pair.tenant, settled, now))
    if new is not None and (old is None or new.of != old.of):
        asked = ReplyRequested(
            **pair.sides, reply_id=after.id, of=new.of, about=new.about, until=new.until
        )
        happened.append(Happened(pair.tenant, asked, now))
    return tuple(happened)
