"""How fast evidence is absorbed, in memory, beside a bare loop over the same evidence."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from uuid import UUID

from services.insights.domain.evidence import DAY_US, About, Evidence, Kind
from services.insights.domain.explain import explain, reasons
from services.insights.domain.model import V1
from services.insights.domain.packing import pack, unpack
from services.insights.domain.state import PairState
from services.insights.domain.trust import fold
from services.insights.domain.weights import Scope, tally, weigh
from tests.benchmarks.harness import Bench, Result

START_US = 1_767_225_600_000_000
ROUNDS = 5
PAIRS, EACH = 2_000, 50
KINDS = (
    *[Kind.SESSION_HELD_SAID_BOTH] * 3,
    *[Kind.COMMITMENT_KEPT] * 3,
    Kind.COMMITMENT_MISSED_WARNED,
    Kind.COMMITMENT_MISSED,
    Kind.LISTENED_YES,
    Kind.HONEST_YES,
    Kind.AT_EASE_NO,
)


def histories(pairs: int, each: int, seed: int) -> list[list[Evidence]]:
    """Histories in the order they happened: an agreement, then what the seed chooses."""
    chance = random.Random(seed)
    made = []
    for _ in range(pairs):
        at_us = START_US
        history = []
        for place in range(each):
            kind = chance.choice(KINDS) if place else Kind.AGREEMENT_SIGNED
            mutual = kind in (Kind.AGREEMENT_SIGNED, Kind.SESSION_HELD_SAID_BOTH)
            about = About.BOTH if mutual else chance.choice((About.MENTOR, About.MENTEE))
            event_id = UUID(int=chance.getrandbits(128))
            history.append(Evidence(event_id, at_us, kind, about, 0 if place else 14))
            at_us += chance.randrange(5 * DAY_US)
        made.append(history)
    return made


def whole_answer(evidence: list[Evidence], at_us: int) -> object:
    """All that a member's question about a past instant takes, but for reading the evidence."""
    sides = [explain(evidence, V1, at_us, side, Scope.SHARED) for side in (0, 1)]
    return fold(evidence, V1, at_us, Scope.SHARED), sides


def best_us(work: Callable[[], object], units: int) -> float:
    """Microseconds per unit, the best of ROUNDS: what is slower was disturbed."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken) / units * 1e6


async def measure(bench: Bench) -> list[Result]:
    """Absorbing, packing, and the whole fold of a pair."""
    made = histories(PAIRS, EACH, bench.seed)
    states = [PairState(V1) for _ in made]

    def bare() -> None:
        sums = [0.0] * 48
        for history in made:
            for _, at_us, kind, about, _, _ in history:
                sums[kind + about] += 2.0 ** ((at_us - START_US) * 1e-14)

    def absorb() -> None:
        for place, history in enumerate(made):
            states[place] = PairState(V1)
            assert all(map(states[place].absorb, history))

    loop_us, absorb_us = best_us(bare, PAIRS * EACH), best_us(absorb, PAIRS * EACH)
    packed_us = best_us(lambda: [unpack(pack(state), V1) for state in states], PAIRS)
    few = made[:50]
    ends = [max(item.at_us for item in history) for history in few]
    whole_us = best_us(lambda: [fold(h, V1, at) for h, at in zip(few, ends, strict=True)], len(few))
    long = histories(1, 500, bench.seed)[0]
    end = long[-1].at_us
    weighed = weigh(long, V1, end)
    counted = tally(weighed, V1, end)
    left_out_us = best_us(lambda: reasons(weighed, counted, V1, 0), 1)
    asked_us = best_us(lambda: whole_answer(long, end - 30 * DAY_US), 1)
    size = f"{len(pack(states[0]))} bytes"
    note = f"{EACH} pieces of evidence, intervals, bands and all"
    return [
        Result("fold", "bare loop", 1e6 / loop_us, "items/s", note=f"{loop_us:.2f} us each"),
        Result(
            "fold", "absorb", 1e6 / absorb_us, "items/s", loop_us / absorb_us, "fold.bare loop",
            note=f"{absorb_us:.2f} us each",
        ),
        Result("fold", "pack and unpack", packed_us, "us/pair", note=size),
        Result("fold", "whole fold", whole_us, "us/pair", note=note),
        Result(
            "fold", "leave one out", left_out_us / 1e3, "ms", wanted="<= 1",
            note="each of 500 pieces of evidence in turn, one direction",
        ),
        Result(
            "fold", "a past instant", asked_us / 1e3, "ms", wanted="<= 20",
            note="500 pieces: both directions, intervals, bands, reasons, next steps",
        ),
    ]  # fmt: skip
