"""Every alert fires when it should, and only then: Prometheus itself says so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.watching import PROMETHEUS, RULE_TESTS, RULES, alerts, read_yaml

TIMEOUT_S = 120.0
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not here (Debian: apt-get install prometheus)"
)
CASES: list[dict[str, Any]] = [case for path in RULE_TESTS for case in read_yaml(path)["tests"]]


def promtool(*arguments: str | Path) -> str:
    """What promtool says; fails when it finds something wrong."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *map(str, arguments)],
        cwd=PROMETHEUS, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_prometheus_loads_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", RULES)


@needs_promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_only_then(path: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", path)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_an_alert_is_tested_to_fire_and_to_be_quiet(name: str) -> None:
    """Both from series of what it asks for: an alert is not quiet because nothing is measured."""
    fires: list[dict[str, Any]] = []
    quiet: list[dict[str, Any]] = []
    for case in CASES:
        for check in case["alert_rule_test"]:
            if check["alertname"] == name:
                (fires if check["exp_alerts"] else quiet).append(case)
    assert fires
    assert quiet
    metrics = {
        series["series"].partition("{")[0] for case in fires for series in case["input_series"]
    }
    for case in quiet:
        assert metrics & {each["series"].partition("{")[0] for each in case["input_series"]}


def test_what_is_expected_of_an_alert_is_what_somebody_reads() -> None:
    for case in CASES:
        for check in case["alert_rule_test"]:
            alert = alerts()[check["alertname"]]
            for expected in check["exp_alerts"]:
                labels, told = expected["exp_labels"], expected["exp_annotations"]
                assert labels["severity"] == alert["labels"]["severity"]
                assert set(told) == {"summary", "description", "runbook_url"}
                assert "{{" not in "".join(told.values())
                assert "<no value>" not in "".join(told.values())


def test_the_name_of_a_case_is_a_sentence_of_its_own() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names))
