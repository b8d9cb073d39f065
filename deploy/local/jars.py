"""Fetches the broker's jars, by locked Maven coordinate, into the per-user cache. Runs no Java.

`requirements/kafka.lock` holds every coordinate with its hash, so what runs is what was reviewed,
wherever it came from: the local Maven repository, jgo, or the `mvn` client.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.places import build_once, cache_dir, remove
from deploy.local.progress import Meter, meter, say

LOCK = Path(__file__).resolve().parents[2] / "requirements" / "kafka.lock"
BROKER = "org.apache.kafka:kafka_2.13"
DOWNLOADS_AT_ONCE = 6
HTTP_TIMEOUT_S = 30
MVN_TIMEOUT_S = 600.0

Obtain = Callable[[Sequence["Jar"], Path, Meter], None]


@dataclass(frozen=True)
class Jar:
    """One locked jar."""

    group: str
    artifact: str
    version: str
    sha256: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        """The name every Maven tool gives the file."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def repository_path(self) -> Path:
        """Where a Maven repository keeps it."""
        return Path(*self.group.split("."), self.artifact, self.version, self.file_name)

    def matches(self, path: Path) -> bool:
        """Whether the file is exactly the locked one."""
        if not path.is_file() or path.stat().st_size != self.size_bytes:
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


@lru_cache(maxsize=1)
def locked_jars(lock: Path = LOCK) -> tuple[Jar, ...]:
    """Return the jars of the lock file, the broker first."""
    jars = []
    for line in lock.read_text().splitlines():
        if line and not line.startswith("#"):
            coordinate, digest, size = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, digest.removeprefix("sha256:"), int(size)))
    return tuple(jars)


def kafka_version() -> str:
    """Return the locked version of Apache Kafka."""
    return locked_jars()[0].version


def kafka_home() -> Path:
    """Return the directory whose `jars/` holds the broker, even if it is not fetched yet."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    return cache_dir() / f"kafka-{kafka_version()}-{digest}"


def fetch_kafka() -> Path:
    """Return the broker's home, fetched if need be. Safe to call from two processes at once.

    A killed fetch leaves no home behind; the jars it verified are kept for the next one.
    Raises StackError, with what to do next, when no source delivers.
    """
    return build_once(
        kafka_home(),
        _fetch,
        lambda: say("Another process is fetching Apache Kafka; waiting for it"),
    )


def _fetch(partial: Path) -> None:
    jars = locked_jars()
    target = partial / "jars"
    target.mkdir(exist_ok=True)
    total = sum(jar.size_bytes for jar in jars)
    problems: list[str] = []
    label = f"Fetching Apache Kafka {kafka_version()} ({len(jars)} jars, once)"
    with meter(label, total) as progress:
        for source in (_from_local_repository, _from_jgo, _from_mvn):
            missing = [jar for jar in jars if not (target / jar.file_name).exists()]
            progress.at(total - sum(jar.size_bytes for jar in missing))
            if not missing:
                break
            try:
                source(missing, partial, progress)
            except Exception as error:  # whatever a source throws, the next one may still deliver
                problems.append(f"{source.__name__.removeprefix('_from_')}: {error}")
        missing = [jar for jar in jars if not (target / jar.file_name).exists()]
    if missing:
        raise StackError(_cannot_fetch(missing, problems))
    for leftover in ("m2", "mvn"):
        remove(partial / leftover)


def _cannot_fetch(missing: Sequence[Jar], problems: Sequence[str]) -> str:
    names = ", ".join(jar.file_name for jar in missing[:3]) + (" ..." if len(missing) > 3 else "")
    reasons = "\n".join(f"  {problem}" for problem in problems)
    return (
        f"cannot fetch {len(missing)} of the broker's jars ({names}):\n{reasons}\n"
        "What to do next: check the network, or install Maven with your mirror in its settings "
        "(it is tried after jgo), or point TRUSTFOLD_KAFKA at a running broker. "
        "What was fetched so far is kept."
    )


def _from_local_repository(missing: Sequence[Jar], partial: Path, progress: Meter) -> None:
    for jar in missing:
        found = Path.home() / ".m2" / "repository" / jar.repository_path
        if jar.matches(found):
            waiting = partial / jar.file_name
            shutil.copyfile(found, waiting)
            waiting.rename(partial / "jars" / jar.file_name)
            progress.add(jar.size_bytes)


def _from_jgo(missing: Sequence[Jar], partial: Path, progress: Meter) -> None:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    def downloading(_name: str, _size: int) -> AbstractContextManager[Callable[[int], None]]:
        return nullcontext(progress.add)

    staging = partial / "m2"
    remove(staging)  # jgo takes a truncated file of a killed run for a whole one
    own = GlobalSettings.load().repositories
    context = MavenContext(
        resolver=PythonResolver(progress_callback=downloading),
        repo_cache=staging,
        # The user's own mirrors first; None is jgo's default.
        remote_repos={**own, **MavenContext(repo_cache=staging).remote_repos} if own else None,
        timeout=HTTP_TIMEOUT_S,
    )

    def obtain(jar: Jar) -> None:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        _accept(jar, Path(component.artifact().resolve()), partial)

    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        list(pool.map(obtain, missing))


def _from_mvn(missing: Sequence[Jar], partial: Path, _progress: Meter) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise StackError("no mvn on PATH")
    work = partial / "mvn"
    work.mkdir(exist_ok=True)
    (work / "pom.xml").write_text(_pom(missing))
    done = subprocess.run(
        [mvn, "-q", "-B", "-f", work / "pom.xml", "dependency:copy-dependencies",
         f"-DoutputDirectory={work / 'out'}"],
        capture_output=True, text=True, timeout=MVN_TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise StackError((done.stdout + done.stderr).strip()[-400:])
    for jar in missing:
        _accept(jar, work / "out" / jar.file_name, partial)


def _pom(jars: Sequence[Jar]) -> str:
    dependencies = "".join(
        f"<dependency><groupId>{jar.group}</groupId><artifactId>{jar.artifact}</artifactId>"
        f"<version>{jar.version}</version><exclusions><exclusion><groupId>*</groupId>"
        "<artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for jar in jars
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>trustfold</groupId>"
        "<artifactId>broker-jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def _accept(jar: Jar, path: Path, partial: Path) -> None:
    if not jar.matches(path):
        raise StackError(f"{jar.file_name} is not the locked file (size or hash differ)")
    path.rename(partial / "jars" / jar.file_name)
