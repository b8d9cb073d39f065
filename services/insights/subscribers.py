"""The Kafka edge of insights: which function takes a batch of its topics. Holds no rule."""

from __future__ import annotations

from services.insights import handlers
from shared.kafka.per_fact import Apply

# A whole batch at once, not one handler per fact: evidence is its own inbox.
APPLY: Apply = handlers.apply
