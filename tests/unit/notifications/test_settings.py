"""Settings that cannot work are refused at the start, all at once."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from services.notifications.settings import NotificationsSettings

GIVEN = {
    "POSTGRES": "postgresql://n:secret@db/trustfold",
    "KAFKA": "kafka:9092",
    "SMTP_HOST": "smtp.example",
    "SENDER": "no-reply@mentoring.example",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(f"NOTIFICATIONS_{name}", value)


def test_the_least_that_is_needed_is_enough_and_wants_tls() -> None:
    settings = NotificationsSettings()

    assert settings.smtp_starttls
    assert settings.smtp_port == 587


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"SMTP_USERNAME": "u"}, "come together"),
        (
            {"SMTP_USERNAME": "u", "SMTP_PASSWORD": "hush", "SMTP_STARTTLS": "false"},
            "only over TLS",
        ),
        ({"LEASE_S": "30", "SEND_TIMEOUT_S": "20"}, "three times"),
        ({"SENDER": "no-reply@a\r\nBcc: x@y"}, "sender"),
        ({"SENDER_NAME": "a\r\nBcc: x@y"}, "sender_name"),
    ],
    ids=["half a login", "a login in the clear", "a short lease", "a bad sender", "a bad name"],
)
def test_this_cannot_work(
    given: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"NOTIFICATIONS_{name}", value)

    with pytest.raises(ValidationError, match=problem) as raised:
        NotificationsSettings()

    assert "hush" not in str(raised.value)


def test_secrets_stay_out_of_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFICATIONS_SMTP_USERNAME", "mailer")
    monkeypatch.setenv("NOTIFICATIONS_SMTP_PASSWORD", "hush")

    settings = NotificationsSettings()

    assert settings.smtp_password == SecretStr("hush")
    assert "hush" not in repr(settings)
    assert ":secret@" not in repr(settings)
