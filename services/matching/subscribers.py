"""Matching's Kafka edge: which fact goes to which handler. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import Mapping

from services.matching.handlers import (
    on_person_changed,
    on_person_joined,
    on_person_left,
    on_trust_changed,
)
from shared.events.fact import Fact
from shared.events.insights import TrustChanged
from shared.events.people import PersonChanged, PersonErased, PersonJoined, PersonLeft
from shared.kafka.per_fact import Handler

HANDLERS: Mapping[type[Fact], Handler] = {
    PersonJoined: on_person_joined,
    PersonChanged: on_person_changed,
    PersonLeft: on_person_left,
    PersonErased: on_person_left,
    TrustChanged: on_trust_changed,
}
