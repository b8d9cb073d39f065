"""Identifiers. Ids are arguments everywhere else: only edges call `new_id`."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

import uuid_utils

TenantId = NewType("TenantId", str)
PersonId = NewType("PersonId", str)
ProgrammeId = NewType("ProgrammeId", str)
PairId = NewType("PairId", UUID)
SessionId = NewType("SessionId", UUID)
CommitmentId = NewType("CommitmentId", UUID)
BoundaryId = NewType("BoundaryId", UUID)
RepairId = NewType("RepairId", UUID)
GoalId = NewType("GoalId", UUID)
IntroductionId = NewType("IntroductionId", UUID)
NotificationId = NewType("NotificationId", UUID)

# Names derived ids; changing it would change every derived id, so it never changes.
NAMESPACE = UUID("6f0f6b52-9a7e-5d0c-8f0e-0f5ad1c0a7e1")
_NAMESPACE = uuid_utils.UUID(str(NAMESPACE))


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 5.7): unique, and increasing with the wall clock to the millisecond."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def derived_id(*parts: str) -> UUID:
    """The same UUIDv5 for the same parts, always. Parts may hold any text but U+001F."""
    return UUID(bytes=uuid_utils.uuid5(_NAMESPACE, "\x1f".join(parts)).bytes)
