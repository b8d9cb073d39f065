"""What was missed, by whom, when it was due: promises and sessions in one shape. Pure."""

from __future__ import annotations

from services.sessions.domain.commitment import MISSED, Commitment
from services.sessions.domain.repair import Miss, NotMissed
from services.sessions.domain.session import Session


def of_commitment(commitment: Commitment) -> Miss:
    """A promise that was not kept. Raises NotMissed; a false claim is no miss, and stays."""
    if commitment.state not in MISSED:
        raise NotMissed
    return Miss(commitment.commitment_id, (commitment.made_by,), commitment.due_at)


def of_session(session: Session) -> Miss:
    """A session that somebody was not at. Raises NotMissed."""
    if session.state != "missed":
        raise NotMissed
    return Miss(session.session_id, session.missed_by, session.slot.starts_at)
