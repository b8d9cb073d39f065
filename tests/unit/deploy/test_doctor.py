"""The doctor on machines that lack something. Changes nothing on this one."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from deploy.local import containers, doctor, postgres_install
from deploy.local.errors import StackError

Usage = namedtuple("Usage", "total used free")


def finding(name: str, environ: dict[str, str] | None = None) -> doctor.Finding:
    return next(found for found in doctor.examine(environ or {}) if found.name == name)


@pytest.fixture
def broken_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with a useless Java, no database wheel, a full disk and no Docker."""

    def no_install() -> postgres_install.Install:
        raise StackError("no binaries. Set TRUSTFOLD_POSTGRES.")

    monkeypatch.setenv("TRUSTFOLD_JAVA", str(tmp_path / "nothing"))
    monkeypatch.setenv("TRUSTFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(postgres_install, "find_install", no_install)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, 0))
    monkeypatch.setattr(containers, "docker_answers", lambda: "no engine")


@pytest.mark.usefixtures("broken_machine")
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        pytest.param("Java", "TRUSTFOLD_JAVA", id="a Java that does not run"),
        pytest.param("PostgreSQL", "TRUSTFOLD_POSTGRES", id="no database binaries"),
        pytest.param("disk", "TRUSTFOLD_CACHE", id="no room left"),
    ],
)
def test_what_is_missing_comes_with_advice(name: str, advice: str) -> None:
    found = finding(name)
    assert found.ok is False
    assert advice in found.advice


@pytest.mark.usefixtures("broken_machine")
def test_docker_is_never_needed() -> None:
    assert finding("Docker").ok is None


@pytest.mark.usefixtures("broken_machine")
def test_a_broker_not_fetched_yet_is_no_fault() -> None:
    assert finding("Kafka").ok is None


@pytest.mark.usefixtures("broken_machine")
def test_the_exit_code_and_the_json_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run_doctor(json_output=True) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {"name", "ok", "detail", "advice"} == set(rows[0])


@pytest.mark.usefixtures("broken_machine")
def test_the_table_is_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run_doctor() == 1
    assert "missing" in capsys.readouterr().out


def test_a_server_named_but_unreachable_is_missing() -> None:
    environ = {"TRUSTFOLD_POSTGRES": "postgresql://someone:secret@127.0.0.1:1/x"}
    found = finding("PostgreSQL", environ)
    assert found.ok is False
    assert "secret" not in found.detail + found.advice


def test_a_check_that_crashes_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_environ: object) -> doctor.Finding:
        raise ZeroDivisionError

    monkeypatch.setitem(doctor.CHECKS, "ports", crash)
    assert finding("ports").ok is False
