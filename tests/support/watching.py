"""What the tests of dashboards and alerts share: the files as data, and queries taken apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml
from prometheus_client import Counter, Gauge, Histogram

from shared import metrics

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = PROMETHEUS / "rules.yaml"
RULE_TESTS = sorted((PROMETHEUS / "tests").glob("*.yaml"))
DASHBOARDS = [
    ROOT / "deploy" / "grafana" / "dashboards" / f"{name}.json"
    for name in ("network", "delivery", "trust", "matching")
]
# What Prometheus adds when it scrapes: the operator's own labels of a target.
OF_A_TARGET = {"namespace", "pod", "job", "instance"}
# What Grafana puts in before it asks.
FILLED = {"$__rate_interval": "5m", "$namespace": ".*", "$service": ".*"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and where it stands."""

    place: str
    query: str


def read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def read_yaml(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in read_yaml(RULES)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def pictures(path: Path) -> list[dict[str, Any]]:
    """The panels that show something: headings do not."""
    return [panel for panel in read_json(path)["panels"] if panel["type"] != "row"]


def filled(query: str) -> str:
    """A query as Grafana sends it, when everything was chosen."""
    for variable, value in FILLED.items():
        query = query.replace(variable, value)
    return query


def asked() -> list[Asked]:
    """Every query of every dashboard and rule."""
    drawn = [
        Asked(f"{path.stem}: {panel['title']}", filled(target["expr"]))
        for path in DASHBOARDS
        for panel in pictures(path)
        for target in panel["targets"]
    ]
    return drawn + [Asked(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]


def measured() -> dict[str, set[str]]:
    """Every series that can be asked for, and its own labels."""
    known: dict[str, set[str]] = {}
    for one in vars(metrics).values():
        if not isinstance(one, Counter | Gauge | Histogram):
            continue
        labels = set(one._labelnames)
        if isinstance(one, Counter):
            known[f"{one._name}_total"] = labels
        elif isinstance(one, Gauge):
            known[one._name] = labels
        else:
            known |= {f"{one._name}_{end}": labels for end in ("count", "sum")}
            known[f"{one._name}_bucket"] = labels | {"le"}
    for rule in rules():
        if "record" in rule:
            known[rule["record"]] = grouped(rule["expr"])
    return known


def parts(query: str) -> Iterator[promql.Expr]:
    """Every part of a query. Raises ValueError when it is none."""
    found: list[promql.Expr] = []
    promql.walk(promql.parse(query), found.append)
    yield from found


def selected(query: str) -> Iterator[tuple[str, set[str]]]:
    """Each series that a query selects, with the labels it is asked by."""
    for part in parts(query):
        if isinstance(part, promql.VectorSelector):
            assert part.name, "a selector names its metric"
            yield part.name, {matcher.name for matcher in part.matchers.matchers}


def grouped(query: str) -> set[str]:
    """The labels by which a query groups or joins."""
    labels: set[str] = set()
    for part in parts(query):
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None:
            labels |= set(part.modifier.labels)
        if isinstance(part, promql.BinaryExpr) and part.modifier and part.modifier.matching:
            labels |= set(part.modifier.matching.labels)
    return labels
