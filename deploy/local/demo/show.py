"""The demo's end, for a person to read: from its data alone, to standard output. Decides nothing.

The table shows what the two of a pair may see themselves: private answers are in no number of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.events.reasons import REASONS

SHOWN_PAIRS = 12
MAIL_LINES = 7
MAIL_HEADERS = ("From", "To", "Subject", "Date", "Message-ID")
PLAIN_WIDTH = 120
COLOURS = {"strained": "red", "watch": "yellow", "steady": "green", "too_early": "dim"}
BANDS = ("strained", "watch", "steady", "too_early")
WORDS = {
    "agreement_signed": "an agreement signed",
    "session_held": "sessions held",
    "commitment_kept": "promises kept",
    "commitment_missed_warned": "missed, warned ahead",
    "commitment_missed_told": "missed, told afterwards",
    "commitment_missed": "missed without a word",
    "session_no_show": "did not come",
}
# Reasons that a service gives beside those of the envelope.
MORE_REASONS = {
    "not_a_member": "Somebody outside the pair is named.",
    "not_of_pair": "The actor is neither side of the pair.",
    "from_the_future": "Its time has not come yet.",
    "handler_failed": "A handler failed on it again and again.",
}


def new_console() -> Console:
    """Standard output, wide enough for the tables where it is not a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def show(data: dict[str, Any], mail: EmailMessage | None, console: Console) -> None:
    """Print everything."""
    _show_trust(data["trust"], console)
    _show_facts(data, console)
    _show_messages(data, mail, console)
    _show_dead_letters(data["dead_letters"], console)
    _show_checks(data, console)


def _show_trust(trust: Sequence[dict[str, Any]], console: Console) -> None:
    console.rule("trust: pairs that need help first", align="left")
    table = Table("pair", "who", "about the mentor", "about the mentee", "top reason", box=None)
    ranked = sorted(trust, key=_health)
    for pair in ranked[:SHOWN_PAIRS]:
        shared = pair["shared_with_the_pair"]
        mentor, mentee = shared["about_mentor"], shared["about_mentee"]
        table.add_row(
            pair["pair_id"][-6:], _who(pair), _direction(mentor), _direction(mentee), _why(pair)
        )
    console.print(table)
    if len(ranked) > SHOWN_PAIRS:
        console.print(f"  and {len(ranked) - SHOWN_PAIRS} more; all of them, every facet: --json")
    bands = Counter(
        pair["shared_with_the_pair"][side]["band"]
        for pair in ranked
        for side in ("about_mentor", "about_mentee")
    )
    said = ", ".join(f"{bands[band]} {_band(band)}" for band in BANDS if bands[band])
    console.print(f"  directions: {said}\n")


def _show_facts(data: dict[str, Any], console: Console) -> None:
    console.rule("what happened", align="left")
    facts = data["facts_by_type"]
    table = Table(box=None, show_header=False)
    for _ in range(3):
        table.add_column(justify="right")
        table.add_column()
    cells = [cell for name, count in facts.items() for cell in (str(count), name)]
    for start in range(0, len(cells), 6):
        table.add_row(*cells[start : start + 6])
    console.print(table)
    console.print(
        f"  {sum(facts.values())} facts in {data['records']} records; {data['duplicates']} records"
        f" sent twice on purpose, {data['late']} facts weeks late; {data['http_calls']} HTTP calls"
    )
    for reason, count in data["unmatched"].items():
        console.print(f"  {count} mentees found no mentor: {reason.replace('_', ' ')}")
    console.print()


def _show_messages(data: dict[str, Any], mail: EmailMessage | None, console: Console) -> None:
    console.rule("what was said to whom", align="left")
    table = Table("workflow", "channel", "state", "messages", box=None)
    for each in data["messages"]:
        table.add_row(each["workflow"], each["channel"], each["state"], str(each["messages"]))
    console.print(table)
    console.print(f"  {data['mails_received']} mails came in at the SMTP server; one of them:\n")
    if mail is not None:
        for name in MAIL_HEADERS:
            console.print(f"    {name}: {str(mail[name]).strip()}", style="dim", markup=False)
        body = mail.get_body(("plain",))
        text = body.get_content().strip().splitlines() if body else []
        for line in ["", *text[:MAIL_LINES]]:
            console.print(f"    {line}", markup=False)
        console.print()


def _show_dead_letters(letters: Sequence[dict[str, Any]], console: Console) -> None:
    console.rule("dead letters: parked, blocking nobody", align="left")
    table = Table("topic", "reason", "groups", "in words", box=None)
    groups: dict[tuple[str, str], list[str]] = {}
    for each in letters:
        said = f"{each['count']} {each['group']}"
        groups.setdefault((each["topic"], each["reason"]), []).append(said)
    for (topic, reason), parked in sorted(groups.items()):
        words = REASONS.get(reason) or MORE_REASONS.get(reason, "")
        table.add_row(topic.split(".")[2], reason, ", ".join(parked), words)
    console.print(table)
    console.print("  while a network runs (`trustfold up`): trustfold dlq ls insights\n")


def _show_checks(data: dict[str, Any], console: Console) -> None:
    console.rule("checks", align="left")
    for check in data["checks"]:
        mark = "[green]ok[/]" if check["ok"] else "[red]FAILED[/]"
        console.print(f"  {mark}  {check['check']} ({check['found']})")
    console.print(
        f"\n  the whole log, shuffled and folded again: {data['refold_numbers']} numbers,"
        f" largest difference {data['refold_max_difference']:.1e}"
    )


def _health(pair: dict[str, Any]) -> tuple[bool, float]:
    shared = pair["shared_with_the_pair"]
    known = any(shared[side]["band"] != "too_early" for side in ("about_mentor", "about_mentee"))
    return not known, min(shared["about_mentor"]["score"], shared["about_mentee"]["score"])


def _who(pair: dict[str, Any]) -> str:
    if not (pair["mentor"] and pair["mentee"]):
        return "?"
    names = (pair[side]["display_name"].split()[0] for side in ("mentor", "mentee"))
    return " & ".join(names) + (" (ended)" if pair["ended"] else "")


def _direction(trust: dict[str, Any]) -> str:
    score, low, high = (f"{trust[name]:.2f}" for name in ("score", "low", "high"))
    return f"{score} ({low}-{high}) {_band(trust['band'])}"


def _band(band: str) -> str:
    return f"[{COLOURS[band]}]{band.replace('_', ' ')}[/]"


def _why(pair: dict[str, Any]) -> str:
    """The top reason of the direction that stands lower: what pulls it down, where it is low."""
    shared = pair["shared_with_the_pair"]
    side = min(("mentor", "mentee"), key=lambda each: shared[f"about_{each}"]["score"])
    direction = shared[f"about_{side}"]
    code = direction["top_reason"]
    if direction["band"] in ("watch", "strained"):
        # A manager's reasons name first what speaks against.
        code = next(iter(pair["reasons_for_the_manager"][f"about_{side}"]), code)
    return f"{side}: {WORDS.get(code, code)}" if code else "nothing is known yet"
