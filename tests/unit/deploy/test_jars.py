"""Fetching the broker: locked, whole, from whichever source delivers. Reaches no network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.errors import StackError
from deploy.local.jars import Jar
from deploy.local.progress import Meter

CONTENT = b"the locked jar"
JAR = Jar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def one_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of one jar, an empty home and cache, and no source that delivers."""
    monkeypatch.setattr(jars, "locked_jars", lambda: (JAR,))
    monkeypatch.setenv("TRUSTFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for source in ("_from_jgo", "_from_mvn"):
        monkeypatch.setattr(jars, source, _silent)
    return tmp_path


def _silent(missing: Sequence[Jar], partial: Path, progress: Meter) -> None:
    raise StackError("unreachable")


_silent.__name__ = "_from_silence"


def test_the_lock_pins_every_jar_and_names_no_address() -> None:
    locked = jars.locked_jars()
    assert f"{locked[0].group}:{locked[0].artifact}" == jars.BROKER
    assert all(len(jar.sha256) == 64 and jar.size_bytes > 0 for jar in locked)
    assert len({jar.file_name for jar in locked}) == len(locked)
    for path in (ROOT / "requirements").iterdir():
        assert "://" not in path.read_text(), path


def test_a_broker_without_its_log_bridge_would_be_silent() -> None:
    assert "log4j-slf4j-impl" in {jar.artifact for jar in jars.locked_jars()}


def test_the_local_repository_is_used_first(one_jar: Path) -> None:
    found = one_jar / "home" / ".m2" / "repository" / JAR.repository_path
    found.parent.mkdir(parents=True)
    found.write_bytes(CONTENT)
    home = jars.fetch_kafka()
    assert (home / "jars" / "thing-1.0.jar").read_bytes() == CONTENT


def test_a_jar_that_is_not_the_locked_one_is_refused(one_jar: Path) -> None:
    found = one_jar / "home" / ".m2" / "repository" / JAR.repository_path
    found.parent.mkdir(parents=True)
    found.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(StackError, match="cannot fetch 1 of"):
        jars.fetch_kafka()
    assert not jars.kafka_home().exists()


def test_no_source_at_all_says_what_to_do_next(one_jar: Path) -> None:
    with pytest.raises(StackError, match=r"What to do next: .*TRUSTFOLD_KAFKA"):
        jars.fetch_kafka()


def test_maven_is_asked_for_the_locked_jars_only() -> None:
    pom = jars._pom([JAR])
    assert "<artifactId>thing</artifactId><version>1.0</version>" in pom
    assert "<exclusion><groupId>*</groupId>" in pom
