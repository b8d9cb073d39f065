"""What a programme suggests to its pairs, and the draft that one pair gets of it. Pure.

A suggestion binds nobody: a pair agrees on what it signs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.sessions.domain.member import Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.terms import MAX_WINDOWS, Terms, Window, require_windows
from shared.ids import PersonId, ProgrammeId, TenantId


@dataclass(frozen=True, slots=True)
class Hours:
    """A weekly window of nobody in particular: each side gets it, in the zone they are in."""

    weekday: int
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class Template:
    """Terms with everybody's windows. `goals` are questions to begin with."""

    cadence_days: int
    notice_hours: int
    channels: tuple[str, ...]
    hours: tuple[Hours, ...] = ()
    off_limits: tuple[Hours, ...] = ()
    topics_off_limits: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    feedback: str | None = None
    review_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a programme suggests. Revision 0 is the suggestion of a programme that has none."""

    tenant: TenantId
    programme_id: ProgrammeId | None
    template: Template
    revision: int = 0
    changed_by: PersonId | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a pair may begin with: the suggestion it is made of, its terms, and whose they are."""

    suggestion: Suggestion
    terms: Terms
    sides: tuple[Member, Member]


# "Set clear expectations: goals, communication and feedback, how often to meet."
DEFAULT = Template(
    cadence_days=14,
    notice_hours=24,
    channels=("video", "in_person", "email"),
    hours=tuple(Hours(weekday, 9 * 60, 17 * 60) for weekday in range(1, 6)),
    goals=(
        "What do we hope to achieve together?",
        "How will we know that we are getting there?",
    ),
    feedback="after_each_session",
    review_after_days=90,
)


def draft(suggestion: Suggestion, pair: Pair) -> Draft:
    """The suggestion as terms of a pair: its windows are those of each of the two."""
    return Draft(suggestion, _terms(suggestion.template, pair), (pair.mentor, pair.mentee))


def require_template(template: Template) -> None:
    """Raise Rejected, naming the field, for a window that is none."""
    nobody = PersonId("-")
    for field, windows in (("hours", template.hours), ("off_limits", template.off_limits)):
        require_windows([_window(each, nobody) for each in windows], field, MAX_WINDOWS // 2)


def _terms(template: Template, pair: Pair) -> Terms:
    return Terms(
        cadence_days=template.cadence_days,
        notice_hours=template.notice_hours,
        channels=template.channels,
        hours=_for_both(template.hours, pair),
        off_limits=_for_both(template.off_limits, pair),
        topics_off_limits=template.topics_off_limits,
        goals=template.goals,
        feedback=template.feedback,
        review_after_days=template.review_after_days,
    )


def _for_both(windows: Iterable[Hours], pair: Pair) -> tuple[Window, ...]:
    every = tuple(windows)
    return tuple(_window(each, person) for person in pair.members for each in every)


def _window(hours: Hours, person: PersonId) -> Window:
    return Window(person, hours.weekday, hours.from_minute, hours.until_minute)
