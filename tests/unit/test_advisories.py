"""`make audit` says what is known to be vulnerable, and does not call unknown the same as none."""

from __future__ import annotations

from deploy.local.advisories import said

FINE = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


def test_a_vulnerability_is_named_with_its_repair_and_fails() -> None:
    lines, code = said([FINE, BAD])

    assert lines == ["b 2: CVE-1, repaired in 2.1", "1 known vulnerabilities in 2 packages"]
    assert code == 1


def test_what_could_not_be_looked_up_is_said() -> None:
    lines, code = said([FINE, UNKNOWN])

    assert lines[0] == "0 known vulnerabilities in 1 packages"
    assert lines[1].startswith("1 could not be looked up")
    assert code == 0
