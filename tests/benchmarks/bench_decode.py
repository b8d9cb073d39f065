"""Decoding a record, beside pydantic's validation of its value alone."""

from __future__ import annotations

import gc
from collections.abc import Callable

from shared.events.envelope import decode
from shared.events.fact import Fact
from shared.runtime import COLLECT_AFTER
from tests.benchmarks.bench_fold import best_us
from tests.benchmarks.facts import encoded, make
from tests.benchmarks.harness import Bench, Result

RECORDS = 10_000
# As many are alive at once as in a batch of the worker.
ALIVE = 5_000
PAIRS = 1_000


async def measure(bench: Bench) -> list[Result]:
    """Under the collector's settings of a running service, a batch's worth of objects alive."""
    events = [make(n, PAIRS) for n in range(RECORDS)]
    records = [encoded(event) for event in events]
    values: list[tuple[type[Fact], bytes]] = [
        (type(event.fact), record.value) for event, record in zip(events, records, strict=True)
    ]

    def validate() -> None:
        for first in range(0, RECORDS, ALIVE):
            part = values[first : first + ALIVE]
            [cls.__pydantic_validator__.validate_json(value) for cls, value in part]

    def whole() -> None:
        for first in range(0, RECORDS, ALIVE):
            [decode(r.key, r.value, r.headers) for r in records[first : first + ALIVE]]

    alone_us, whole_us = _as_a_service(validate), _as_a_service(whole)
    wire = sum(len(r.value) + sum(len(n) + len(v) for n, v in r.headers) for r in records)
    note = f"{wire / RECORDS:.0f} bytes a record, headers included"
    return [
        Result("decode", "validate_json", alone_us, "us/record", note="the value alone"),
        Result(
            "decode", "decode", whole_us, "us/record", whole_us / alone_us, "decode.validate_json",
            note=note,
        ),
    ]  # fmt: skip


def _as_a_service(work: Callable[[], None]) -> float:
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    try:
        return best_us(work, RECORDS)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
