"""How agreements and templates come in and go out over HTTP. Bodies are closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from services.sessions.domain.agreement import Agreement, Newest, State, state_of
from services.sessions.domain.templates import Draft, Hours, Suggestion, Template
from services.sessions.domain.terms import MAX_WINDOWS, Terms, Window
from services.sessions.handlers.agreement_views import Now, Version
from shared.events.fact import Code, Person
from shared.events.people import Minute
from shared.events.sessions import CadenceDays
from shared.shapes import Body, Line


def _distinct(named: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(named)) != len(named):
        raise ValueError("name each once")
    return named


Weekday = Annotated[int, Field(ge=1, le=7, description="1 is Monday")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class HoursIn(Body):
    weekday: Weekday
    from_minute: Minute
    until_minute: Minute


class WindowIn(HoursIn):
    person_id: Person


class _TermsIn(Body):
    cadence_days: CadenceDays
    notice_hours: Annotated[int, Field(ge=0, le=14 * 24)]
    channels: Annotated[
        tuple[Code, ...], Field(min_length=1, max_length=10), AfterValidator(_distinct)
    ]
    topics_off_limits: Annotated[
        tuple[Line, ...], Field(max_length=20), AfterValidator(_distinct)
    ] = ()
    goals: Annotated[tuple[Line, ...], Field(max_length=10), AfterValidator(_distinct)] = ()
    feedback: Code | None = None
    review_after_days: Annotated[int, Field(ge=28, le=366)] | None = None


class TermsIn(_TermsIn):
    """Hours of each in their own zone; a window over midnight is given as two."""

    hours: Annotated[tuple[WindowIn, ...], Field(max_length=MAX_WINDOWS)] = ()
    off_limits: Annotated[tuple[WindowIn, ...], Field(max_length=MAX_WINDOWS)] = ()

    def terms(self) -> Terms:
        written = self.model_dump(exclude={"hours", "off_limits"})
        return Terms(**written, hours=_windows(self.hours), off_limits=_windows(self.off_limits))


class TemplateIn(_TermsIn):
    """Hours of nobody in particular: a draft has them for each of the two, in their own zone."""

    hours: Annotated[tuple[HoursIn, ...], Field(max_length=MAX_WINDOWS // 2)] = ()
    off_limits: Annotated[tuple[HoursIn, ...], Field(max_length=MAX_WINDOWS // 2)] = ()

    def template(self) -> Template:
        written = self.model_dump(exclude={"hours", "off_limits"})
        hours, off_limits = (
            tuple(Hours(**each.model_dump()) for each in windows)
            for windows in (self.hours, self.off_limits)
        )
        return Template(**written, hours=hours, off_limits=off_limits)


class VersionIn(Body):
    version: Number


class SignIn(VersionIn):
    """What is signed: a version, and the revision of it that was read.

    Without a revision, here or as If-Match, it is the text as it was first proposed.
    """

    revision: Number | None = None


class HoursOut(BaseModel):
    weekday: int
    from_minute: int
    until_minute: int


class WindowOut(HoursOut):
    person_id: str


class _TermsOut(BaseModel):
    cadence_days: int
    notice_hours: int
    channels: Sequence[str]
    topics_off_limits: Sequence[str]
    goals: Sequence[str]
    feedback: str | None
    review_after_days: int | None


class TermsOut(_TermsOut):
    hours: Sequence[WindowOut]
    off_limits: Sequence[WindowOut]


class AgreementOut(TermsOut):
    """`review_on` is the day by which both are to look at it again; `reviewed_by` who has."""

    agreement_id: UUID
    version: int
    revision: int
    proposed_by: str
    proposed_at: datetime
    signed_at: datetime | None
    withdrawn_at: datetime | None
    review_on: date | None
    reviewed_by: Sequence[str]
    state: State


class ChangedOut(BaseModel):
    """One field of the terms, as it was and as it is to be."""

    field: str
    before: Any
    after: Any


class VersionOut(AgreementOut):
    """A version, what you may do about it, and what differs from version `since`."""

    allowed: Sequence[str]
    since: int | None
    changed: Sequence[ChangedOut]


class VersionsOut(BaseModel):
    versions: Sequence[VersionOut]
    next_before: int | None


class NowOut(BaseModel):
    in_force: VersionOut | None
    proposed: VersionOut | None


class TemplateOut(_TermsOut):
    """`revision` 0 is the suggestion for a programme without one of its own."""

    programme_id: str | None
    revision: int
    hours: Sequence[HoursOut]
    off_limits: Sequence[HoursOut]
    changed_by: str | None
    changed_at: datetime | None


class SideOut(BaseModel):
    person_id: str
    name: str | None
    zone: str


class DraftOut(BaseModel):
    """`terms` can be changed and proposed as they stand; each one's hours are in their zone."""

    programme_id: str | None
    template_revision: int
    sides: Sequence[SideOut]
    terms: TermsOut


def agreement_out(agreement: Agreement, state: State | None = None) -> AgreementOut:
    """The version; without a state it is the newest, or the one in force."""
    alone = Newest(agreement.version, agreement.version)
    return AgreementOut(
        **asdict(agreement.terms),
        agreement_id=agreement.agreement_id,
        version=agreement.version,
        revision=agreement.revision,
        proposed_by=agreement.proposed_by,
        proposed_at=agreement.proposed_at,
        signed_at=agreement.signed_at,
        withdrawn_at=agreement.withdrawn_at,
        review_on=agreement.review_on,
        reviewed_by=agreement.reviewed_by,
        state=state or state_of(agreement, alone),
    )


def version_out(version: Version) -> VersionOut:
    return VersionOut(
        **dict(agreement_out(version.agreement, version.state)),
        allowed=version.allowed,
        since=version.since,
        changed=[ChangedOut(**asdict(each)) for each in version.changed],
    )


def now_out(now: Now) -> NowOut:
    return NowOut(
        in_force=version_out(now.in_force) if now.in_force else None,
        proposed=version_out(now.proposed) if now.proposed else None,
    )


def template_out(suggestion: Suggestion) -> TemplateOut:
    return TemplateOut(
        **asdict(suggestion.template),
        programme_id=suggestion.programme_id,
        revision=suggestion.revision,
        changed_by=suggestion.changed_by,
        changed_at=suggestion.changed_at,
    )


def draft_out(draft: Draft) -> DraftOut:
    return DraftOut(
        programme_id=draft.suggestion.programme_id,
        template_revision=draft.suggestion.revision,
        sides=[
            SideOut(person_id=each.person_id, name=each.name, zone=each.zone)
            for each in draft.sides
        ],
        terms=TermsOut(**asdict(draft.terms)),
    )


def _windows(windows: Iterable[WindowIn]) -> tuple[Window, ...]:
    return tuple(Window(**each.model_dump()) for each in windows)
