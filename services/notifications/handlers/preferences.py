"""The preference centre: what people, and tenants for all of theirs, choose. No SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.notifications.domain.message import Channel
from services.notifications.domain.preferences import EVERYTHING, NOTHING, Choices, Wishes
from services.notifications.domain.workflow import Mode
from services.notifications.domain.workflows import CATEGORIES, DIGEST, WORKFLOWS
from services.notifications.queries import messages, preferences
from services.notifications.queries.preferences import EVERYBODY, Change, Kept
from shared.asking import Ask
from shared.errors import Rejected
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for

LATEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose, and what comes of it with what their tenant chose."""

    kept: Kept
    wishes: Wishes

    @property
    def revision(self) -> int:
        """How often they have changed it."""
        return self.kept.revision


async def look(pool: Pool, ask: Ask, of_whom: PersonId) -> Chosen:
    """What they have chosen; EVERYBODY for the tenant."""
    async with reading_for(pool, ask.tenant) as conn:
        return await _chosen(conn, ask.tenant, of_whom, None)


async def choose(pool: Pool, ask: Ask, of_whom: PersonId, choices: Choices) -> Chosen:
    """Replace what they have chosen. Raises Rejected for what nobody can choose, and Moved."""
    check(choices)
    async with acting_for(pool, ask.tenant) as conn:
        kept = await preferences.hold(conn, ask.tenant, of_whom)
        ask.require_unmoved(kept)
        if choices != kept.choices:
            change = Change(kept.revision + 1, ask.now, ask.person, "chosen", choices)
            await preferences.save(conn, ask.tenant, of_whom, change)
            await messages.look_again(conn, ask.tenant, [of_whom], ask.now)
            kept = Kept(change.revision, choices)
        return await _chosen(conn, ask.tenant, of_whom, kept)


async def stop(
    conn: Connection, tenant: TenantId, person: PersonId, category: str, now: datetime
) -> None:
    """No more mail of this category to the person, who says so by the link in a mail."""
    kept = await preferences.hold(conn, tenant, person)
    ways = {**kept.choices.ways}
    ways[category] = {**ways.get(category, {}), "email": "off"}
    choices = replace(kept.choices, ways=ways)
    if choices != kept.choices:
        change = Change(kept.revision + 1, now, person, "unsubscribed", choices)
        await preferences.save(conn, tenant, person, change)


async def changes(
    pool: Pool, ask: Ask, of_whom: PersonId, *, before: int, limit: int
) -> Sequence[Change]:
    """What they have changed, the newest first."""
    async with reading_for(pool, ask.tenant) as conn:
        return await preferences.changes(conn, ask.tenant, of_whom, before=before, limit=limit)


def check(choices: Choices) -> None:
    """Raise Rejected for a subject that there is not, or a way it cannot come by."""
    for subject, ways in choices.ways.items():
        possible = _possible(subject)
        if possible is None:
            known = ", ".join((EVERYTHING, *sorted(CATEGORIES), *sorted(WORKFLOWS)))
            raise Rejected(f"there is no {subject!r}; one of: {known}", field="ways")
        for channel, mode in ways.items():
            field = f"ways.{subject}.{channel}"
            if channel not in possible:
                raise Rejected(f"never comes by {channel}", field=field)
            if channel == "inbox" and mode != "now":
                raise Rejected("the inbox disturbs nobody: it has everything, now", field=field)
            if channel in ("calendar", "chat") and mode == "digest":
                raise Rejected("only mail can be gathered: now or off", field=field)


def _possible(subject: str) -> frozenset[Channel] | None:
    """The channels something can come by, and None for a subject that there is not."""
    if subject in WORKFLOWS and WORKFLOWS[subject].is_critical:
        raise Rejected("is always told, and at once", field=f"ways.{subject}")
    if subject == DIGEST.category:
        return frozenset(DIGEST.channels)
    named = [
        workflow
        for workflow in WORKFLOWS.values()
        if subject in (EVERYTHING, workflow.category, workflow.name)
    ]
    if not named and subject not in CATEGORIES:
        return None
    return frozenset(channel for workflow in named for channel in workflow.channels)


async def _chosen(
    conn: Connection, tenant: TenantId, of_whom: PersonId, kept: Kept | None
) -> Chosen:
    own = kept or await preferences.get(conn, tenant, of_whom)
    if of_whom == EVERYBODY:
        return Chosen(own, Wishes(NOTHING, own.choices))
    everybody = await preferences.get(conn, tenant, EVERYBODY)
    return Chosen(own, Wishes(own.choices, everybody.choices))


def modes(wishes: Wishes) -> dict[str, dict[Channel, Mode]]:
    """How each kind of message comes to them, over each channel it can come by."""
    return {
        name: {channel: wishes.mode(workflow, channel) for channel in workflow.channels}
        for name, workflow in WORKFLOWS.items()
    }
