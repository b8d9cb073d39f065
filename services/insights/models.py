"""Which version of the model makes a tenant's scores, and what another would say of them.

A version is registered once and never changes; putting one in force publishes every pair anew.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.insights.domain.evidence import Evidence, to_us
from services.insights.domain.model import V1, Model
from services.insights.domain.trust import PairTrust, fold
from services.insights.domain.versions import as_text, derive, names_of
from services.insights.queries import evidence, models, pairs
from services.insights.queries.pairs import PairRow
from shared.errors import Conflict, NotFound
from shared.ids import TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, acting_for_all, reading_for

BUILT_IN = {V1.name: V1}
PAGE = 200
# How many of the pairs that change most a comparison names.
MOST_CHANGED = 20


class InForce(NamedTuple):
    """The version that makes a tenant's scores. `generation` grows with each switch."""

    model: Model
    generation: int


DEFAULT = InForce(V1, 0)


class ModelExists(Conflict):
    """A version of this name is registered already, and a version never changes."""

    slug = "model-exists"


async def in_force(conn: Connection, tenants: Iterable[TenantId]) -> dict[TenantId, InForce]:
    """The version of each tenant."""
    wanted = dict.fromkeys(tenants, DEFAULT)
    found = await models.force(conn, wanted)
    if found:
        known = await _by_number(conn)
        for tenant, number, generation in found:
            wanted[tenant] = InForce(known[number], generation)
    return wanted


async def of_tenant(conn: Connection, tenant: TenantId) -> InForce:
    """The version of one tenant."""
    return (await in_force(conn, [tenant]))[tenant]


async def every(conn: Connection) -> dict[str, Model]:
    """All versions there are, by name."""
    return {model.name: model for model in (await _by_number(conn)).values()}


async def named(conn: Connection, name: str) -> Model:
    """A version by its name. Raises NotFound."""
    found = (await every(conn)).get(name)
    if found is None:
        raise NotFound(f"no version of the model is called {name}; `trustfold insights models ls`")
    return found


async def register(pool: Pool, document: dict[str, Any], now: datetime) -> Model:
    """Keep a new version. Raises BadModel, NotFound for its base, ModelExists."""
    name, base = names_of(document)
    async with acting_for_all(pool) as conn:
        known = await every(conn)
        if name in known:
            raise ModelExists
        if base not in known:
            raise NotFound(f"no version of the model is called {base}; it is the base of {name}")
        derive(known[base], V1.number + 1, document)
        number = await models.register(conn, name, as_text(document), now)
        return derive(known[base], number, document)


async def switch(pool: Pool, tenant: TenantId, name: str, now: datetime) -> int:
    """Make a tenant's scores with a version from now on; how many pairs are published anew."""
    async with acting_for(pool, tenant) as conn:
        model = await named(conn, name)
        return await models.switch(conn, tenant, model.number, now)


async def described(pool: Pool, tenant: TenantId) -> list[dict[str, Any]]:
    """Every version, the built-in one first, and which of them is in force for a tenant."""
    async with reading_for(pool, tenant) as conn:
        current = (await of_tenant(conn, tenant)).model.number
        rows = await models.registered(conn)
    found: list[dict[str, Any]] = [{"number": V1.number, "name": V1.name, "document": None}]
    found += [
        {"number": row.number, "name": row.name, "document": json.loads(row.document)}
        for row in rows
    ]
    return [{**each, "in_force": each["number"] == current} for each in found]


async def difference(
    pool: Pool, tenant: TenantId, one: str | None, other: str, at: datetime
) -> Comparison:
    """`compare` by name; `one` None is the version in force. Raises NotFound."""
    async with reading_for(pool, tenant) as conn:
        before = await named(conn, one) if one else (await of_tenant(conn, tenant)).model
        return await compare(conn, tenant, before, await named(conn, other), at)


async def _by_number(conn: Connection) -> dict[int, Model]:
    known = {V1.number: V1}
    by_name = dict(BUILT_IN)
    for row in await models.registered(conn):
        base = by_name[names_of(json.loads(row.document))[1]]
        known[row.number] = by_name[row.name] = _derived(base, row.number, row.document)
    return known


# A model is worked out once: its effects are kept with it. By its text, for two databases may give
# one number to two versions.
_DERIVED: dict[tuple[int, int, str], Model] = {}


def _derived(base: Model, number: int, document: str) -> Model:
    key = (id(base), number, document)
    if key not in _DERIVED:
        _DERIVED[key] = derive(base, number, json.loads(document))
    return _DERIVED[key]


class Change(NamedTuple):
    """What another version says of one direction of a pair."""

    pair_id: str
    about: str
    before: float
    after: float
    band_before: str
    band_after: str


@dataclass(slots=True)
class Comparison:
    """Two versions over one tenant, at one instant. `moves` counts (band, other band)."""

    one: str
    other: str
    at: datetime
    pairs: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    largest: float = 0.0
    total: float = 0.0
    changed: list[Change] = field(default_factory=list)

    def see(self, pair: PairRow, before: PairTrust, after: PairTrust) -> None:
        """Count one pair in."""
        self.pairs += 1
        for about in ("mentor", "mentee"):
            one, other = (getattr(trust, f"about_{about}") for trust in (before, after))
            by = abs(other.score - one.score)
            self.largest, self.total = max(self.largest, by), self.total + by
            if one.band != other.band:
                self.moves[one.band, other.band] += 1
                self.changed.append(
                    Change(
                        str(pair.subject.pair_id), about,
                        round(one.score, 6), round(other.score, 6), one.band, other.band,
                    )
                )  # fmt: skip
        self.changed.sort(key=lambda change: -abs(change.after - change.before))
        del self.changed[MOST_CHANGED:]

    @property
    def mean(self) -> float:
        """The mean absolute change of a direction's score."""
        return self.total / (2 * self.pairs) if self.pairs else 0.0


async def compare(
    conn: Connection, tenant: TenantId, one: Model, other: Model, at: datetime
) -> Comparison:
    """Fold every pair of a tenant under both versions. Page by page: memory stays bounded."""
    found = Comparison(one.name, other.name, at)
    at_us = to_us(at)
    page = await pairs.pairs_page(conn, tenant, None, PAGE)
    while page:
        stored = await evidence.of_pairs(conn, [pair.key for pair in page])
        # Thousands of folds: the event loop has other callers to answer.
        await asyncio.to_thread(_see_page, found, page, stored, (one, other), at_us)
        page = await pairs.pairs_page(conn, tenant, page[-1].subject.pair_id, PAGE)
    return found


def _see_page(
    found: Comparison,
    page: list[PairRow],
    stored: dict[int, list[Evidence]],
    both: tuple[Model, Model],
    at_us: int,
) -> None:
    for pair in page:
        known = [item for item in stored[pair.key] if item.at_us <= at_us]
        if known:
            before, after = (fold(known, model, at_us) for model in both)
            found.see(pair, before, after)
