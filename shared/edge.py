"""What stands between a socket and a service's routes, in its order. Decides nothing itself.

From outside: what may come in at all, what goes on record, who asks, how much each may ask, whose
turn it is.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from shared.audit.middleware import Auditing
from shared.audit.recording import Recorder
from shared.clock import Clock
from shared.fairness import FairShare, Shares
from shared.limits import Limiting, Throttling
from shared.settings import ServiceSettings
from shared.unexpected import Unexpected


def edged(
    api: ASGIApp,
    sign_in: Callable[[ASGIApp], ASGIApp],
    recorder: Recorder,
    clock: Clock,
    settings: ServiceSettings,
) -> ASGIApp:
    """The service's API as it is served; `sign_in` puts around it what finds out who asks."""
    shares = Shares(
        settings.requests_in_flight,
        settings.requests_per_tenant,
        settings.requests_beside_others,
        settings.requests_waiting,
    )
    known = sign_in(Throttling(FairShare(api, shares), settings.requests_per_s))
    recorded = Auditing(known, recorder, clock)
    return Unexpected(Limiting(recorded, hsts_s=settings.hsts_s))
