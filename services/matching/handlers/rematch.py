"""Asking for a new match, by either side: it ends the pair, and keeps nobody's name.

Nothing stored or published depends on which of the two asked. No rule and no SQL stands here.
"""

from __future__ import annotations

from dataclasses import replace

from services.matching.domain import pair as life
from services.matching.domain.pair import Pair
from services.matching.handlers.commands import change
from services.matching.handlers.common import actor
from services.matching.queries import pairs
from shared.asking import Ask
from shared.ids import PairId
from shared.postgres.pool import Pool


async def rematch(pool: Pool, ask: Ask, pair_id: PairId) -> Pair:
    """End the pair, so that both can be matched anew; not with each other.

    Asking again, by either, changes nothing: so no key is needed to know a retry, and none is
    remembered, for it would say who asked. Raises NotFound, Forbidden, Conflict or Moved.
    """
    return await change(
        pool,
        replace(ask, key=None),
        pairs,
        pair_id,
        ("rematch",),
        lambda _, it: life.rematch(it, actor(ask), ask.now),
    )
