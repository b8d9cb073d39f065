"""Which role may call which route. What it is then shown is decided by the handler."""

from __future__ import annotations

from shared.identity.access import OPEN_PAGE, PEOPLE, Access, allow

# By one of the two, as such: a manager who is a member asks as a participant.
MEMBERS = allow("participant")
MANAGERS = allow("manager")
SERVICES = allow("service")
OVERSEERS = allow("manager", "service")
ADMINS = allow("manager", "hr", "service")

# The page itself says nothing of anybody; what it shows it asks for under /v1/.
ACCESS: Access = {
    "GET /": OPEN_PAGE,
    "GET /programmes/{programme}": OPEN_PAGE,
    "GET /pairs/{pair}": OPEN_PAGE,
    "GET /me": OPEN_PAGE,
    "GET /page/{name}": OPEN_PAGE,
    "GET /session": OPEN_PAGE,
    "GET /sign-in": OPEN_PAGE,
    "GET /signed-in": OPEN_PAGE,
    "POST /sign-out": OPEN_PAGE,
    "GET /v1/audit": allow("hr"),
    "GET /v1/me/audit": PEOPLE,
    "GET /v1/pairs/{pair_id}/trust": SERVICES,
    "GET /v1/pairs/{pair_id}/trust/self": MEMBERS,
    "GET /v1/pairs/{pair_id}/trust/shared": MEMBERS,
    "GET /v1/pairs/{pair_id}/trust/managed": MANAGERS,
    "GET /v1/pairs/{pair_id}/trust/history": allow("participant", "manager", "service"),
    "GET /v1/pairs/{pair_id}/timeline": allow("participant", "manager", "service"),
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
    "GET /v1/programmes/{programme_id}/overview": OVERSEERS,
    "GET /v1/programmes/{programme_id}/pairs": OVERSEERS,
    "GET /v1/programmes/{programme_id}/export": ADMINS,
}
