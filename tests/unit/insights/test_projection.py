"""The pure parts of a rebuild: who reads what, what cannot be read, and evidence as bytes."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.insights.domain.evidence import observe
from services.insights.projection.build import share_out
from services.insights.projection.compare import Comparison
from services.insights.projection.follow import Follower
from services.insights.projection.loader import batches
from services.insights.queries import binary
from shared.clock import FixedClock
from tests.unit.insights.facts import ACME, EVE, START, answered, event, kept

NOW = START + timedelta(days=400)


def ends(*sizes: int) -> dict[tuple[str, int], int]:
    return {("log", n): size for n, size in enumerate(sizes)}


def test_partitions_are_shared_out_so_that_nobody_reads_much_more_than_another() -> None:
    shares = share_out({}, ends(900, 100, 500, 400, 0, 90), 2)
    assert [share.records for share in shares] == [1000, 990]
    read = sorted(number for share in shares for _, number, *_ in share.partitions)
    assert read == [0, 1, 2, 3, 5]


def test_what_is_gone_from_the_beginning_of_the_log_is_not_read() -> None:
    (share,) = share_out({("log", 0): 70, ("log", 1): 100}, ends(100, 100), 1)
    assert share.partitions == [("log", 0, 70, 100)]


def test_an_event_that_says_nothing_sensible_is_left_out_alone() -> None:
    events = [event(kept(), day) for day in range(1, 20)]
    events[7] = event(kept(by=EVE), 7)
    events[15] = event(answered(True, by=EVE), 15)
    found = list(batches(events, NOW))
    assert sum(count for _, count in found) == len(events) - 2
    kept_of = [item.event_id for batch, _ in found for _, item in batch.evidence]
    assert kept_of == [each.event_id for n, each in enumerate(events) if n not in (7, 15)]


@pytest.mark.parametrize("tenant", ["acme", "a", "t" * 64])
async def test_evidence_goes_to_the_database_as_postgres_writes_it(tenant: Any) -> None:
    """Against the layout in Postgres' manual: a count, then length and bytes of each column."""
    item = observe(event(kept(), 3))
    assert item is not None
    sent: list[bytes] = []

    async def copy_to_table(table: str, *, source: Any, **_: Any) -> None:
        sent.append(source.read())

    conn: Any = SimpleNamespace(copy_to_table=copy_to_table)
    await binary.put(conn, "staged_0", [(2**40, tenant, item._replace(ref=-5), 9)])
    fields, rest = [], sent[0][19:]
    assert int.from_bytes(rest[:2]) == len(binary.COLUMNS) + 1
    rest = rest[2:]
    while rest != b"\xff\xff":
        size = int.from_bytes(rest[:4])
        fields.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    numbers = [int.from_bytes(field, signed=True) for field in fields]
    assert (numbers[0], fields[1], fields[3]) == (2**40, item.event_id.bytes, tenant.encode())
    assert [numbers[2], *numbers[4:]] == [item.at_us, item.kind, item.about, 0, -5, 9]


def test_how_far_a_follower_is_behind_counts_every_partition_once() -> None:
    built: Any = SimpleNamespace(offsets=ends(10, 20), parked={})
    nothing: Any = None
    follower = Follower(nothing, nothing, built, FixedClock(NOW))
    assert follower.behind(ends(15, 20, 7)) == 12
    assert follower.behind(ends(5, 5)) == 0


def test_what_was_found_later_is_added_to_what_was_found_before() -> None:
    one, other = Comparison(), Comparison()
    one.repaired[ACME, event(kept()).fact.pair_id] = "had other evidence"  # type: ignore[attr-defined]
    one.lost, other.lost, other.largest_difference = 1, 2, 0.5
    one.merge(other)
    assert (one.lost, one.largest_difference, len(one.repaired)) == (3, 0.5, 1)
