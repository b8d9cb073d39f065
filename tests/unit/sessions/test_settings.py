"""The service's settings and how it is put together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.sessions.settings import SessionsSettings


@pytest.fixture(autouse=True)
def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONS_POSTGRES", "postgresql://sessions@localhost/trustfold")
    monkeypatch.setenv("SESSIONS_KAFKA", "localhost:9092")


def test_the_spans_are_what_the_trust_model_says_unless_they_are_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert SessionsSettings().rules().grace == timedelta(hours=48)
    monkeypatch.setenv("SESSIONS_GRACE", "PT12H")
    assert SessionsSettings().rules().grace == timedelta(hours=12)


@pytest.mark.parametrize(
    "name", ["GRACE", "CONFIRM_WITHIN", "OUTAGE_AFTER", "SWEEP_EVERY_S", "SWEEP_BATCH_PAIRS"]
)
def test_a_span_or_size_that_is_not_positive_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"SESSIONS_{name}", "0" if "SWEEP" in name else "PT0S")

    with pytest.raises(ValidationError, match=name.lower()):
        SessionsSettings()


def test_an_outage_is_told_by_the_machines_clock_and_by_a_virtual_one_only_on_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert SessionsSettings().outages() == timedelta(hours=1)
    monkeypatch.setenv("SESSIONS_CLOCK_FILE", "clock")
    assert SessionsSettings().outages() is None
    monkeypatch.setenv("SESSIONS_OUTAGE_AFTER", "PT6H")
    assert SessionsSettings().outages() == timedelta(hours=6)
