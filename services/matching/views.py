"""Answers as JSON: what each kind of reader is shown of a pair. Reads nothing, decides no rule.

A member sees the trust that is about themselves, as a next step; whoever oversees the programme
sees both directions as bands. Nobody sees a number, and nobody sees the other side's first yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from services.matching.domain.guidance import PairTrust, Standing
from services.matching.domain.pair import Actor, Pair, State
from services.matching.domain.person import Person
from shared.events.insights import Band, Facet
from shared.events.matching import Ground
from shared.events.people import WeeklyHours
from shared.ids import PairId, PersonId, ProgrammeId

Side = Literal["mentor", "mentee"]
Names = Mapping[PersonId, str]


class Member(BaseModel):
    """One side of a pair."""

    person_id: PersonId
    display_name: str


class Reason(BaseModel):
    """Why the two were proposed: `weight` is this reason's part of the fit."""

    code: str
    detail: tuple[str, ...]
    weight: float
    words: str


class NextStep(BaseModel):
    """What would help most, in the words of the text on building trust."""

    facet: Facet
    title: str
    words: str


class Trust(BaseModel):
    """How the behaviour of one side stands."""

    about: Side
    band: Band
    words: str
    next_step: NextStep | None


class PairView(BaseModel):
    """A pair as its reader may see it. `fit` and `accepted_by` are null for participants."""

    pair_id: PairId
    programme_id: ProgrammeId
    mentor: Member
    mentee: Member
    state: State
    proposed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    you_accepted: bool
    accepted_by: tuple[PersonId, ...] | None
    fit: float | None
    reasons: tuple[Reason, ...]
    asked_by: PersonId | None
    answer_until: datetime | None


class PairDetail(PairView):
    """A pair with its trust; the list is empty until there is any."""

    trust: tuple[Trust, ...]


class PairPage(BaseModel):
    """Pairs, newest first; `next_cursor` is null on the last page."""

    pairs: tuple[PairView, ...]
    next_cursor: PairId | None


class PersonView(BaseModel):
    """A person as matching knows them."""

    person_id: PersonId
    display_name: str
    active: bool
    timezone: str
    manager_id: PersonId | None
    languages: tuple[str, ...]
    hours: tuple[WeeklyHours, ...]
    roles: tuple[str, ...]
    capacity: int
    offers: tuple[str, ...]
    goals: tuple[str, ...]
    org_unit: str | None
    grade: int | None


class PeoplePage(BaseModel):
    """People by id, and how many there are in all."""

    people: tuple[PersonView, ...]
    total: int
    next_cursor: PersonId | None


def person_view(person: Person) -> PersonView:
    return PersonView.model_validate(person, from_attributes=True)


def pair_view(pair: Pair, actor: Actor, names: Names) -> PairView:
    """The pair for this reader."""
    yes = ((pair.mentor_id, pair.mentor_accepted), (pair.mentee_id, pair.mentee_accepted))
    accepted_by = tuple(person_id for person_id, accepted in yes if accepted)
    return PairView(
        pair_id=pair.pair_id,
        programme_id=pair.programme_id,
        mentor=_member(pair.mentor_id, names),
        mentee=_member(pair.mentee_id, names),
        state=pair.state,
        proposed_at=pair.proposed_at,
        started_at=pair.started_at,
        ended_at=pair.ended_at,
        end_reason=pair.end_reason,
        you_accepted=actor.person_id in accepted_by,
        accepted_by=accepted_by if actor.oversees else None,
        fit=pair.fit_permille / 1000 if actor.oversees else None,
        reasons=tuple(reason_view(reason) for reason in pair.grounds),
        asked_by=pair.asked_by,
        answer_until=pair.answer_until,
    )


def pair_detail(pair: Pair, actor: Actor, names: Names, trust: PairTrust | None) -> PairDetail:
    """The pair for this reader, with the trust that helps them."""
    view = pair_view(pair, actor, names)
    return PairDetail(**dict(view), trust=_trust(pair, actor, trust))


def _trust(pair: Pair, actor: Actor, trust: PairTrust | None) -> tuple[Trust, ...]:
    if trust is None:
        return ()
    found: list[Trust] = []
    if actor.oversees or actor.person_id == pair.mentor_id:
        found.append(_standing("mentor", trust.about_mentor))
    if actor.oversees or actor.person_id == pair.mentee_id:
        found.append(_standing("mentee", trust.about_mentee))
    return tuple(found)


def _standing(about: Side, standing: Standing) -> Trust:
    advice = standing.next_step
    step = NextStep.model_validate(advice, from_attributes=True) if advice else None
    return Trust(about=about, band=standing.band, words=standing.words, next_step=step)


def _member(person_id: PersonId, names: Names) -> Member:
    return Member(person_id=person_id, display_name=names.get(person_id, person_id))


def reason_view(reason: Ground) -> Reason:
    """One part of a fit, in words."""
    return Reason(**reason.model_dump(), words=_words(reason))


def _words(reason: Ground) -> str:
    named = ", ".join(detail.replace("_", " ") for detail in reason.detail)
    match reason.code:
        case "shared_goals":
            return f"The mentor offers what the mentee is looking for: {named}."
        case "shared_languages":
            return f"They have a language in common: {named}."
        case "shared_hours":
            return f"They have {_duration(int(reason.detail[0]))} a week free at the same time."
        case "related_experience":
            return "What the mentor knows is close to what the mentee is looking for."
        case "past_pairs":
            return f"Pairs about this have gone well in this programme: {named}."
        case _:
            return f"{reason.code.replace('_', ' ').capitalize()}: {named}."


def _duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = ((hours, "h"), (rest, "min"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)
