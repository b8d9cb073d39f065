"""What a person, or their tenant for everybody, has asked for: ways, hours, how much. Pure.

Of several choices the most specific counts: the person's before the tenant's, a workflow's before
its category's, before that for everything. What nobody has chosen is as the workflow says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, ClassVar

from annotated_types import Interval, Len

from services.notifications.domain.hours import Week, Window, week
from services.notifications.domain.message import Channel
from services.notifications.domain.workflow import Category, Mode, Workflow

EVERYTHING = "*"
# The category of digests themselves: who stops those gets what they would hold in the inbox alone.
_DIGESTS: Category = "digest"
BUDGET_PER_DAY = 3
# From eight to eight, every day.
HOURS: Week = tuple(Window(day, 8 * 60, 20 * 60) for day in range(1, 8))
DIGEST_MINUTE = 9 * 60
WORKING_DAYS = (1, 2, 3, 4, 5)

Minute = Annotated[int, Interval(ge=0, le=24 * 60)]
# 1 is Monday.
Weekday = Annotated[int, Interval(ge=1, le=7)]


@dataclass(frozen=True, slots=True)
class Hours:
    """A weekly window in which one may be written to, on the clock of one's own zone."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    weekday: Weekday
    from_minute: Minute
    until_minute: Minute

    def __post_init__(self) -> None:
        if self.until_minute <= self.from_minute:
            raise ValueError(
                "until_minute: must be after from_minute; past midnight is two windows"
            )


@dataclass(frozen=True, slots=True)
class Digest:
    """When what can wait is gathered into one mail: a minute of the day, on some weekdays."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    at_minute: Annotated[int, Interval(ge=0, lt=24 * 60)] = DIGEST_MINUTE
    weekdays: Annotated[tuple[Weekday, ...], Len(1, 7)] = WORKING_DAYS


@dataclass(frozen=True, slots=True)
class Choices:
    """All that somebody has chosen; None and what is not named is left to whoever comes after.

    `ways` are by subject (a workflow, a category, or `*`) and channel. No `hours` at all means
    never, and inbox alone.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    ways: Annotated[Mapping[str, Mapping[Channel, Mode]], Len(0, 200)] = field(default_factory=dict)
    hours: Annotated[tuple[Hours, ...], Len(0, 50)] | None = None
    budget_per_day: Annotated[int, Interval(ge=0, le=50)] | None = None
    digest: Digest | None = None


NOTHING = Choices()


@dataclass(frozen=True, slots=True)
class Wishes:
    """A person's choices over their tenant's."""

    own: Choices = NOTHING
    tenants: Choices = NOTHING

    @property
    def hours(self) -> Week:
        """When they may be written to."""
        for choices in (self.own, self.tenants):
            if choices.hours is not None:
                return _week(choices.hours)
        return HOURS

    @property
    def budget_per_day(self) -> int:
        """How many messages may call for their attention on one day of theirs."""
        for choices in (self.own, self.tenants):
            if choices.budget_per_day is not None:
                return choices.budget_per_day
        return BUDGET_PER_DAY

    @property
    def digest(self) -> Digest:
        """When they read what can wait."""
        return self.own.digest or self.tenants.digest or _DIGEST

    def mode(self, workflow: Workflow, channel: Channel) -> Mode:
        """How a message of the workflow comes to them over the channel."""
        default = workflow.channels.get(channel, "off")
        if workflow.is_critical:
            return default
        mode = next(self._chosen(workflow, channel), default)
        return "off" if mode == "digest" and self._wants_no_digest else mode

    @property
    def _wants_no_digest(self) -> bool:
        said = (choices.ways.get(_DIGESTS, {}).get("email") for choices in (self.own, self.tenants))
        return next((mode for mode in said if mode is not None), "now") == "off"

    def _chosen(self, workflow: Workflow, channel: Channel) -> Iterator[Mode]:
        for choices in (self.own, self.tenants):
            if choices.ways:
                for subject in (workflow.name, workflow.category, EVERYTHING):
                    mode = choices.ways.get(subject, {}).get(channel)
                    if mode is not None:
                        yield mode


_DIGEST = Digest()
NO_WISHES = Wishes()


@lru_cache(maxsize=4_096)
def _week(hours: tuple[Hours, ...]) -> Week:
    return week(Window(each.weekday, each.from_minute, each.until_minute) for each in hours)
