"""A simulated world: the same seed gives the same truth and the same facts. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from deploy.local.simulate.book import Book
from deploy.local.simulate.cast import cast, hide
from deploy.local.simulate.latent import draw
from deploy.local.simulate.life import live
from deploy.local.simulate.nature import DEFAULT, TENANT, Nature
from deploy.local.simulate.story import Story
from services.insights.domain.evidence import About, Evidence, observe, observe_leave
from shared.events.envelope import Event
from shared.events.fact import PairFact
from shared.events.people import LeaveFact
from shared.ids import PairId, PersonId, TenantId


def stories(
    seed: int, pairs: int, days: int, nature: Nature = DEFAULT, tenant: TenantId = TENANT
) -> Iterator[Story]:
    """The stories of so many pairs over so many days, one at a time."""
    truth = draw(np.random.default_rng(seed), nature, pairs, days)
    members = cast(nature, seed, pairs, days)
    hide(truth.facets, members)
    for pair in members:
        mine = pair.number
        yield live(nature, Book(pair, seed, tenant), truth.facets[mine], truth.mending[mine])


def evidence_of(events: Iterable[Event]) -> dict[PairId, list[Evidence]]:
    """The evidence of each pair in a whole log of one tenant, leaves of its members included."""
    found: defaultdict[PairId, list[Evidence]] = defaultdict(list)
    leaves: list[tuple[PersonId, Evidence]] = []
    members: dict[PairId, tuple[PersonId, PersonId]] = {}
    for event in events:
        fact = event.fact
        if isinstance(fact, LeaveFact):
            leaves += [(fact.person_id, item) for item in observe_leave(event)]
        elif isinstance(fact, PairFact):
            members[fact.pair_id] = (fact.mentor_id, fact.mentee_id)
            item = observe(event)
            if item is not None:
                found[fact.pair_id].append(item)
    for pair_id, people in members.items():
        for person, item in leaves:
            if person in people:
                about = About.MENTOR if person == people[0] else About.MENTEE
                found[pair_id].append(item._replace(about=about))
    return dict(found)
