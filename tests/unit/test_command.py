"""`trustfold` fails in one sentence that says what to do, never in a traceback."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from shared.cli import app

NOBODY = "127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["dlq", "ls", "nope"], "matching, sessions, notifications", id="an unknown service"
        ),
        pytest.param(["run", "insights", "--role", "x"], "no role is called x", id="unknown role"),
        pytest.param(["dlq", "drop", "insights"], "name the ids, or say --all", id="nothing named"),
        pytest.param(["topics", "--bootstrap", NOBODY], "KafkaConnectionError", id="broker away"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHTS_POSTGRES", f"postgres://x:y@{NOBODY}/z")
    monkeypatch.setenv("INSIGHTS_KAFKA", NOBODY)

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code in {1, 2}
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert said in " ".join(result.output.split()).replace("│ ", "")


def test_every_setting_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_POOL_SIZE", "1")
    monkeypatch.delenv("INSIGHTS_POSTGRES", raising=False)
    monkeypatch.delenv("INSIGHTS_KAFKA", raising=False)

    result = CliRunner().invoke(app, ["run", "insights"])

    assert result.exit_code == 2
    named = {line.partition(":")[0] for line in result.stderr.splitlines()}
    assert named == {"INSIGHTS_POSTGRES", "INSIGHTS_KAFKA", "INSIGHTS_POOL_SIZE"}
