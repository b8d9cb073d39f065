"""The kinds of things a pair has that wait for somebody or for a time: where each is kept, and the
rule by which time closes it. Decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.sessions.domain import boundary as boundary_rules
from services.sessions.domain import commitment as commitment_rules
from services.sessions.domain import goal as goal_rules
from services.sessions.domain import proposal as proposal_rules
from services.sessions.domain import repair as repair_rules
from services.sessions.domain import session as session_rules
from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import Decision
from services.sessions.queries import (
    boundaries,
    commitments,
    goals,
    proposals,
    repairs,
    sessions,
)
from services.sessions.queries.sweeps import Swept
from shared.postgres.pool import Connection


class Kept(Protocol):
    """Where the things of a kind are kept: a module of queries."""

    SWEPT: Swept[Any]

    async def save(self, conn: Connection, things: Sequence[Any], /) -> None: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """Things that time decides about, and the rule by which it does."""

    kept: Kept
    close: Callable[[Pair, Any], Decision[Any]]


KINDS = (
    Kind(sessions, session_rules.close),
    Kind(proposals, proposal_rules.close),
    Kind(commitments, commitment_rules.close),
    Kind(repairs, repair_rules.close),
    Kind(boundaries, boundary_rules.close),
    Kind(goals, goal_rules.close),
)
