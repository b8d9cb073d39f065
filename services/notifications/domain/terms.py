"""What an agreement says about writing to the two: hours for each side. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from services.notifications.domain.hours import ALWAYS, Week, Window, week, without
from shared.events.sessions import AgreementSigned
from shared.events.sessions.agreements import AgreedHours
from shared.ids import PersonId


def hours_of(fact: AgreementSigned, side: PersonId) -> Week:
    """When this side may be written to about the pair, on its own clock.

    No hours of their own means at any time; hours that are off limits to them are taken away.
    """
    agreed = _week(fact.hours, side) or ALWAYS
    return without(agreed, _week(fact.off_limits, side))


def _week(hours: Iterable[AgreedHours], side: PersonId) -> Week:
    return week(
        Window(each.weekday, each.from_minute, each.until_minute)
        for each in hours
        if each.person_id == side
    )
