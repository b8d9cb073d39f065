"""Kinds of panels and what a dashboard is made of. Knows Grafana's form, and no metric.

`$in` in a query stands for the namespaces that were chosen; who looks at one network chose all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal["lines", "stack", "number", "bars"]

# The one place where dashboards say where the runbooks are; the rules for alerts have the same.
RUNBOOKS = "https://github.com/trustfold/trustfold/blob/main/docs/runbooks/"
IN = 'namespace=~"$namespace"'
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
SCHEMA = 41
TAG = "trustfold"
HEIGHTS: dict[Kind, int] = {"lines": 8, "stack": 8, "number": 5, "bars": 8}
_LEGEND: Json = {"displayMode": "list", "placement": "bottom", "showLegend": True}
_REDUCE: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture: queries with their legends, what they mean, and from where on it is bad.

    `warn` colours yellow and `bad` red; where little is bad, `is_low_bad` turns them round.
    """

    title: str
    says: str
    queries: Sequence[tuple[str, str]]
    unit: str
    kind: Kind = "lines"
    width: int = 8
    warn: float | None = None
    bad: float | None = None
    is_low_bad: bool = False
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Rows of panels under a heading each. `by` is the label of its second variable."""

    name: str
    title: str
    says: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    by: str = ""


def drawn(dashboard: Dashboard) -> Json:
    """The dashboard as Grafana loads it."""
    return {
        "uid": f"trustfold-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.says,
        "tags": [TAG],
        "timezone": "browser",
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [_others()],
        "templating": {"list": list(_variables(dashboard))},
        "annotations": {"list": []},
        "panels": list(_placed(dashboard.rows)),
    }


def _others() -> Json:
    return {
        "title": "Trustfold",
        "type": "dashboards",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _variables(dashboard: Dashboard) -> Iterator[Json]:
    yield {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "regex": "",
        "hide": 0,
        "includeAll": False,
        "multi": False,
    }
    yield _choice("namespace", "Namespace", "label_values(trustfold_relay_leads, namespace)")
    if dashboard.by:
        asked = f"label_values(trustfold_relay_leads{{{IN}}}, service)"
        yield _choice(dashboard.by, dashboard.by.capitalize(), asked)


def _choice(name: str, label: str, query: str) -> Json:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "A"},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "includeAll": True,
        # Also matches what has no such label: outside Kubernetes there are no namespaces.
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(rows: Sequence[tuple[str, Sequence[Panel]]]) -> Iterator[Json]:
    """Panels from left to right, a new line where one is full, each row under its heading."""
    y, number = 0, 0
    for heading, panels in rows:
        number += 1
        yield {
            "id": number,
            "title": heading,
            "type": "row",
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            "panels": [],
        }
        x, y, tallest = 0, y + 1, 0
        for panel in panels:
            number += 1
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            height = HEIGHTS[panel.kind]
            yield _picture(number, panel, {"x": x, "y": y, "w": panel.width, "h": height})
            x, tallest = x + panel.width, max(tallest, height)
        y += tallest


def _picture(number: int, panel: Panel, place: Json) -> Json:
    look = {"lines": _lines, "stack": _lines, "number": _number, "bars": _bars}[panel.kind]
    kind, custom, options = look(panel)
    defaults: Json = {"unit": panel.unit, "min": 0, "thresholds": _thresholds(panel)}
    defaults["color"] = {"mode": "palette-classic" if custom else "thresholds"}
    if custom:
        defaults["custom"] = custom
    return {
        "id": number,
        "title": panel.title,
        "description": panel.says,
        "type": kind,
        "datasource": SOURCE,
        "gridPos": place,
        "links": _runbook(panel),
        "targets": [_target(n, panel, *query) for n, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }


def _target(number: int, panel: Panel, query: str, legend: str) -> Json:
    target: Json = {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": " ".join(query.replace("$in", IN).split()),
        "legendFormat": legend,
    }
    return target | ({"instant": True} if panel.kind == "bars" else {"range": True})


def _runbook(panel: Panel) -> list[Json]:
    if not panel.runbook:
        return []
    return [{"title": "Runbook", "url": f"{RUNBOOKS}{panel.runbook}.md", "targetBlank": True}]


def _thresholds(panel: Panel) -> Json:
    if panel.bad is None and panel.warn is None:
        return {"mode": "absolute", "steps": [{"color": "green", "value": None}]}
    if panel.is_low_bad:
        steps = [("red", None), ("yellow", panel.bad), ("green", panel.warn or panel.bad)]
    else:
        steps = [("green", None), ("yellow", panel.warn), ("red", panel.bad)]
    named = {bound: colour for colour, bound in steps[1:] if bound is not None}
    return {
        "mode": "absolute",
        "steps": [{"color": steps[0][0], "value": None}]
        + [{"color": colour, "value": bound} for bound, colour in named.items()],
    }


def _lines(panel: Panel) -> tuple[str, Json, Json]:
    stacked = panel.kind == "stack"
    limited = panel.warn is not None or panel.bad is not None
    custom: Json = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 40 if stacked else 8,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limited else "off"},
    }
    return "timeseries", custom, {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}}


def _number(_: Panel) -> tuple[str, Json, Json]:
    options = {
        "reduceOptions": _REDUCE,
        "colorMode": "value",
        "graphMode": "area",
        "textMode": "auto",
        "justifyMode": "auto",
        "orientation": "auto",
    }
    return "stat", {}, options


def _bars(_: Panel) -> tuple[str, Json, Json]:
    options = {"reduceOptions": _REDUCE, "displayMode": "basic", "orientation": "horizontal"}
    return "bargauge", {}, options
