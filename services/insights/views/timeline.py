"""What both sides saw happen in a pair, newest first: for the two, for managers and for services.

No private answer is in it, not even its date; and no words, for insights has none.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.insights.domain.evidence import About, Evidence, Kind, from_us
from services.insights.domain.model import Model, Row
from services.insights.views.asked import Asked
from shared.http import Role

MOST = 200

_ABOUT: dict[int, Literal["mentor", "mentee", "both"]] = {
    About.MENTOR: "mentor",
    About.MENTEE: "mentee",
    About.BOTH: "both",
}


class Happening(BaseModel):
    """Something that both saw; `direction` is which way it points, null if it points nowhere."""

    at: AwareDatetime
    code: str
    about: Literal["mentor", "mentee", "both"]
    direction: Literal["up", "down"] | None
    event_id: UUID


class Timeline(BaseModel):
    """The newest happenings of a pair, newest first; `more` is whether there were earlier ones."""

    view: Literal["timeline"] = "timeline"
    pair_id: UUID
    items: list[Happening]
    more: bool


def timeline(asked: Asked, limit: int, role: Role) -> Timeline:
    """What happened by the instant asked for."""
    pair, evidence, at_us, model = asked
    seen = [
        (item, model.rows[Kind(item.kind)])
        for item in evidence
        if item.at_us <= at_us and _may_tell(item, model, role)
    ]
    seen.sort(key=lambda found: (found[0].at_us, found[0].event_id), reverse=True)
    return Timeline(
        pair_id=pair.subject.pair_id,
        items=[_happening(item, row) for item, row in seen[:limit]],
        more=len(seen) > limit,
    )


def _may_tell(item: Evidence, model: Model, role: Role) -> bool:
    if item.kind not in model.rows or item.about not in _ABOUT:
        return False
    return role == "service" or item.kind not in model.answers


def _happening(item: Evidence, row: Row) -> Happening:
    direction: Literal["up", "down"] | None = "down" if row.bad else "up" if row.good else None
    return Happening(
        at=from_us(item.at_us),
        code=row.code,
        about=_ABOUT[item.about],
        direction=direction,
        event_id=item.event_id,
    )
