"""The Kafka edge: which handler each fact goes to. Decides nothing and opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping

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
from shared.events.registry import FACTS
from shared.events.topics import PAIRS, SESSIONS
from shared.kafka.per_fact import Handler, Together

_ON_STATES, _ON_TOLD = Together(people.on_states), Together(planning.on_told)
# Every fact of a pair may settle something, or be wanted by an endpoint; the rule table says which
# are spoken of.
HANDLERS: Mapping[type[Fact], Handler | Together] = {
    **{fact: _ON_TOLD for fact in FACTS.values() if fact.topic in (PAIRS, SESSIONS)},
    PersonJoined: _ON_STATES,
    PersonChanged: _ON_STATES,
    PersonLeaveStarted: people.on_leave,
    PersonLeaveEnded: people.on_leave,
    PersonLeft: people.on_left,
    PersonErased: people.on_erased,
}
