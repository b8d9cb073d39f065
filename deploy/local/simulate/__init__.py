"""`trustfold simulate`: pairs whose truth is known, through the real contracts and the service."""

from __future__ import annotations

import json

from deploy.local.demo.api import DemoFailed
from deploy.local.foreground import EXIT_FAILED, Foreground
from deploy.local.progress import say

__all__ = ["simulate"]

# What is served is rounded to six digits.
TOLERANCE = 1e-6


def simulate(*, pairs: int, seed: int, days: int, as_json: bool) -> int:
    """Run it and print what came of it. 0 when served and folded agree, 1 if not, 130 on Ctrl-C."""
    front = Foreground()

    def command() -> int:
        from deploy.local.simulate.drive import run

        found = run(pairs, days, seed, front)
        if as_json:
            print(json.dumps(found.data()))
        else:
            print(
                f"{found.facts:,} facts of {found.pairs:,} pairs, {found.evidence:,} of them "
                f"evidence, read in {found.seconds} s\n"
                f"served and folded in memory differ by at most {found.max_difference:.1e}\n"
                f"{found.coverage:.1%} of the 90 % intervals cover the true T; "
                f"scores are off by {found.mean_error:.3f} on average"
            )
        if found.max_difference > TOLERANCE:
            say(f"failed: served and folded differ by {found.max_difference}")
            return EXIT_FAILED
        return 0

    return front.guard(command, DemoFailed)
