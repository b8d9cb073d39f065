"""What sessions does about facts of people: names and zones, leaves, and the dates they move.

Each runs inside the delivery's open transaction. It holds the person first, then their pairs, so
that no two facts about one pair's days are reckoned with apart from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.sessions.domain.afterwards import ANSWER_WITHIN
from services.sessions.domain.boundary import ANSWER_WITHIN as ANSWER_ABOUT_BOUNDARY
from services.sessions.domain.dates import Reason, Window, redate_promise, redate_window
from services.sessions.domain.happened import Happened
from services.sessions.domain.member import Member
from services.sessions.domain.rules import Rules
from services.sessions.handlers.common import announce
from services.sessions.queries import boundaries, calendar, dates, leaves, people
from shared.events.envelope import Event
from shared.events.people import PersonLeaveEnded, PersonLeaveStarted, PersonLeft, PersonState
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection


async def on_state(rules: Rules, conn: Connection, event: Event, now: datetime) -> None:
    """Keep what the pair's page and calendar need: zone, country and name, and nothing else.

    Another country has other holidays, and another zone other days.
    """
    fact = event.fact
    assert isinstance(fact, PersonState)
    before = await leaves.hold(conn, event.tenant, fact.person_id)
    member = Member(fact.person_id, fact.timezone, fact.country, fact.display_name)
    await people.save(conn, event.tenant, member, event.occurred_at)
    if (member.zone, member.country) == (before.zone, before.country):
        return
    if await leaves.gather(conn, event.tenant, fact.person_id) != before:
        await _redate(conn, event.tenant, fact.person_id, rules, "holiday", now)


async def on_leave(rules: Rules, conn: Connection, event: Event, now: datetime) -> None:
    """Stop the clock of the person's pairs, or let it go on; the newest fact of a leave counts."""
    fact = event.fact
    assert isinstance(fact, PersonLeaveStarted | PersonLeaveEnded)
    back_on = fact.back_on if isinstance(fact, PersonLeaveEnded) else None
    before = await leaves.hold(conn, event.tenant, fact.person_id)
    await leaves.save(
        conn,
        event.tenant,
        fact.person_id,
        fact.leave_id,
        (fact.started_on, back_on),
        event.occurred_at,
    )
    if await leaves.gather(conn, event.tenant, fact.person_id) != before:
        await _redate(conn, event.tenant, fact.person_id, rules, "leave", now)


async def on_left(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """Forget the person's name and days, and let nobody read their calendar.

    That their pairs end is for matching to say; until then their dates stay as they are.
    """
    fact = event.fact
    assert isinstance(fact, PersonLeft)
    await people.forget(conn, event.tenant, fact.person_id)
    await leaves.forget(conn, event.tenant, fact.person_id)
    await calendar.forget(conn, event.tenant, fact.person_id)


async def _redate(
    conn: Connection,
    tenant: TenantId,
    person: PersonId,
    rules: Rules,
    reason: Reason,
    now: datetime,
) -> None:
    """Move what goes on in the person's pairs to the dates it has by what is known now."""
    held = await dates.hold_pairs(conn, tenant, person)
    if not held:
        return
    pairs = {pair.pair_id: pair for pair in held}
    promises, happened = [], list[Happened]()
    for promised in await dates.promises(conn, tenant, held):
        moved, told = redate_promise(pairs[promised.pair_id], promised, rules.grace, reason, now)
        happened += told
        if moved != promised:
            promises.append(moved)
    await dates.move_promises(conn, tenant, promises)

    def moved_of(windows: Sequence[Window], span: timedelta) -> list[Window]:
        found = ((each, redate_window(pairs[each.pair_id], each, span, now)) for each in windows)
        return [after for before, after in found if after != before]

    sessions = moved_of(await dates.sessions(conn, tenant, held), rules.confirm_within)
    sessions += moved_of(await dates.claims(conn, tenant, held), ANSWER_WITHIN)
    await dates.move_sessions(conn, tenant, sessions)
    repairs = moved_of(await dates.repairs(conn, tenant, held), rules.grace)
    await dates.move_repairs(conn, tenant, repairs)
    claims = moved_of(await boundaries.claims(conn, tenant, held), ANSWER_ABOUT_BOUNDARY)
    await boundaries.move(conn, tenant, claims)
    await announce(conn, happened)
