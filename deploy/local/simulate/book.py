"""Writes down one pair's story as facts of the real contracts. Pure: ids come from the seed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from deploy.local.simulate.cast import Pair
from deploy.local.simulate.nature import PROGRAMME, START
from shared.events.envelope import Event, new_event
from shared.events.fact import Fact
from shared.ids import ProgrammeId, TenantId, derived_id

HR_SOURCE = "urn:simulated:hr"
PROGRAMME_ID = ProgrammeId(PROGRAMME)


def instant(day: float) -> datetime:
    """The time of a day, counted with fractions from the start of the story."""
    return START + timedelta(seconds=round(day * 86_400))


class Book:
    """The events of one pair. The same pair and seed give the same ids and bytes."""

    def __init__(self, pair: Pair, seed: int, tenant: TenantId) -> None:
        self.pair = pair
        self.events: list[Event] = []
        self.seed = seed
        self._tenant = tenant
        self._ids = 0
        self._who: Mapping[str, Any] = {
            "pair_id": pair.pair_id,
            "mentor_id": pair.people[0],
            "mentee_id": pair.people[1],
        }

    def new(self) -> UUID:
        """The story's next id."""
        self._ids += 1
        return derived_id("simulated", str(self.seed), str(self.pair.number), str(self._ids))

    def tell(self, day: float, fact: type[Fact], **fields: Any) -> None:
        """Something about the pair happened on a day."""
        service = fact.topic.producers[0]
        self.events.append(
            new_event(
                fact(**self._who, **fields),
                event_id=self.new(),
                tenant=self._tenant,
                service=service,
                now=instant(day),
            )
        )

    def tell_hr(self, day: float, fact: Fact) -> None:
        """HR says something about a person."""
        ce_id = f"{fact.type}/{self.new()}"
        event_id = derived_id(self._tenant, HR_SOURCE, ce_id)
        self.events.append(Event(event_id, HR_SOURCE, self._tenant, instant(day), fact, ce_id))
