"""The Kafka edge: which handler each fact goes to. Decides nothing and opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from services.notifications import handlers
from services.notifications.domain.rules import Told
from shared.events.fact import Fact
from shared.events.people import PersonChanged, PersonErased, PersonJoined, PersonLeft
from shared.kafka.per_fact import Handler

# The rule table decides which facts are spoken of, so it is asked and not repeated here.
HANDLERS: Mapping[type[Fact], Handler] = {
    PersonJoined: handlers.on_person_state,
    PersonChanged: handlers.on_person_state,
    PersonLeft: handlers.on_person_left,
    PersonErased: handlers.on_person_left,
    **dict.fromkeys(get_args(Told), handlers.on_told),
}
