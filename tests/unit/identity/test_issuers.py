"""The file that says whose tokens are believed: what is wrong with it is named, at the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.identity.believing import Believing, NobodyBelieved
from shared.identity.issuers import IssuersUnreadable, read_issuers

GOOD: dict[str, Any] = {
    "issuer": "https://id.acme.example",
    "audience": "trustfold",
    "tenant": "acme",
}


def written(folder: Path, *issuers: Any) -> Path:
    path = folder / "issuers.json"
    path.write_text(json.dumps(issuers), encoding="utf-8")
    return path


def test_a_file_names_issuers(tmp_path: Path) -> None:
    (issuer,) = read_issuers(written(tmp_path, GOOD))

    assert issuer.algorithms == ("RS256", "ES256")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tenant": None}, "either tenant or tenant_claim"),
        ({"tenant_claim": "org"}, "either tenant or tenant_claim"),
        ({"issuer": "http://id.acme.example"}, "https"),
        ({"jwks_url": "http://id.acme.example/keys"}, "https"),
        ({"algorithms": ["HS256"]}, r"algorithms\.0"),
        ({"algorithms": ["none"]}, r"algorithms\.0"),
        ({"algorithms": []}, "algorithms"),
        ({"roles": {"Boss": "admin"}}, r"roles\.Boss"),
        ({"audiance": "x"}, "audiance"),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(IssuersUnreadable, match=said):
        read_issuers(written(tmp_path, GOOD | change))


def test_this_machine_needs_no_certificate(tmp_path: Path) -> None:
    assert read_issuers(written(tmp_path, GOOD | {"issuer": "http://127.0.0.1:8099"}))


@pytest.mark.parametrize("issuers", [(), (GOOD, GOOD)], ids=["nobody", "one twice"])
def test_a_file_names_each_issuer_once_and_at_least_one(tmp_path: Path, issuers: Any) -> None:
    with pytest.raises(IssuersUnreadable):
        read_issuers(written(tmp_path, *issuers))


def test_without_a_file_there_is_no_api() -> None:
    with pytest.raises(NobodyBelieved, match="IDENTITY_FILE"):
        Believing(None)
    with pytest.raises(IssuersUnreadable, match=r"nothing\.json"):
        Believing(Path("nothing.json"))
