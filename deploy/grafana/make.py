"""Writes the dashboards about the network's own work, as Grafana loads them.

    python -m deploy.grafana.make           writes them anew
    python -m deploy.grafana.make --check   says which of them are not what is written here

The dashboard about programmes is not among them: it reads SQL, and is written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.grafana import delivery, matching, network, trust
from deploy.grafana.panels import drawn

PLACE = Path(__file__).parent / "dashboards"
DASHBOARDS = (network.DASHBOARD, delivery.DASHBOARD, trust.DASHBOARD, matching.DASHBOARD)


def files() -> dict[Path, str]:
    """Each file and what has to stand in it."""
    return {
        PLACE / f"{each.name}.json": json.dumps(drawn(each), indent=2, ensure_ascii=False) + "\n"
        for each in DASHBOARDS
    }


def stale() -> list[Path]:
    """The files that say something else, or are not there."""
    return [
        path
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks for."""
    if list(arguments) == ["--check"]:
        found = stale()
        for path in found:
            print(f"{path.name} is stale: python -m deploy.grafana.make", file=sys.stderr)
        return 1 if found else 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
