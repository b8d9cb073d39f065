"""Which role may call which route. What it is then shown is decided by the handler."""

from __future__ import annotations

from shared.identity.access import EVERYBODY, OPEN, OPEN_PAGE, PEOPLE, Access, allow

SERVICES = allow("service")
OVERSEERS = allow("manager", "service")
ADMINS = allow("manager", "hr", "service")

ACCESS: Access = {
    "GET /v1/audit": allow("hr"),
    "GET /v1/me/audit": PEOPLE,
    "GET /v1/people/{person_id}/inbox": PEOPLE,
    "GET /v1/people/{person_id}/inbox/stream": PEOPLE,
    "POST /v1/inbox/{message_id}/read": PEOPLE,
    "POST /v1/inbox/{message_id}/unread": PEOPLE,
    "POST /v1/inbox/read": PEOPLE,
    "GET /v1/people/{person_id}/messages": EVERYBODY,
    "GET /v1/messages": SERVICES,
    "GET /v1/messages/health": OVERSEERS,
    "GET /v1/me/preferences": PEOPLE,
    "PUT /v1/me/preferences": PEOPLE,
    "GET /v1/me/preferences/changes": PEOPLE,
    "GET /v1/preferences": OVERSEERS,
    "PUT /v1/preferences": OVERSEERS,
    "GET /v1/preferences/changes": OVERSEERS,
    "GET /v1/words": OVERSEERS,
    "GET /v1/words/{workflow}/{language}": OVERSEERS,
    "PUT /v1/words/{workflow}/{language}": OVERSEERS,
    "DELETE /v1/words/{workflow}/{language}": OVERSEERS,
    "POST /v1/words/{workflow}/{language}/preview": OVERSEERS,
    "GET /v1/me/chat": PEOPLE,
    "PUT /v1/me/chat": PEOPLE,
    "DELETE /v1/me/chat": PEOPLE,
    "GET /v1/unsubscribe/{token}": OPEN_PAGE,
    "POST /v1/unsubscribe/{token}": OPEN,
    "POST /v1/bounces": SERVICES,
    "GET /v1/suppressions": OVERSEERS,
    "DELETE /v1/suppressions/{person_id}": OVERSEERS,
    "POST /v1/endpoints": ADMINS,
    "GET /v1/endpoints": ADMINS,
    "GET /v1/endpoints/{endpoint}": ADMINS,
    "PATCH /v1/endpoints/{endpoint}": ADMINS,
    "DELETE /v1/endpoints/{endpoint}": ADMINS,
    "POST /v1/endpoints/{endpoint}/secret": ADMINS,
    "POST /v1/endpoints/{endpoint}/ping": ADMINS,
    "GET /v1/endpoints/{endpoint}/deliveries": ADMINS,
    "POST /v1/endpoints/{endpoint}/deliveries/{delivery}/retry": ADMINS,
    "POST /v1/endpoints/{endpoint}/replay": ADMINS,
    "GET /v1/endpoints/{endpoint}/replay/{replay}": ADMINS,
}
