"""A pair as sessions knows it: two sides, a beginning and perhaps an end. Decides no trust."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict

from services.sessions.domain.member import Member
from shared.errors import Conflict, NotFound
from shared.ids import PairId, PersonId, ProgrammeId, TenantId

Side = Literal["mentor", "mentee"]


class PairEnded(Conflict):
    """This pair has ended; nothing new can be agreed in it."""

    slug = "pair-ended"


class Sides(TypedDict):
    """The fields that every fact about a pair has."""

    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people of one tenant. `ended_at` is None while they work together."""

    tenant: TenantId
    pair_id: PairId
    mentor: Member
    mentee: Member
    started_at: datetime
    ended_at: datetime | None = None
    programme_id: ProgrammeId | None = None

    @property
    def mentor_id(self) -> PersonId:
        return self.mentor.person_id

    @property
    def mentee_id(self) -> PersonId:
        return self.mentee.person_id

    @property
    def sides(self) -> Sides:
        return Sides(pair_id=self.pair_id, mentor_id=self.mentor_id, mentee_id=self.mentee_id)

    @property
    def members(self) -> tuple[PersonId, PersonId]:
        return self.mentor_id, self.mentee_id

    def side_of(self, person: PersonId) -> Side:
        """Which side `person` is. Raises NotFound for anybody else: a stranger learns nothing."""
        if person == self.mentor_id:
            return "mentor"
        if person == self.mentee_id:
            return "mentee"
        raise NotFound

    def member(self, person: PersonId) -> Member:
        """That side of the pair. Raises NotFound for anybody else."""
        return self.mentor if self.side_of(person) == "mentor" else self.mentee

    def other(self, person: PersonId) -> PersonId:
        """The other side. Raises NotFound when `person` is in no side of this pair."""
        return self.mentee_id if self.side_of(person) == "mentor" else self.mentor_id

    def require_active(self) -> None:
        """Raise PairEnded once the pair has ended."""
        if self.ended_at is not None:
            raise PairEnded
