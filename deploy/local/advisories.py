"""`make audit`: known vulnerabilities of what an image would hold, by pip-audit, in one sentence.

Ends with 1 when there is one. Where the index tells of none, it says how many were not looked up:
that is not the same as none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "base.lock"
TIMEOUT_S = 300


def main() -> int:
    """Ask, print, and say by the exit code whether something was found."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("pip-audit"), "-r", LOCK, "--disable-pip", "--no-deps",
        "--progress-spinner", "off", "-f", "json",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, subprocess.TimeoutExpired):
        sys.stdout.write("advisories could not be reached: nothing was looked up\n")
        return 0
    lines, code = said(packages)
    sys.stdout.write("\n".join(lines) + "\n")
    return code


def said(packages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """What to say of pip-audit's answer, and the exit code."""
    found = [
        f"{each['name']} {each['version']}: {bug['id']}, repaired in"
        f" {', '.join(bug['fix_versions']) or 'no release yet'}"
        for each in packages
        for bug in each.get("vulns", ())
    ]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    asked = len(packages) - len(unknown)
    lines = [*found, f"{len(found)} known vulnerabilities in {asked} packages"]
    if unknown:
        lines.append(f"{len(unknown)} could not be looked up: this index has no advisories on them")
    return lines, 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
