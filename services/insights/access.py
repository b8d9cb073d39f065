"""Which role may call which route. What it is then shown is decided by the handler."""

from __future__ import annotations

from shared.identity.access import PEOPLE, Access, allow

# By one of the two, as such: a manager who is a member asks as a participant.
MEMBERS = allow("participant")
MANAGERS = allow("manager")
SERVICES = allow("service")
OVERSEERS = allow("manager", "service")
ADMINS = allow("manager", "hr", "service")

ACCESS: Access = {
    "GET /v1/audit": allow("hr"),
    "GET /v1/me/audit": PEOPLE,
    "GET /v1/pairs/{pair_id}/trust": SERVICES,
    "GET /v1/pairs/{pair_id}/trust/self": MEMBERS,
    "GET /v1/pairs/{pair_id}/trust/shared": MEMBERS,
    "GET /v1/pairs/{pair_id}/trust/managed": MANAGERS,
    "GET /v1/pairs/{pair_id}/trust/history": allow("participant", "manager", "service"),
    "GET /v1/trust": SERVICES,
    "GET /v1/stream": OVERSEERS,
    "GET /v1/pairs/{pair_id}/stream": MEMBERS,
    "GET /v1/alerts": OVERSEERS,
    "GET /v1/models": OVERSEERS,
    "POST /v1/models": SERVICES,
    "GET /v1/models/{name}/difference": SERVICES,
    "PUT /v1/models/in-force": SERVICES,
    "GET /v1/programmes": ADMINS,
    "GET /v1/programmes/{programme_id}/measures": ADMINS,
    "GET /v1/programmes/{programme_id}/export": ADMINS,
}
