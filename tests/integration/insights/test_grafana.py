"""The dashboard for Grafana: its queries run as a reader and give what its panels show."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.insights.conftest import Insights
from tests.integration.insights.reading import Readers, readers_of
from tests.support.databases import Databases

pytestmark = pytest.mark.stack

GRAFANA = Path(__file__).parents[3] / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "programmes.json").read_bytes())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
VARIABLES: dict[str, str] = {
    each["name"]: each["query"] for each in DASHBOARD["templating"]["list"]
}
CHOSEN = {"programme": "spring", "unit": "R&D"}


def filled(sql: str, chosen: Mapping[str, str]) -> str:
    """A query as Grafana sends it: with its macros and the choices of who looks put in."""
    named = r"\$__timeFilter\((\w+)\)"
    between = r"\1 BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T00:00:00Z'"
    sql = re.sub(named, between, sql)
    for name, value in chosen.items():
        quoted = "'" + value.replace("'", "''") + "'"
        sql = sql.replace(f"${{{name}:sqlstring}}", quoted)
    assert "$" not in sql, "nothing that nobody quotes"
    return sql


def shown(panel: dict[str, Any]) -> set[str]:
    """What a panel names: fields with a look of their own, and what stands on its axis."""
    named = {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]}
    return named | {value for key, value in panel["options"].items() if key == "xField"}


@pytest.fixture
async def readers(insights: Insights, databases: Databases) -> AsyncIterator[Readers]:
    async with readers_of(insights, databases) as found:
        yield found


async def test_every_panel_gets_what_it_shows(readers: Readers) -> None:
    async with readers.signed_in("acme") as conn:
        for panel in PANELS:
            (target,) = panel["targets"]
            rows = [dict(row) for row in await conn.fetch(filled(target["rawSql"], CHOSEN))]
            assert rows, panel["title"]
            columns = set(rows[0])
            if "metric" in columns:
                assert columns == {"time", "metric", "value"}
                columns = {row["metric"] for row in rows}
            assert shown(panel) <= columns, panel["title"]
            if target["format"] == "time_series":
                times = [row["time"] for row in rows]
                assert all(isinstance(at, datetime) and at.tzinfo for at in times)
                assert times == sorted(times)
                numbers = set(rows[0]) - {"time", "metric"}
                assert numbers
                assert all(isinstance(row[it], int | float) for row in rows for it in numbers)


async def test_the_variables_offer_programmes_and_their_units(readers: Readers) -> None:
    async with readers.signed_in("acme") as conn:
        programmes = [row[0] for row in await conn.fetch(VARIABLES["programme"])]
        units = await conn.fetch(filled(VARIABLES["unit"], {"programme": "spring"}))
    assert programmes == ["spring"]
    assert [(row["__value"], row["__text"]) for row in units] == [
        ("", "whole programme"), ("R&D", "R&D"), ("sales", "sales"),
    ]  # fmt: skip


async def test_another_tenants_dashboard_is_empty_for_this_programmes_unit(
    readers: Readers,
) -> None:
    async with readers.signed_in("globex") as conn:
        for panel in PANELS[:5]:
            assert await conn.fetch(filled(panel["targets"][0]["rawSql"], CHOSEN)) == []


async def test_a_units_name_with_a_quote_is_a_name(readers: Readers) -> None:
    hostile = {"programme": "spring", "unit": "x' OR 'a' = 'a"}
    async with readers.signed_in("acme") as conn:
        assert await conn.fetch(filled(PANELS[0]["targets"][0]["rawSql"], hostile)) == []


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    folder = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "trustfold.yaml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((folder / "dashboards" / "trustfold.yaml").read_text())[
        "providers"
    ]
    asked = [panel["datasource"] for panel in PANELS]
    asked += [target["datasource"] for panel in PANELS for target in panel["targets"]]
    asked += [each["datasource"] for each in DASHBOARD["templating"]["list"]]
    assert {(each["type"], each["uid"]) for each in asked} == {(source["type"], source["uid"])}
    assert source["secureJsonData"]["password"].startswith("$"), "no secret in a file"
    assert provider["type"] == "file"


def test_panels_have_places_of_their_own() -> None:
    taken = [
        (x, y)
        for panel in PANELS
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
