"""Dashboards load, their queries and those of the alerts ask for what is measured, and every alert
leads to a runbook that knows it.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest

from deploy.grafana import make
from deploy.grafana.panels import RUNBOOKS as PREFIX
from tests.support.watching import (
    DASHBOARDS,
    OF_A_TARGET,
    RUNBOOKS,
    Asked,
    alerts,
    asked,
    grouped,
    measured,
    parts,
    pictures,
    read_json,
    rules,
    selected,
)

EVERY = asked()
KNOWN = measured()
# Read from a database by every process: adding them up counts the same thing several times.
TOLD_BY_ALL = {
    "trustfold_dead_letters",
    "trustfold_dead_letter_cap",
    "trustfold_outbox_facts",
    "trustfold_outbox_age_seconds",
    "trustfold_sweep_delay_seconds",
    "trustfold_unsurfaced_pairs",
    "trustfold_score_age_seconds",
    "trustfold_alerts_open",
    "trustfold_matching_runs",
    "trustfold_matching_run_wait_seconds",
    "trustfold_matching_proposals_open",
    "trustfold_matching_index_stale",
    "trustfold_messages_due",
    "trustfold_message_delay_seconds",
    "trustfold_endpoint_deliveries_due",
}
UNITS = {"short", "s", "reqps", "cps", "cpm", "percentunit"}
ROW = re.compile(r"^\| `(Trustfold\w+)` \| (\w+) \| [^|]+ \| \[[^]]+\]\(([\w-]+\.md)\) \|$", re.M)


def name_of(one: Path | Asked) -> str:
    return one.place if isinstance(one, Asked) else one.stem


def runbook_of(alert: dict[str, Any]) -> str:
    return str(alert["annotations"]["runbook_url"]).removeprefix(PREFIX)


def test_the_committed_dashboards_are_what_the_panels_say() -> None:
    assert not make.stale(), "python -m deploy.grafana.make"
    assert sorted(make.files()) == sorted(DASHBOARDS)


@pytest.mark.parametrize("path", DASHBOARDS, ids=name_of)
def test_a_dashboard_has_what_grafana_loads_it_by(path: Path) -> None:
    board = read_json(path)
    assert board["uid"] == f"trustfold-{path.stem}"
    assert board["title"]
    assert board["description"]
    assert board["schemaVersion"] >= 39
    assert board["refresh"] == "30s"
    assert board["tags"] == ["trustfold"]
    (link,) = board["links"]
    assert (link["type"], link["tags"]) == ("dashboards", ["trustfold"])
    source, *choices = board["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == (
        "datasource", "datasource", "prometheus",
    )  # fmt: skip
    assert all(choice["allValue"] == ".*" and choice["includeAll"] for choice in choices)


@pytest.mark.parametrize("path", DASHBOARDS, ids=name_of)
def test_panels_have_places_of_their_own(path: Path) -> None:
    panels = read_json(path)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


@pytest.mark.parametrize("path", DASHBOARDS, ids=name_of)
def test_a_panel_says_what_it_is_and_asks_the_source_that_was_chosen(path: Path) -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in pictures(path):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        bounds = [step["value"] for step in steps]
        assert bounds[0] is None
        assert bounds[1:] == sorted(bounds[1:])
        assert panel["targets"]
        assert all(each["datasource"] == source for each in (panel, *panel["targets"]))
        assert all(target["legendFormat"] for target in panel["targets"])
        for link in panel["links"]:
            assert (RUNBOOKS / link["url"].removeprefix(PREFIX)).exists(), panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=name_of)
def test_a_query_uses_the_variables_of_its_dashboard_and_keeps_to_the_chosen_network(
    path: Path,
) -> None:
    board = read_json(path)
    names = {each["name"] for each in board["templating"]["list"]} | {"__rate_interval"}
    for panel in pictures(path):
        for target in panel["targets"]:
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= names
            series = [name for name, _ in selected(_plain(target["expr"]))]
            assert target["expr"].count('namespace=~"$namespace"') == len(series)


def _plain(query: str) -> str:
    return query.replace("$__rate_interval", "5m")


@pytest.mark.parametrize("one", EVERY, ids=name_of)
def test_a_query_parses_and_asks_for_what_is_measured(one: Asked) -> None:
    found = list(selected(one.query))
    assert found
    for name, labels in found:
        assert name in KNOWN, f"{name} is not in shared/metrics.py"
        assert labels <= KNOWN[name] | OF_A_TARGET, name
    known = set().union(*(KNOWN[name] for name, _ in found))
    assert grouped(one.query) <= known | OF_A_TARGET


@pytest.mark.parametrize("one", EVERY, ids=name_of)
def test_what_every_process_tells_is_never_added_up_and_lag_always_is(one: Asked) -> None:
    for part in parts(one.query):
        if isinstance(part, promql.AggregateExpr) and isinstance(part.expr, promql.VectorSelector):
            how, name = str(part.op), part.expr.name
            assert not (name in TOLD_BY_ALL and how == "sum"), one.place
            if name == "trustfold_lag_records" and how != "sum":
                assert one.place == "TrustfoldNoWorker", "it asks whether there is one at all"


@pytest.mark.parametrize("one", EVERY, ids=name_of)
def test_a_counter_is_only_looked_at_as_it_grows(one: Asked) -> None:
    """A counter begins anew with its process, so its value by itself says nothing."""
    if one.place == "TrustfoldRunsFail":
        return  # it asks for counters that were not there before
    in_ranges = [
        part.vector_selector.name
        for part in parts(one.query)
        if isinstance(part, promql.MatrixSelector)
    ]
    counters = [n for n, _ in selected(one.query) if n.endswith(("_total", "_bucket", "_count"))]
    assert Counter(in_ranges) == Counter(counters)


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {name for one in EVERY for name, _ in selected(one.query)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown}
    known = {re.sub(r"_(bucket|count|sum)$", "", name) for name in KNOWN}
    assert families == known


def test_an_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on() -> None:
    for name, alert in alerts().items():
        assert re.fullmatch(r"Trustfold[A-Z]\w+", name)
        assert alert["labels"] == {"severity": alert["labels"]["severity"]}
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
        assert alert["annotations"]["description"].endswith(".")
        assert alert["annotations"]["runbook_url"].startswith(PREFIX)


def test_names_of_alerts_are_used_once() -> None:
    names = [rule["alert"] for rule in rules() if "alert" in rule]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(alerts()))
def test_the_text_of_an_alert_names_only_labels_that_it_has(name: str) -> None:
    alert = alerts()[name]
    told = "".join([alert["annotations"]["summary"], alert["annotations"]["description"]])
    named = set(re.findall(r"\$labels\.(\w+)", told))
    kept = grouped(alert["expr"]) | {
        label for part, labels in selected(alert["expr"]) if "absent" in alert["expr"]
        for label in labels
    } | ({"service"} if "trustfold:" in alert["expr"] else set())  # fmt: skip
    assert named <= kept - {"le"}


@pytest.mark.parametrize("name", sorted(alerts()))
def test_the_runbook_of_an_alert_knows_it(name: str) -> None:
    runbook = RUNBOOKS / runbook_of(alerts()[name])
    assert runbook.exists()
    assert f"`{name}`" in runbook.read_text(encoding="utf-8")


def test_the_index_of_runbooks_has_every_alert_as_it_is() -> None:
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert {(name, severity, runbook) for name, severity, runbook in ROW.findall(index)} == {
        (name, alert["labels"]["severity"], runbook_of(alert)) for name, alert in alerts().items()
    }


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("[a-z]*.md")), ids=name_of)
def test_a_runbook_has_its_parts_and_an_alert_or_says_how_it_is_found(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    at = [text.find(f"**{part}") for part in ("Symptom", "Check", "Action", "Verify")]
    assert -1 not in at
    assert at == sorted(at)
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    not_alerted = index.split("## Not alerted", 1)[1]
    is_alerted = path.name in {runbook_of(alert) for alert in alerts().values()}
    assert is_alerted != bool(re.search(rf"^\| \[[^]]+\]\({path.name}\)", not_alerted, re.M))


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("[a-z]*.md")), ids=name_of)
def test_a_runbook_names_alerts_and_metrics_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"`(Trustfold[A-Z][a-z]\w+)`", text)) <= set(alerts())
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in KNOWN}
    named = {re.sub(r"_(bucket|count|sum)$", "", it) for it in re.findall(r"trustfold_\w+", text)}
    assert named <= families
