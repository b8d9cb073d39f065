"""The Kafka edge: which fact goes to which handler. Decides nothing and opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping

from services.sessions.handlers import facts
from shared.events.fact import Fact
from shared.events.insights import TrustChanged
from shared.events.matching import PairEnded, PairStarted
from shared.events.people import PersonChanged, PersonJoined, PersonLeft
from shared.kafka.per_fact import Handler

HANDLERS: Mapping[type[Fact], Handler] = {
    PairStarted: facts.on_pair_started,
    PairEnded: facts.on_pair_ended,
    TrustChanged: facts.on_trust_changed,
    PersonJoined: facts.on_person_state,
    PersonChanged: facts.on_person_state,
    PersonLeft: facts.on_person_left,
}
