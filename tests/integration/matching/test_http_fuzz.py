"""Whatever is asked over HTTP is answered as documented: never a 5xx, every refusal a problem."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from shared.clock import FixedClock
from tests.integration.matching.conftest import START
from tests.integration.matching.serving import Things, build, serving_matching
from tests.support.databases import Databases
from tests.support.fuzz import FEW, MANY, ask, bounded, documented
from tests.support.serving import Serving

places = count()
api = build(None, FixedClock(START))
quick, long = documented(api, thorough=False), documented(api, thorough=True)


@pytest.fixture(scope="module")
def serving(databases: Databases) -> Iterator[Serving]:
    with serving_matching(databases).running() as running:
        yield running


@pytest.fixture
def things(serving: Serving) -> Things:
    """A programme of the operation's own, with runs, a round, a pair and an introduction."""
    made = Things(serving, str(next(places)))
    made.fill()
    return made


@quick.parametrize()  # type: ignore[untyped-decorator]
@bounded(FEW)
def test_what_is_asked_is_answered_as_documented(case: Any, things: Things) -> None:
    ask(case, things.target())


@pytest.mark.full
@long.parametrize()  # type: ignore[untyped-decorator]
@bounded(MANY)
def test_what_is_asked_at_length_is_answered_as_documented(case: Any, things: Things) -> None:
    ask(case, things.target())
