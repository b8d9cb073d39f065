"""From a whole log to the trust of every pair in it, by the plain fold. Pure.

The independent check of everything that is incremental: read the log, fold, compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from services.insights.domain.evidence import About, Evidence, observe, observe_leave
from services.insights.domain.model import V1, Model
from services.insights.domain.trust import PairTrust, fold
from shared.events.envelope import Event
from shared.events.fact import PairFact, PersonFact
from shared.events.matching import PairEnded, PairStarted
from shared.events.people import LeaveFact
from shared.ids import PairId, PersonId, TenantId

PairOf = tuple[TenantId, PairId]


class Replay:
    """What a log says of its pairs, heard event by event, duplicates included.

    Any order; only where two facts tell the same leave differently, the first one stands.
    """

    def __init__(self) -> None:
        self._members: dict[PairOf, tuple[PersonId, PersonId]] = {}
        self._observed: defaultdict[PairOf, list[Evidence]] = defaultdict(list)
        self._leaves: dict[tuple[TenantId, PersonId], dict[UUID, Evidence]] = {}

    def hear(self, event: Event) -> None:
        """Take one event. Raises PoisonMessage as `observe` does, and has then taken nothing."""
        fact = event.fact
        if isinstance(fact, PersonFact):
            if isinstance(fact, LeaveFact):
                known = self._leaves.setdefault((event.tenant, fact.person_id), {})
                for leave in observe_leave(event):
                    known.setdefault(leave.event_id, leave)
            return
        item = observe(event)
        assert isinstance(fact, PairFact)
        of = (event.tenant, fact.pair_id)
        if item is not None:
            self._observed[of].append(item)
        elif not isinstance(fact, PairStarted | PairEnded):
            return
        self._members.setdefault(of, (fact.mentor_id, fact.mentee_id))

    def pairs(self) -> Iterable[PairOf]:
        """Each pair that began, ended or has evidence."""
        return self._members.keys()

    def evidence(self, of: PairOf) -> list[Evidence]:
        """All evidence of a pair, the leaves of both members included."""
        found = list(self._observed.get(of, ()))
        sides = zip((About.MENTOR, About.MENTEE), self._members.get(of, ()), strict=False)
        for about, person in sides:
            leaves = self._leaves.get((of[0], person), {})
            found += [item._replace(about=about) for item in leaves.values()]
        return found


def fold_log(events: Iterable[Event], model: Model = V1) -> dict[PairId, PairTrust]:
    """The trust of each pair of ONE tenant as of its newest evidence; pairs without are left out.

    Any order, duplicates included. Raises PoisonMessage as `observe` does.
    """
    return {
        pair_id: fold(known, model, max(item.at_us for item in known))
        for pair_id, known in _evidence(events).items()
        if known
    }


def counts(events: Iterable[Event]) -> dict[PairId, int]:
    """How much evidence each pair of ONE tenant has, each piece once."""
    found = _evidence(events)
    return {of: len({item.event_id for item in known}) for of, known in found.items()}


def _evidence(events: Iterable[Event]) -> dict[PairId, list[Evidence]]:
    log = Replay()
    for event in events:
        log.hear(event)
    return {of[1]: log.evidence(of) for of in log.pairs()}
