"""`docs/scoreboard.md` from figures: the table, what leads, what does not. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

from deploy.local.simulate.check import Honesty
from deploy.local.simulate.gather import MODELS, OURS
from deploy.local.simulate.score import (
    ANNOUNCED,
    CALIBRATION,
    COVERAGE,
    ENDS,
    GAP,
    INTERVAL,
    LEAD,
    LOW_SKILL,
    PRECISION,
    PROMISE,
    Board,
    Column,
    Figure,
)

DIGITS = {GAP: 1, LEAD: 0}
MEANING = {
    PROMISE: "Will the next real promise be kept in time? Brier skill over the base rate; 0 is "
    "the base rate, 1 is perfect.",
    ENDS: "Ranks a pair that ends early within 60 days above one that does not; .5 is chance.",
    LOW_SKILL: "Is this direction's true T below .5 this morning? Brier skill over the base rate.",
    CALIBRATION: "How far the same chance is from how often it came true, over ten bins. Who "
    "always says the base rate is perfect here and has no skill in the line above.",
    COVERAGE: "How often the 90 % interval of T holds the true T. Wanted: .87 to .93.",
    INTERVAL: "Width of that interval, and twenty times what it misses by. Lower is better.",
    GAP: "Two groups are equally trustworthy; one meets half as often and is away more. By how "
    "many points of 100 it is rated differently for the same truth. Lower is better.",
    PRECISION: "The share of alarms on whose morning the lower true T was below .5.",
    ANNOUNCED: "The share of early ends with an alarm in the 120 days before.",
    LEAD: "The median of days from that alarm to the end, where there was one.",
}


@dataclass(frozen=True)
class Run:
    """How the figures were made."""

    pairs: int
    days: int
    seed: int
    seconds: float
    machine: Mapping[str, str]


def page(board: Board, worlds: Mapping[str, Honesty], run: Run, introduction: str) -> str:
    """The whole text of the page."""
    lines = [introduction.strip(), "", "## The run", ""]
    lines += [f"- {name}: {value}" for name, value in run.machine.items()]
    lines += [
        f"- {run.pairs:,} pairs over {run.days} days, seed {run.seed}: "
        f"{run.seconds:.0f} s on one core",
        f"- half of the pairs fit the curves, the other half is scored; there {board.ended} pairs "
        "ended early",
        "",
        "## Figures",
        "",
        "In brackets the middle 95 % of 400 draws of pairs. The last column says how ours compares "
        "when both are computed on the same draws: level means that the difference may be chance.",
        "",
        *_table(board),
        "",
        *[f"- **{name}.** {text}" for name, text in MEANING.items()],
        "",
        *_read(board),
        *_calibration(board),
        *_worlds(worlds),
    ]
    return "\n".join(lines) + "\n"


def _table(board: Board) -> list[str]:
    lines = ["| | " + " | ".join(MODELS) + " | ours |", "|---" * (len(MODELS) + 2) + "|"]
    for column in board.columns:
        cells = [_cell(column.figures[model], DIGITS.get(column.name, 3)) for model in MODELS]
        lines.append(f"| {column.name} | " + " | ".join(cells) + f" | {_verdict(column)} |")
    return lines


def _cell(figure: Figure, digits: int) -> str:
    if isnan(figure.value):
        return "none"
    value, low, high = (f"{each:.{digits}f}" for each in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def _verdict(column: Column) -> str:
    if not column.better:
        own = column.figures[OURS].value
        return "as wanted" if 0.87 <= own <= 0.93 else "not as wanted"
    words = {1: "ahead of", 0: "level with", -1: "behind"}
    found = [
        f"{word} {', '.join(names)}"
        for sign, word in words.items()
        if (names := [model for model, each in column.ahead.items() if each == sign])
    ]
    return "leads" if found == [f"ahead of {', '.join(column.ahead)}"] else "; ".join(found)


def _read(board: Board) -> list[str]:
    behind = [
        f"{column.name} (behind {', '.join(m for m, each in column.ahead.items() if each < 0)})"
        for column in board.columns
        if any(each < 0 for each in column.ahead.values())
    ]
    level = [
        column.name
        for column in board.columns
        if 0 in column.ahead.values() and not any(each < 0 for each in column.ahead.values())
    ]
    leads = [c.name for c in board.columns if c.ahead and all(e > 0 for e in c.ahead.values())]
    raised = ", ".join(f"{name} {count}" for name, count in board.alarms.items())
    return [
        "## Where ours leads, and where not",
        "",
        f"- **Leads every rival**: {'; '.join(leads) or 'nowhere'}.",
        f"- **Level with at least one, behind none**: {'; '.join(level) or 'nowhere'}.",
        f"- **Behind at least one**: {'; '.join(behind) or 'nowhere'}.",
        f"- Who knew the true T would rank early ends with an AUC of {board.best_auc:.2f}: chance "
        "ends most pairs, in no model's sight.",
        f"- Without any curve, the number as it is shown, ours has a skill of "
        f"{board.raw_skill:.3f} at the next promise.",
        f"- Alarms raised: {raised}. A rival's threshold is set to as many alarms as ours "
        "on the other half; who alarms more announces more and is wrong more often.",
        "",
    ]


def _calibration(board: Board) -> list[str]:
    lines = [
        "## Is P(T < .5) true?",
        "",
        "![Said and seen](images/calibration.svg)",
        "",
        f"As the model says it, no curve fitted. Among pairs that attack nothing the interval "
        f"covers {board.cover_honest:.3f}: who colludes is believed.",
        "",
        "| said | seen | cases |",
        "|---|---|---|",
    ]
    lines += [
        f"| {each.predicted:.2f} | {each.observed:.2f} | {each.times:,} |" for each in board.curve
    ]
    return [*lines, ""]


def _worlds(worlds: Mapping[str, Honesty]) -> list[str]:
    lines = [
        "## In other worlds",
        "",
        "The constants of the interval were fitted in the first of these worlds, on other seeds. "
        "Each of the others differs from it in one way.",
        "",
        "| world | coverage | mean width | calibration error |",
        "|---|---|---|---|",
    ]
    return lines + [
        f"| {name} | {each.coverage:.3f} | {each.width:.3f} | {each.calibration_error:.3f} |"
        for name, each in worlds.items()
    ]
