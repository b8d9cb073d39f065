"""From facts to decided messages, many facts at a time. Runs inside the delivery's transaction.

What is written here is everything that a message will ever need, except for names, addresses and
words. Those are looked up when it is sent or read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.notifications.domain import announcement
from services.notifications.domain.attention import NO_TERMS, Attention, decide
from services.notifications.domain.message import Channel, cause_of
from services.notifications.domain.planned import Planned, planned, ways
from services.notifications.domain.rules import Said, Settled, message_of, said_for, settled_by
from services.notifications.domain.terms import hours_of
from services.notifications.domain.workflow import Workflow
from services.notifications.domain.workflows import WORKFLOWS
from services.notifications.handlers.announcing import announce
from services.notifications.queries import attention, digests, messages, reading
from services.notifications.queries.attention import PairTerms, Who
from shared.events.envelope import Event
from shared.events.fact import PairFact
from shared.events.sessions import AgreementSigned
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection


class _Told(NamedTuple):
    """A fact, what it makes pointless, and what it says."""

    event: Event
    settled: Sequence[Settled]
    said: Sequence[Said]


async def on_told(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Write the messages that the rule table makes of these facts of a tenant, each of them once.

    Those for the inbox are delivered by being written, and announced in the same transaction. What
    a fact makes pointless is taken back, whether it was made here or long ago.
    """
    tenant = events[0].tenant
    await _keep_terms(conn, tenant, events)
    told = [
        _Told(event, settled_by(event.fact), said_for(event.fact, event.occurred_at))
        for event in events
    ]
    settled = [each for one in told for each in one.settled]
    dropped = await messages.drop_settled(conn, tenant, settled) if settled else []
    # What was to be said later, and will not be, is no news.
    news = [
        announcement.suppressed(message, "over", now)
        for message in dropped
        if message.not_before <= now
    ]
    if any(one.said for one in told):
        rows = await _gather(conn, tenant, await _plan(conn, tenant, told, now))
        new = await messages.add(conn, rows, now)
        written = [row for row in rows if row.message.message_id in new]
        news += [row.news for row in written if row.news is not None]
        await reading.tell(conn, tenant, [row.message.to for row in written if row.state == "sent"])
    await announce(conn, news, now, beside=events)


async def _plan(
    conn: Connection, tenant: TenantId, told: Sequence[_Told], now: datetime
) -> list[Planned]:
    speaking = [one for one in told if one.said]
    people = {person for one in speaking for said in one.said for person in said.to}
    pairs = {one.event.fact.pair_id for one in speaking if isinstance(one.event.fact, PairFact)}
    readers = await attention.readers(conn, {(tenant, person) for person in people})
    agreed = await attention.terms(conn, {(tenant, pair) for pair in pairs})
    plan = _Plan(readers, agreed)
    for one in told:
        for settled in one.settled:
            plan.settle(settled, now)
        if one.said:
            plan.add(one.event, one.said, now)
    return plan.rows


async def _keep_terms(conn: Connection, tenant: TenantId, events: Sequence[Event]) -> None:
    agreed: dict[PairId, tuple[int, PairTerms]] = {}
    for event in events:
        fact = event.fact
        if isinstance(fact, AgreementSigned):
            known = agreed.get(fact.pair_id)
            if known is None or known[0] < fact.agreement_version:
                terms = PairTerms(
                    fact.mentor_id,
                    fact.mentee_id,
                    tuple(fact.channels),
                    hours_of(fact, fact.mentor_id),
                    hours_of(fact, fact.mentee_id),
                )
                agreed[fact.pair_id] = fact.agreement_version, terms
    await attention.save_terms(conn, tenant, agreed)


class _Plan:
    """The rows of a batch, in the order of its facts."""

    def __init__(
        self, readers: Mapping[Who, Attention], agreed: Mapping[PairId, PairTerms]
    ) -> None:
        self._readers = readers
        self._agreed = agreed
        self._rows: dict[UUID, Planned] = {}
        self._known: dict[tuple[str, int], tuple[Channel, ...]] = {}
        # By what they are about, and by pair.
        self._of: defaultdict[UUID, list[UUID]] = defaultdict(list)

    @property
    def rows(self) -> list[Planned]:
        """What to write."""
        return list(self._rows.values())

    def settle(self, settled: Settled, now: datetime) -> None:
        """What a later fact settles is never said for an earlier one."""
        for message_id in self._of.get(settled.about, ()):
            row = self._rows.get(message_id)
            if row is None or not row.is_open or not settled.ends(row.message):
                continue
            if row.message.not_before > now:
                del self._rows[message_id]
            else:
                self._rows[message_id] = row.dropped("over", now)

    def add(self, event: Event, everything: Sequence[Said], now: datetime) -> None:
        """Decide about each message, and plan those that somebody could expect."""
        cause = cause_of(event)
        for said in everything:
            workflow = WORKFLOWS[said.workflow]
            for person in said.to:
                reader = self._readers[event.tenant, person]
                for channel in self._ways(workflow, reader):
                    message = message_of(event, cause, said, person, channel)
                    pair = self._agreed.get(message.pair_id)
                    terms = pair.of(person) if pair else NO_TERMS
                    decision = decide(message, workflow, reader, terms, now)
                    self._keep(planned(message, workflow, reader, decision, now))

    def _keep(self, row: Planned) -> None:
        message = row.message
        self._rows[message.message_id] = row
        for thing in {message.about, message.pair_id}:
            self._of[thing].append(message.message_id)

    def _ways(self, workflow: Workflow, reader: Attention) -> tuple[Channel, ...]:
        # Most people have the same wishes: none of their own.
        asked = workflow.name, id(reader.wishes)
        if asked not in self._known:
            self._known[asked] = ways(workflow, reader)
        return self._known[asked]


async def _gather(conn: Connection, tenant: TenantId, rows: Sequence[Planned]) -> list[Planned]:
    """Put what waits for a digest into the one that is open for its reader, or opens one."""
    closing: dict[PersonId, datetime] = {}
    for row in rows:
        if row.state == "gathered":
            closing.setdefault(row.message.to, row.due_at)
    if not closing:
        return list(rows)
    opened = await digests.open_for(conn, tenant, closing)
    return [row.joining(opened[row.message.to]) if row.state == "gathered" else row for row in rows]
