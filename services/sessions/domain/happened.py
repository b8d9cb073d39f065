"""What a decision leads to: a fact and the instant it is about. Publishes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.events.fact import PairFact
from shared.ids import TenantId


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact and when it happened, which is never when it was noticed."""

    tenant: TenantId
    fact: PairFact
    at: datetime
