"""The Kafka edge: which fact goes to which handler. Decides nothing and opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from services.sessions.domain.rules import Rules
from services.sessions.handlers import facts, people
from services.sessions.handlers.erasure import on_person_erased, unless_erased
from shared.events.fact import Fact
from shared.events.insights import TrustChanged
from shared.events.matching import PairEnded, PairStarted
from shared.events.people import (
    PersonChanged,
    PersonErased,
    PersonJoined,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
)
from shared.kafka.per_fact import Handler


def build_handlers(rules: Rules) -> Mapping[type[Fact], Handler]:
    """What is done about each fact, by these rules."""
    on_leave, on_person_state = partial(people.on_leave, rules), partial(people.on_state, rules)
    return {
        PairStarted: facts.on_pair_started,
        PairEnded: facts.on_pair_ended,
        TrustChanged: facts.on_trust_changed,
        PersonJoined: unless_erased(on_person_state),
        PersonChanged: unless_erased(on_person_state),
        PersonLeaveStarted: unless_erased(on_leave),
        PersonLeaveEnded: unless_erased(on_leave),
        PersonLeft: unless_erased(people.on_left),
        PersonErased: on_person_erased,
    }


HANDLERS = build_handlers(Rules())
