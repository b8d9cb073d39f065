"""The Kafka edge: which handler each fact goes to. Decides nothing and opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping

from services.notifications.domain.rules import TOLD
from services.notifications.handlers import people, planning
from shared.events.fact import Fact
from shared.events.people import (
    PersonChanged,
    PersonErased,
    PersonJoined,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
)
from shared.kafka.per_fact import Handler, Together

_ON_STATES, _ON_TOLD = Together(people.on_states), Together(planning.on_told)
# The rule table decides which facts are spoken of, so it is asked and not repeated here.
HANDLERS: Mapping[type[Fact], Handler | Together] = {
    **dict.fromkeys(TOLD, _ON_TOLD),
    PersonJoined: _ON_STATES,
    PersonChanged: _ON_STATES,
    PersonLeaveStarted: people.on_leave,
    PersonLeaveEnded: people.on_leave,
    PersonLeft: people.on_left,
    PersonErased: people.on_left,
}
