"""Says what this machine lacks for the local stack, and what to do next. Changes nothing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.local import containers, external, jars, java, places, postgres_install
from deploy.local.errors import StackError

MINIMUM_PYTHON = (3, 11)
NEEDED_DISK_MB = 1500
NEEDED_MEMORY_MB = 1500
TOOL_TIMEOUT_S = 20.0
WORDS = {True: "[green]fine[/]", False: "[red]missing[/]", None: "[dim]optional[/]"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `ok` is None for what is only worth knowing."""

    name: str
    ok: bool | None
    detail: str
    advice: str = ""


Check = Callable[[Mapping[str, str]], Finding]


def examine(environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Look at everything the local stack needs; a check that breaks is itself a finding."""
    environ = os.environ if environ is None else environ
    findings = []
    for name, check in CHECKS.items():
        try:
            findings.append(check(environ))
        except Exception as error:  # a doctor that crashes helps nobody
            advice = str(error) if isinstance(error, StackError) else "Report this as a bug."
            findings.append(Finding(name, False, f"{type(error).__name__}: {error}", advice))
    return findings


def run_doctor(json_output: bool = False) -> int:
    """Print the findings; return 1 when something needed is missing, else 0."""
    findings = examine()
    failed = [finding for finding in findings if finding.ok is False]
    if json_output:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
        return 1 if failed else 0
    console = Console()
    console.print(_table(findings))
    for finding in failed:
        console.print(f"[bold]{finding.name}[/]: {finding.advice}", highlight=False)
    verdict = f"{len(failed)} needed things are missing." if failed else "Ready: try `make demo`."
    console.print(verdict)
    return 1 if failed else 0


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("what", "how it is", "detail"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        table.add_row(finding.name, WORDS[finding.ok], finding.detail)
    return table


def check_python(_environ: Mapping[str, str]) -> Finding:
    """Python itself."""
    found = sys.version_info[:2]
    return Finding(
        "Python", found >= MINIMUM_PYTHON, platform.python_version(),
        f"Install Python {'.'.join(map(str, MINIMUM_PYTHON))} or newer, then `make clean setup`.",
    )  # fmt: skip


def check_platform(_environ: Mapping[str, str]) -> Finding:
    """Whether the wheels with binaries exist here."""
    name = f"{platform.system()} {platform.machine()}"
    libc = platform.libc_ver()[0] or "other libc"
    good = platform.system() in ("Linux", "Darwin")
    if platform.system() == "Linux":
        good = libc == "glibc"
        name += f", {libc}"
    return Finding(
        "platform", good, name,
        "There are no PostgreSQL binaries for this platform: set TRUSTFOLD_POSTGRES and "
        "TRUSTFOLD_KAFKA to servers that run elsewhere, or work in a glibc Linux container.",
    )  # fmt: skip


def check_java(environ: Mapping[str, str]) -> Finding:
    """A Java that runs."""
    if environ.get(external.KAFKA_VARIABLE):
        return Finding("Java", None, f"not needed: {external.KAFKA_VARIABLE} is set")
    try:
        found = java.find_java()
    except StackError as error:
        return Finding("Java", False, str(error).split(" (")[0], java.ADVICE)
    return Finding("Java", True, f"{found.version} at {found.path}")


def check_kafka(environ: Mapping[str, str]) -> Finding:
    """The broker: given, cached, or to be fetched."""
    if given := environ.get(external.KAFKA_VARIABLE):
        external.checked_kafka(given)
        return Finding("Kafka", True, f"{external.KAFKA_VARIABLE}={given} answers")
    home = jars.kafka_home()
    if home.is_dir():
        return Finding("Kafka", True, f"{jars.kafka_version()}, cached in {home}")
    size = sum(jar.size_bytes for jar in jars.locked_jars()) / 1e6
    detail = f"{jars.kafka_version()} not fetched yet: the first start fetches {size:.0f} MB"
    return Finding("Kafka", None, detail)


def check_postgres(environ: Mapping[str, str]) -> Finding:
    """The database: given, or binaries that run."""
    if given := environ.get(external.POSTGRES_VARIABLE):
        external.checked_postgres(given)
        return Finding("PostgreSQL", True, f"{external.POSTGRES_VARIABLE} accepts connections")
    install = postgres_install.find_install()
    done = subprocess.run(
        [install.binary("postgres"), "--version"],
        capture_output=True, text=True, timeout=TOOL_TIMEOUT_S, check=False, cwd="/",
        **install.subprocess_user(),
    )  # fmt: skip
    who = f"as user {install.run_as[0]}" if install.run_as else "as you"
    advice = f"{done.stderr.strip()} {postgres_install.ADVICE}"
    return Finding("PostgreSQL", done.returncode == 0, f"{done.stdout.strip()}, {who}", advice)


def check_disk(_environ: Mapping[str, str]) -> Finding:
    """Room for the cache and the run directories."""
    rooms = {
        path: shutil.disk_usage(path).free // 2**20
        for path in (places.cache_dir(), Path(tempfile.gettempdir()))
    }
    detail = ", ".join(f"{free} MB in {path}" for path, free in rooms.items())
    return Finding(
        "disk", min(rooms.values()) >= NEEDED_DISK_MB, f"free: {detail}",
        f"Free {NEEDED_DISK_MB} MB, or set TRUSTFOLD_CACHE and TMPDIR to a larger disk.",
    )  # fmt: skip


def check_memory(_environ: Mapping[str, str]) -> Finding:
    """Memory for one broker, one database and four services."""
    import psutil

    free = psutil.virtual_memory().available // 2**20
    return Finding(
        "memory", free >= NEEDED_MEMORY_MB, f"{free} MB available",
        f"The stack wants {NEEDED_MEMORY_MB} MB: close something large.",
    )  # fmt: skip


def check_ports(_environ: Mapping[str, str]) -> Finding:
    """Ports on the loopback address."""
    ports = places.free_ports(3)
    return Finding("ports", True, f"127.0.0.1 gives ports ({', '.join(map(str, ports))})")


def check_temporary_directory(_environ: Mapping[str, str]) -> Finding:
    """Whether run directories can be made and programs run where they must."""
    temporary = Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix="trustfold-doctor-"):
        pass
    needs_exec = os.geteuid() == 0
    if needs_exec:
        postgres_install.shared_directory()
    passable = not needs_exec or postgres_install.passable_by_others(temporary)
    return Finding(
        "temporary files", passable, f"{temporary} is writable",
        f"Every user must be able to pass through {temporary}: set TMPDIR to such a directory.",
    )  # fmt: skip


def check_docker(_environ: Mapping[str, str]) -> Finding:
    """A Docker engine, which is needed for --containers only."""
    problem = containers.docker_answers()
    return Finding("Docker", None, f"none ({problem})" if problem else "a Docker engine answers")


CHECKS: dict[str, Check] = {
    "Python": check_python,
    "platform": check_platform,
    "Java": check_java,
    "Kafka": check_kafka,
    "PostgreSQL": check_postgres,
    "disk": check_disk,
    "memory": check_memory,
    "ports": check_ports,
    "temporary files": check_temporary_directory,
    "Docker": check_docker,
}


if __name__ == "__main__":
    sys.exit(run_doctor("--json" in sys.argv[1:]))
