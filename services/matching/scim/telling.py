"""Puts what changed of people into the outbox, in the transaction that changed it. Holds no SQL."""

from __future__ import annotations

from collections.abc import Sequence

from services.matching.queries import scim
from services.matching.scim.person import leave, tell
from services.matching.scim.rules import ScimRules
from shared.asking import Ask
from shared.events.envelope import new_event
from shared.ids import new_id
from shared.postgres import outbox
from shared.postgres.pool import Connection

# A group of everybody is told of in parts: memory stays what one part needs.
_AT_ONCE = 1_000


async def tell_all(conn: Connection, ask: Ask, ids: Sequence[str], rules: ScimRules) -> None:
    """Tell what is new of these users, by their directory ids. Nothing new is not told.

    Their rows are held from here on, so a person's facts stand in the order they became true.
    """
    for first in range(0, len(ids), _AT_ONCE):
        held = await scim.lock_users(conn, ask.tenant, ids[first : first + _AT_ONCE])
        if held:
            await tell_held(conn, ask, held, rules)


async def tell_held(
    conn: Connection, ask: Ask, ids: Sequence[str], rules: ScimRules, *, gone: bool = False
) -> None:
    """As `tell_all`, of users whose rows the caller holds; with `gone`, that they left."""
    known = await scim.known(conn, ask.tenant, ids, rules.groups)
    decide = leave if gone else tell
    told = [telling for each in known if (telling := decide(each, ask.now))]
    if not told:
        return
    await outbox.append(
        conn,
        [
            new_event(
                each.fact, event_id=new_id(), tenant=ask.tenant, service="matching", now=each.at
            )
            for each in told
        ],
    )
    await scim.save_told(conn, ask.tenant, told)
