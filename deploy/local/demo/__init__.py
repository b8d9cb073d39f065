"""`trustfold demo`: six months of a mentoring programme on a real broker and database, in minutes.

HR's people come in through Kafka, pairs form and live over HTTP, trust moves, messages go out. It
ends with a check of its own: the whole log, folded in another order, equals what is served.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson

from deploy.local.demo.api import DemoFailed
from deploy.local.demo.director import play
from deploy.local.demo.show import new_console, show
from deploy.local.demo.size import FULL, DemoSize
from deploy.local.foreground import EXIT_FAILED, Foreground
from deploy.local.progress import say

__all__ = ["FULL", "DemoSize", "demo"]


def demo(*, json_file: Path | None, seed: int, containers: bool, size: DemoSize = FULL) -> int:
    """Run it and print what came of it. 0 when every check holds, 1 otherwise, 130 on Ctrl-C."""
    front = Foreground()

    def command() -> int:
        began = time.monotonic()
        data, mail = play(size, seed, containers=containers, front=front)
        data["seconds"] = round(time.monotonic() - began, 1)
        console = new_console()
        show(data, mail, console)
        console.print(f"  {data['seconds']} s\n")
        if json_file is not None:
            write(json_file, data)
        wrong = [check["check"] for check in data["checks"] if not check["ok"]]
        for words in wrong:
            say(f"failed: {words}")
        return EXIT_FAILED if wrong else 0

    return front.guard(command, DemoFailed)


def write(path: Path, data: dict[str, Any]) -> None:
    """The outcome as JSON."""
    path.write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2))
    say(f"wrote {path}")
