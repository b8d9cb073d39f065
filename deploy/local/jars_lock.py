"""Resolves the broker's dependencies and writes `requirements/kafka.lock`. Run by `make lock`."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.local.jars import BROKER, LOCK, kafka_version
from deploy.local.progress import say

HEADER = "# The broker's jars: Maven coordinate, hash, size in bytes. Written by `make lock`.\n"
# The broker writes its log through slf4j; without this bridge it would say nothing at all.
LOG_API = ("org.apache.logging.log4j", "log4j-core")
LOG_BRIDGE = ("org.apache.logging.log4j", "log4j-slf4j-impl")


def resolve(version: str, repository: Path) -> list[Any]:
    """Return the artifacts that Apache Kafka of this version needs to run, itself first."""
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    context = MavenContext(repo_cache=repository)
    wanted = replace(Coordinate.parse(f"{BROKER}:{version}"), scope="compile")
    inputs, others = context.resolver.resolve([context.create_dependency(wanted)])
    artifacts = [dependency.artifact for dependency in inputs]
    artifacts += [d.artifact for d in others if d.scope in ("compile", "runtime")]
    log_version = next(a.version for a in artifacts if (a.groupId, a.artifactId) == LOG_API)
    artifacts.append(context.project(*LOG_BRIDGE).at_version(log_version).artifact())
    return artifacts


def write_lock(version: str) -> None:
    """Fetch every jar of this version and write down its hash and size."""
    with tempfile.TemporaryDirectory() as scratch:
        lines = []
        for artifact in resolve(version, Path(scratch)):
            content = Path(artifact.resolve()).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
            lines.append(f"{coordinate} sha256:{digest} {len(content)}\n")
    LOCK.write_text(HEADER + "".join(lines))
    say(f"{LOCK.name}: Apache Kafka {version}, {len(lines)} jars")


if __name__ == "__main__":
    import sys

    write_lock(sys.argv[1] if len(sys.argv) > 1 else kafka_version())
