"""What comes back of mails: reports that nobody got one, readers who want no more. No SQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from services.notifications.domain.workflows import CATEGORIES
from services.notifications.links import Stop
from services.notifications.queries import suppression
from services.notifications.queries.suppression import Bounced, Reached, Suppressed
from services.notifications.reports import (
    SOFT_WINDOW,
    Report,
    address_hash,
    gives_up,
)
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for

# Stops mails of a category to a person: (connection, tenant, person, category, now).
Stopping: TypeAlias = Callable[[Connection, TenantId, PersonId, str, datetime], Awaitable[None]]
# `seen` is a report that came before, `unknown` one of nobody's mail.
Taken: TypeAlias = Literal["suppressed", "counted", "seen", "unknown"]


async def unsubscribe(pool: Pool, stop: Stop, now: datetime, stopping: Stopping) -> None:
    """Do what the link says. Nothing happens for someone who has left, or a second time."""
    async with acting_for(pool, stop.tenant) as conn:
        # What is no category any more cannot be sent either.
        if stop.category not in CATEGORIES:
            return
        if not await suppression.has_left(conn, stop.tenant, stop.person):
            await stopping(conn, stop.tenant, stop.person, stop.category, now)


async def take_report(pool: Pool, ask: Ask, report: Report, stopping: Stopping) -> Taken:
    """Note who did not get a mail, and give their address up where that is time."""
    async with acting_for(pool, ask.tenant) as conn:
        people = await _reached(conn, ask.tenant, report)
        taken = [await _note(conn, ask, report, each, stopping) for each in people]
    order: tuple[Taken, ...] = ("suppressed", "counted", "seen")
    return next((each for each in order if each in taken), "unknown")


async def suppressions(pool: Pool, ask: Ask, after: str, limit: int) -> Sequence[Suppressed]:
    """To whom no mail goes, by their ids."""
    async with reading_for(pool, ask.tenant) as conn:
        return await suppression.listed(conn, ask.tenant, after, limit)


async def lift(pool: Pool, ask: Ask, person: PersonId) -> None:
    """Mail to the person again. Raises NotFound where none was held back."""
    async with acting_for(pool, ask.tenant) as conn:
        if not await suppression.lift(conn, ask.tenant, person, ask.now, ask.person):
            raise NotFound("nothing holds mail to this person back", field="person_id")


async def _reached(
    conn: Connection, tenant: TenantId, report: Report
) -> Sequence[tuple[PersonId, bytes]]:
    """Whom it is about, with the hash of the address that failed."""
    if report.message_id is not None:
        reached = await suppression.reached_by(conn, tenant, report.message_id)
        return [(reached.person, _failed(tenant, reached, report))] if reached else []
    found = await suppression.at_addresses(conn, tenant, sorted(report.addresses))
    return [(each.person, address_hash(tenant, each.address)) for each in found]


def _failed(tenant: TenantId, reached: Reached, report: Report) -> bytes:
    """A mail may fail at an address it was passed on to: ours is the one that is given up. Unless
    the reader's has changed since the mail was sent: then it is the one that the report names.
    """
    others = report.addresses - {reached.address.lower()}
    if reached.is_newer and others == report.addresses and others:
        return address_hash(tenant, min(others))
    return address_hash(tenant, reached.address)


async def _note(
    conn: Connection,
    ask: Ask,
    report: Report,
    failed: tuple[PersonId, bytes],
    stopping: Stopping,
) -> Taken:
    person, hashed = failed
    # One report may tell of several people: each is told of once.
    report_id = f"{report.report_id}/{person}"
    bounced = Bounced(report_id, person, hashed, report.kind, ask.now)
    if not await suppression.note(conn, ask.tenant, bounced):
        return "seen"
    if report.kind == "complaint":
        for category in sorted(CATEGORIES):
            await stopping(conn, ask.tenant, person, category, ask.now)
    lately = await suppression.soft_since(conn, ask.tenant, bounced, ask.now - SOFT_WINDOW)
    if not gives_up(report.kind, lately):
        return "counted"
    await suppression.suppress(conn, ask.tenant, bounced, ask.person)
    return "suppressed"
