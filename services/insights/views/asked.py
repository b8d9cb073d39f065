"""What every answer about one pair needs: the pair, its evidence, the instant, the model. Refuses.

Whether a pair exists is told only to those who may know of it: to everybody else it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.insights import models
from services.insights.domain.evidence import Evidence, from_us, to_us
from services.insights.domain.model import Model
from services.insights.queries import evidence, pairs
from services.insights.queries.pairs import PairRow
from shared.errors import NotFound, Rejected
from shared.http import Caller
from shared.ids import PairId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for


class InTheFuture(Rejected):
    """Trust can be asked for as of now or of a past instant."""

    slug = "in-the-future"


class BeforeThePair(Rejected):
    """At that instant the pair had not begun."""

    slug = "before-the-pair"


class Question(NamedTuple):
    """What was asked: of which pair, as of when (None is now), under which version (None: the one
    in force).
    """

    pair_id: PairId
    at: datetime | None
    now: datetime
    model: str | None = None


class Asked(NamedTuple):
    """A question that may be answered. `evidence` is all there is, later than `at_us` included."""

    pair: PairRow
    evidence: Sequence[Evidence]
    at_us: int
    model: Model


async def ask(pool: Pool, caller: Caller, question: Question) -> Asked:
    """What it takes to answer. Raises NotFound, InTheFuture or BeforeThePair."""
    async with reading_for(pool, caller.tenant) as conn:
        pair, known = await find(conn, caller, question.pair_id)
        if question.model is None:
            model = (await models.of_tenant(conn, caller.tenant)).model
        else:
            model = await models.named(conn, question.model)
    return Asked(pair, known, instant(question.at, question.now, pair, caller, known), model)


async def find(
    conn: Connection, caller: Caller, pair_id: PairId
) -> tuple[PairRow, Sequence[Evidence]]:
    """A pair that the caller may know of, with its evidence. Raises NotFound."""
    pair = await pairs.find_pair(conn, caller.tenant, pair_id)
    if pair is None or not _may_know(caller, pair):
        raise NotFound("there is no such pair")
    known = (await evidence.of_pairs(conn, [pair.key]))[pair.key]
    if beginning_us(pair, caller, known) is None:
        raise NotFound("there is no such pair")
    return pair, known


def instant(
    at: datetime | None,
    now: datetime,
    pair: PairRow,
    caller: Caller,
    known: Sequence[Evidence],
) -> int:
    """The instant asked for. Raises InTheFuture or BeforeThePair."""
    if at is None:
        return to_us(now)
    if at > now:
        raise InTheFuture(field="at")
    began_us = beginning_us(pair, caller, known)
    assert began_us is not None
    if to_us(at) < began_us:
        raise BeforeThePair(f"the pair began at {from_us(began_us).isoformat()}", field="at")
    return to_us(at)


def beginning_us(pair: PairRow, caller: Caller, known: Sequence[Evidence]) -> int | None:
    """When the pair began, as far as the caller may know; None if they may know nothing of it.

    A pair of which only a private answer has come yet does not exist for people.
    """
    private = models.DEFAULT.model.answers
    seen = [it.at_us for it in known if caller.role == "service" or it.kind not in private]
    began = [] if pair.started_at is None else [to_us(pair.started_at)]
    return min([*began, *seen], default=None)


def _may_know(caller: Caller, pair: PairRow) -> bool:
    members = (pair.subject.mentor_id, pair.subject.mentee_id)
    return caller.role != "participant" or caller.person in members
