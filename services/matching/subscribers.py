"""Matching's Kafka edge: which fact goes to which handler. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import Mapping

from services.matching.handlers import erasures, facts, load, people
from shared.events.erasures import ErasureCompleted
from shared.events.fact import Fact
from shared.events.insights import TrustChanged
from shared.events.people import (
    PersonChanged,
    PersonErased,
    PersonJoined,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
)
from shared.events.sessions import (
    CommitmentAcknowledged,
    CommitmentKept,
    CommitmentMissed,
    CommitmentReleased,
    CommitmentShownFalse,
    RepairDelivered,
)
from shared.kafka.per_fact import Handler, Together

_ON_STATES = Together(people.on_states)
HANDLERS: Mapping[type[Fact], Handler | Together] = {
    PersonJoined: _ON_STATES,
    PersonChanged: _ON_STATES,
    PersonLeaveStarted: people.on_leave,
    PersonLeaveEnded: people.on_leave,
    PersonLeft: people.on_left,
    PersonErased: people.on_erased,
    ErasureCompleted: erasures.on_completed,
    TrustChanged: facts.on_trust_changed,
    CommitmentMissed: load.on_missed,
    CommitmentKept: load.on_settled,
    CommitmentReleased: load.on_settled,
    CommitmentShownFalse: load.on_settled,
    CommitmentAcknowledged: load.on_settled,
    RepairDelivered: load.on_settled,
}
