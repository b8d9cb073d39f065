"""A small demo through the same code as the full one, on a stack of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.demo import DemoSize, demo
from deploy.local.demo.story import Verb, story

SMALL = DemoSize(people=20, pairs=6, weeks=6)
SEED = 7

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the demo wrote; it must have ended well."""
    path: Path = tmp_path_factory.mktemp("demo") / "demo.json"
    assert demo(json_file=path, seed=SEED, containers=False, size=SMALL) == 0
    return dict(orjson.loads(path.read_bytes()))


def test_every_person_and_pair_is_there(played: dict[str, Any]) -> None:
    assert (played["people"], played["pairs"]) == (SMALL.people, SMALL.pairs)
    assert len(played["trust"]) == SMALL.pairs
    assert sum(played["unmatched"].values()) == SMALL.unplaced


def test_what_people_did_over_http_became_facts_once_each(played: dict[str, Any]) -> None:
    told, facts = story(SMALL, SEED), played["facts_by_type"]
    late_pairs = played["late"] // 2

    def count(verb: Verb) -> int:
        return sum(1 for action in told if action.verb is verb)

    assert facts["person.joined"] == SMALL.people
    assert facts["agreement.signed"] == count(Verb.SIGN)
    assert facts["session.scheduled"] == count(Verb.SCHEDULE)
    assert facts["commitment.made"] == count(Verb.PROMISE)
    assert facts["commitment.kept"] == count(Verb.KEEP) + late_pairs
    assert facts["feedback.given"] == count(Verb.ANSWER)
    assert facts["commitment.missed"] > 0


def test_duplicates_are_in_the_log_and_counted_once(played: dict[str, Any]) -> None:
    assert played["duplicates"] > SMALL.pairs
    facts = sum(played["facts_by_type"].values())
    distinct_poison = len({(each["topic"], each["reason"]) for each in played["dead_letters"]})
    assert played["records"] - facts >= played["duplicates"]
    assert played["records"] - facts <= played["duplicates"] + distinct_poison
    assert played["refold_max_difference"] <= 1e-9


def test_each_poison_is_parked_by_each_group_that_read_it(played: dict[str, Any]) -> None:
    letters = {(each["group"], each["reason"]): each["count"] for each in played["dead_letters"]}
    assert letters["matching", "unknown_type"] == letters["sessions", "unknown_type"] == 1
    assert letters["insights", "from_the_future"] == 1
    assert len({reason for _, reason in letters}) >= 5


def test_mail_went_out_and_old_news_did_not(played: dict[str, Any]) -> None:
    states = {(each["channel"], each["state"]): each["messages"] for each in played["messages"]}
    assert played["mails_received"] >= 2 * SMALL.pairs
    assert ("email", "failed") not in states
    assert states["inbox", "expired"] > 0


def test_trust_is_there_in_both_directions_and_every_facet(played: dict[str, Any]) -> None:
    for pair in played["trust"]:
        for side in ("about_mentor", "about_mentee"):
            facets = pair[side]["facets"]
            assert set(facets) == set("ELHRBP")
            for facet in facets.values():
                assert set(facet) == {"E", "r", "s", "low", "high"}
                assert 0 <= facet["low"] <= facet["E"] <= facet["high"] <= 1
