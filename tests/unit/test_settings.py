"""Settings: from the environment, or from files as clusters mount secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from services.insights.settings import InsightsSettings
from shared.command import from_environment
from shared.settings import DatabaseSettings

OPEN = "postgresql://trustfold_insights@db:5432/trustfold?sslmode=verify-full"


def test_a_password_is_put_into_an_address_that_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_POSTGRES", OPEN)
    monkeypatch.setenv("INSIGHTS_POSTGRES_PASSWORD", "p/w @1")
    read = from_environment(DatabaseSettings, "INSIGHTS_")
    assert read.dsn == OPEN.replace("insights@", "insights:p%2Fw%20%401@")
    assert "p/w" not in repr(read)


@pytest.mark.parametrize(
    "address", ["postgresql://someone:here@db/trustfold", "postgresql://db/trustfold"]
)
def test_two_passwords_or_one_of_nobody_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setenv("INSIGHTS_POSTGRES", address)
    monkeypatch.setenv("INSIGHTS_POSTGRES_PASSWORD", "another")
    with pytest.raises(typer.Exit):
        from_environment(DatabaseSettings, "INSIGHTS_")
    assert "another" not in capsys.readouterr().err


def test_a_secret_may_lie_in_a_file_of_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INSIGHTS_POSTGRES", OPEN)
    for name, value in {
        "INSIGHTS_POSTGRES_PASSWORD": "of-the-file\n",
        "INSIGHTS_KAFKA_PASSWORD": "scram",
        "MATCHING_RECEIPT_KEY": "somebody else's",
    }.items():
        (tmp_path / name).write_text(value)
    for name, value in {
        "KAFKA": "kafka:9093",
        "KAFKA_TLS": "true",
        "KAFKA_USER": "insights",
    }.items():
        monkeypatch.setenv(f"INSIGHTS_{name}", value)
    read = from_environment(InsightsSettings, "INSIGHTS_", tmp_path)
    assert read.dsn == OPEN.replace("insights@", "insights:of-the-file@")
    assert read.kafka_password is not None
    assert read.kafka_password.get_secret_value() == "scram"


def test_what_the_environment_says_goes_before_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "INSIGHTS_POSTGRES").write_text("postgresql://of-a-file/x")
    monkeypatch.setenv("INSIGHTS_POSTGRES", OPEN)
    assert from_environment(DatabaseSettings, "INSIGHTS_", tmp_path).dsn == OPEN
