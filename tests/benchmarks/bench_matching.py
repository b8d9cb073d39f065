"""Matching a large organisation: candidates, solution, proof and report, in one process.

No broker, no database: what the engine takes once people are in memory. Two cores.
"""

from __future__ import annotations

from typing import Any

from tests.benchmarks.harness import Bench, Result, in_child

CANDIDATES = 30
# SciPy takes a column for every place: a tenth of the size is what it is asked.
PEER_MENTEES, PEER_MENTORS = 10_000, 2_000
GIB = 1024


async def measure(bench: Bench) -> list[Result]:
    """One organisation at the scale, one small enough for SciPy."""
    mentees = bench.size(small=10_000, full=100_000)
    mentors = mentees // 5
    bench.say(f"{mentees:,} mentees, {mentors:,} mentors")
    whole = await _run(bench, mentees, mentors, peer=mentees == PEER_MENTEES)
    small = whole
    if mentees != PEER_MENTEES:
        bench.say("a small one for SciPy")
        small = await _run(bench, PEER_MENTEES, PEER_MENTORS, peer=True)
    return [*_times(whole, mentees, mentors), *_quality(whole), _peer(small)]


async def _run(bench: Bench, mentees: int, mentors: int, *, peer: bool) -> dict[str, Any]:
    return await in_child(
        "child_matching",
        mentees=mentees,
        mentors=mentors,
        candidates=CANDIDATES,
        seed=bench.seed,
        peer=peer,
    )


def _times(found: dict[str, Any], mentees: int, mentors: int) -> list[Result]:
    total = found["candidates_s"] + found["solve_s"] + found["report_s"]
    size = f"{mentees:,} x {mentors:,}, {CANDIDATES} candidates, {found['edges']:,} edges"
    judged = (
        f"with its proof; {found['judged_s']:.1f} s for deferred acceptance, with the best solved"
        f" beside it and reasons for {found['left_out']:,} left out"
    )
    cpu = f"{found['candidates_cpu_s']:.1f} s of processor time"
    return [
        Result("matching", "candidates", found["candidates_s"], "s", note=cpu),
        Result(
            "matching",
            "solve",
            found["solve_s"],
            "s",
            found["solve_s"] / found["bare_s"],
            "bare OR-tools",
            "ratio <= 1.3",
            f"bare {found['bare_s']:.2f} s on the same arcs",
        ),
        Result("matching", "report", found["report_s"], "s", note=judged),
        Result("matching", "total", total, "s", wanted="<= 180", note=size),
        Result(
            "matching",
            "peak memory",
            found["peak_mib"] / GIB,
            "GiB",
            wanted="<= 3",
            note=f"{found['before_mib'] / GIB:.2f} GiB with the people alone",
        ),
        Result("matching", "deferred acceptance", found["accept_s"], "s"),
    ]


def _quality(found: dict[str, Any]) -> list[Result]:
    return [
        Result("matching", "certificate gap", found["gap"], "", wanted="0"),
        Result("matching", "violations", found["violations"], "", wanted="0"),
        *(
            Result("matching", f"covered by {name}", 100 * each["coverage"], "%", note=_words(each))
            for name, each in (("flow", found["flow"]), ("acceptance", found["stable"]))
        ),
    ]


def _words(measures: dict[str, Any]) -> str:
    got = measures["standing"]
    return (
        f"first {got['first_share']:.1%}, top 3 {got['top3_share']:.1%}, mean rank"
        f" {got['mean_rank']}, {measures['blocking_pairs']:,} blocking pairs,"
        f" fit {measures['fit_of_optimum']:.1%} of the best"
    )


def _peer(found: dict[str, Any]) -> Result:
    same = "the same" if found["scipy"] == found["ours"] else "ANOTHER"
    return Result(
        "matching",
        "scipy sparse",
        found["scipy_s"],
        "s",
        found["scipy_s"] / found["solve_s"],
        "our solve",
        note=f"{PEER_MENTEES:,} x {PEER_MENTORS:,}, {same} people and total fit",
    )
