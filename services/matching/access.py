"""Which role may call which route. What it is then shown is decided by the handler."""

from __future__ import annotations

from shared.identity.access import EVERYBODY, MIB, PEOPLE, Access, Body, allow

MANAGERS = allow("manager")
HR = allow("hr")
EVENTS = allow("hr", body=Body(4 * MIB))
PROVISIONING = allow("hr", body=Body(4 * MIB))
OVERSEERS = allow("manager", "service")

# SCIM's own router stands behind these: the directory alone provisions (services/matching/scim).
SCIM = "/scim/v2"
_SCIM = {
    f"{each} {SCIM}/{{path}}": PROVISIONING for each in ("GET", "POST", "PUT", "PATCH", "DELETE")
}

ACCESS: Access = {
    **_SCIM,
    "GET /v1/audit": HR,
    "GET /v1/me/audit": PEOPLE,
    "POST /v1/people/{person_id}/erasure": HR,
    "GET /v1/people/{person_id}/erasure": HR,
    "POST /v1/events": EVENTS,
    "GET /v1/pairs": EVERYBODY,
    "GET /v1/pairs/{pair_id}": EVERYBODY,
    "POST /v1/pairs/{pair_id}/accept": PEOPLE,
    "POST /v1/pairs/{pair_id}/decline": PEOPLE,
    "POST /v1/pairs/{pair_id}/withdraw": PEOPLE,
    "POST /v1/pairs/{pair_id}/start": PEOPLE,
    "POST /v1/pairs/{pair_id}/end": PEOPLE,
    "POST /v1/pairs/{pair_id}/rematch": PEOPLE,
    "POST /v1/pairs/{pair_id}/introductions": PEOPLE,
    "GET /v1/introductions": PEOPLE,
    "GET /v1/introductions/{introduction_id}": PEOPLE,
    "POST /v1/introductions/{introduction_id}/accept": PEOPLE,
    "POST /v1/introductions/{introduction_id}/decline": PEOPLE,
    "POST /v1/introductions/{introduction_id}/outcome": PEOPLE,
    "GET /v1/people": OVERSEERS,
    "GET /v1/people/{person_id}": EVERYBODY,
    "GET /v1/people/{person_id}/places": EVERYBODY,
    "GET /v1/programmes": OVERSEERS,
    "PUT /v1/programmes/{programme_id}": MANAGERS,
    "GET /v1/programmes/{programme_id}": OVERSEERS,
    "PUT /v1/programmes/{programme_id}/exclusions/{one}/{other}": MANAGERS,
    "DELETE /v1/programmes/{programme_id}/exclusions/{one}/{other}": MANAGERS,
    "GET /v1/programmes/{programme_id}/exclusions": MANAGERS,
    "POST /v1/programmes/{programme_id}/runs": MANAGERS,
    "GET /v1/programmes/{programme_id}/runs": MANAGERS,
    "GET /v1/runs/{run_id}": MANAGERS,
    "GET /v1/runs/{run_id}/progress": MANAGERS,
    "POST /v1/runs/{run_id}/cancel": MANAGERS,
    "GET /v1/runs/{run_id}/report": MANAGERS,
    "GET /v1/runs/{run_id}/pairs": MANAGERS,
    "GET /v1/runs/{run_id}/unmatched": MANAGERS,
    "GET /v1/runs/compare": MANAGERS,
    "POST /v1/runs/{run_id}/commit": MANAGERS,
    "GET /v1/programmes/{programme_id}/shortlist": PEOPLE,
    "POST /v1/programmes/{programme_id}/asks": PEOPLE,
    "GET /v1/programmes/{programme_id}/wait": PEOPLE,
    "GET /v1/programmes/{programme_id}/waiting": OVERSEERS,
    "POST /v1/programmes/{programme_id}/rankings": MANAGERS,
    "GET /v1/programmes/{programme_id}/rankings": OVERSEERS,
    "GET /v1/rankings/{ranking_id}": OVERSEERS,
    "POST /v1/rankings/{ranking_id}/close": MANAGERS,
    "GET /v1/me/profile": PEOPLE,
    "PUT /v1/me/profile": PEOPLE,
    "DELETE /v1/me/profile": PEOPLE,
    "GET /v1/me/ranking": PEOPLE,
    "PUT /v1/me/ranking": PEOPLE,
    "GET /v1/programmes/{programme_id}/lessons": OVERSEERS,
}
