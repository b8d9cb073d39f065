"""`trustfold up` and an interrupted `trustfold demo`: they work, and leave nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]
INTERRUPTED = 130
TIMEOUT_S = 60.0

pytestmark = pytest.mark.stack


@contextmanager
def running(*arguments: str, within_s: float = 3 * TIMEOUT_S) -> Iterator[subprocess.Popen[str]]:
    """The command as a person would start it, both streams in one; killed at the latest here."""
    command = [sys.executable, "-m", "shared.cli", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    overdue = threading.Timer(within_s, process.kill)
    overdue.start()
    try:
        yield process
    finally:
        overdue.cancel()
        process.kill()
        process.wait()


def read_until(process: subprocess.Popen[str], done: Callable[[str], bool]) -> str:
    """Everything printed up to the line that was waited for."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if done(line):
            return "".join(lines)
    raise AssertionError(f"ended before the line came:\n{''.join(lines)}")


def stop(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Send the signal; the exit code and what was still printed. Every child has to be gone."""
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(number)
    rest, _ = process.communicate(timeout=TIMEOUT_S)
    _, alive = psutil.wait_procs(children, timeout=TIMEOUT_S)
    assert not alive
    return process.returncode, rest


def test_up_prints_addresses_that_answer_and_ends_on_sigterm() -> None:
    with running("up", "--still") as process:
        said = read_until(process, lambda line: "dlq ls" in line)
        curls = re.findall(r"^  (curl .*)$", said, re.MULTILINE)
        settings = re.findall(r"^ +(\. \S+)$", said, re.MULTILINE)
        assert len(curls) == 2
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        for curl in curls:
            answer = subprocess.run(
                ["bash", "-c", "\n".join((settings[0], f"{curl} -sf"))],
                env={**os.environ, "PATH": path}, capture_output=True, timeout=TIMEOUT_S,
                check=False,
            )  # fmt: skip
            assert answer.returncode == 0, answer
        code, rest = stop(process, signal.SIGTERM)
    assert code == INTERRUPTED
    assert "Traceback" not in said + rest


@pytest.mark.full
def test_up_tells_half_a_year_and_then_slows_down() -> None:
    with running("up", within_s=300) as process:
        said = read_until(process, lambda line: "slows down" in line)
        page = re.search(r"The page +(\S+)", said)
        assert page
        assert httpx.get(page[1]).text.startswith("<!doctype html>")
        code, rest = stop(process, signal.SIGINT)
    assert code == INTERRUPTED
    assert "Traceback" not in said + rest


@pytest.mark.full
def test_ctrl_c_in_the_middle_of_the_demo_leaves_nothing_running() -> None:
    with running("demo") as process:
        said = read_until(process, lambda line: "weeks of their life" in line)
        code, rest = stop(process, signal.SIGINT)
    assert code == INTERRUPTED
    assert "Traceback" not in said + rest


@pytest.mark.full
def test_ctrl_c_while_the_stack_starts_leaves_nothing_running() -> None:
    with running("demo") as process:
        said = read_until(process, lambda line: "topics and schemas" in line)
        code, rest = stop(process, signal.SIGINT)
    assert code == INTERRUPTED
    assert "Traceback" not in said + rest
