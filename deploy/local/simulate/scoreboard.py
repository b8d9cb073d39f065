"""`python -m deploy.local.simulate.scoreboard`: every model against the truth, and the page."""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

from deploy.local.progress import say
from deploy.local.simulate.chart import calibration_svg
from deploy.local.simulate.check import OTHER_WORLDS, Honesty, honesty
from deploy.local.simulate.gather import Told, tell
from deploy.local.simulate.page import Run, page
from deploy.local.simulate.score import score
from deploy.local.simulate.world import stories
from services.insights.domain.model import V1

ROOT = Path(__file__).parents[3]
PAGE, CHART = ROOT / "docs" / "scoreboard.md", ROOT / "docs" / "images" / "calibration.svg"
PAIRS, DAYS, SEED = 2_000, 365, 20260105
WORLD_PAIRS = 300
SAY_EVERY = 250
INTRODUCTION = """\
# Scoreboard

`make scoreboard` writes this page. A generator whose truth is known makes the facts of a year; ours
and three other ways to score read the same facts, and are compared with the truth.
[How the truth is made, and what it cannot tell](explanation/scoreboard.md).

- **mean stars**: every answer as stars, yes five, no one, averaged.
- **one question**: satisfaction from one to five, a month after the start, then every 60 days.
- **activity score**: a weighted sum of sixty days: answers 25, sessions against the cadence 20,
  tasks 20, sentiment 15, agreement 10, goals 10.
- **felt stars**: no rival in use, a bound. Stars beside each answer, by people who feel the whole
  true T with a noise of 0.7 stars. The question and the sentiment are felt in this way, too.

The rivals are given curves, fitted on true values that nobody in the field has. Ours is
taken as it is, but for the next promise, where all get the same kind of curve.
"""


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--chart", type=Path, default=CHART)
    return parser.parse_args()


def gathered(seed: int, pairs: int, days: int) -> list[Told]:
    """Every model's view of every pair."""

    def said(done: int) -> None:
        if done % SAY_EVERY == 0:
            say(f"  {done} of {pairs} pairs")

    return tell(stories(seed, pairs, days), V1, said)


def worlds(seed: int, days: int) -> dict[str, Honesty]:
    """What holds in worlds that the model was not calibrated in."""
    found = {}
    for name, nature in OTHER_WORLDS.items():
        say(f"  world: {name}")
        found[name] = honesty(stories(seed, WORLD_PAIRS, days, nature), V1)
    return found


def machine() -> dict[str, str]:
    """What it was measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": next(iter(named), "") or platform.machine(),
        "cores": str(cores),
        "Python": platform.python_version(),
    }


def main() -> None:
    """Tell the stories, score them, write page and chart."""
    asked, began = arguments(), time.monotonic()
    say(f"{asked.pairs} pairs, {asked.days} days, seed {asked.seed}")
    board = score(gathered(asked.seed, asked.pairs, asked.days), V1, asked.seed)
    others = worlds(asked.seed + 1, asked.days)
    run = Run(asked.pairs, asked.days, asked.seed, time.monotonic() - began, machine())
    asked.page.write_text(page(board, others, run, INTRODUCTION), encoding="utf-8")
    asked.chart.write_text(calibration_svg(board.curve), encoding="utf-8")
    say(f"wrote {asked.page} and {asked.chart}")


if __name__ == "__main__":
    main()
