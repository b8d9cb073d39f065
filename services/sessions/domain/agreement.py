"""The agreement of a pair: proposed by one side, in force once the other signs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from shared.errors import Conflict, NotFound
from shared.events.sessions import AgreementSigned
from shared.ids import PairId, PersonId, TenantId


class AgreementSuperseded(Conflict):
    """A newer version of the agreement has been proposed since."""

    slug = "agreement-superseded"


class OwnProposal(Conflict):
    """You proposed this version, and so have signed it; it waits for the other side."""

    slug = "own-proposal"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the two sides can agree on."""

    cadence_days: int
    notice_hours: int
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version. The proposer's signature is the proposal; `signed_at` is the other side's."""

    tenant: TenantId
    pair_id: PairId
    version: int
    terms: Terms
    proposed_by: PersonId
    proposed_at: datetime
    signed_at: datetime | None = None


def propose(
    pair: Pair, newest: Agreement | None, by: PersonId, terms: Terms, now: datetime
) -> Agreement:
    """The next version, signed by its proposer. An older one that waits for a signature is void."""
    pair.side_of(by)
    pair.require_active()
    version = newest.version + 1 if newest else 1
    return Agreement(pair.tenant, pair.pair_id, version, terms, by, now)


def sign(
    pair: Pair, newest: Agreement | None, version: int, by: PersonId, now: datetime
) -> tuple[Agreement, tuple[Happened, ...]]:
    """Sign `version`, which must be the newest. Signing again changes nothing.

    Raises NotFound, AgreementSuperseded, OwnProposal or PairEnded.
    """
    pair.side_of(by)
    if newest is None or version > newest.version:
        raise NotFound("there is no such version of the agreement")
    if version < newest.version:
        raise AgreementSuperseded(
            f"version {version} has been superseded; the newest is version {newest.version}"
        )
    if by == newest.proposed_by:
        raise OwnProposal
    if newest.signed_at is not None:
        return newest, ()
    pair.require_active()
    fact = AgreementSigned(
        **pair.sides,
        agreement_version=version,
        cadence_days=newest.terms.cadence_days,
        notice_hours=newest.terms.notice_hours,
        channels=newest.terms.channels,
    )
    return replace(newest, signed_at=now), (Happened(pair.tenant, fact, now),)
