"""A real Prometheus collects every metric: each panel of each dashboard shows something, and each
rule can be evaluated.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.places import free_ports
from tests.support.waiting import until
from tests.support.watching import DASHBOARDS, ROOT, RULES, alerts, filled, pictures

PROMETHEUS = shutil.which("prometheus")
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 10.0
pytestmark = pytest.mark.skipif(
    PROMETHEUS is None, reason="prometheus is not here (Debian: apt-get install prometheus)"
)
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: trustfold
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
PANELS = [
    pytest.param(filled(target["expr"]), id=f"{path.stem}: {panel['title']} {target['refId']}")
    for path in DASHBOARDS
    for panel in pictures(path)
    for target in panel["targets"]
]


@contextmanager
def running(*command: str | Path) -> Iterator[None]:
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a Prometheus answers that collects everything twice before long."""
    place = tmp_path_factory.mktemp("prometheus")
    told, asked = free_ports(2)
    config = place / "prometheus.yaml"
    config.write_text(CONFIG.format(rules=RULES, port=told), encoding="utf-8")
    with (
        running(sys.executable, "-m", "tests.support.measured", str(told)),
        running(
            str(PROMETHEUS),
            f"--config.file={config}",
            f"--storage.tsdb.path={place / 'data'}",
            f"--web.listen-address=127.0.0.1:{asked}",
        ),
    ):
        yield f"http://127.0.0.1:{asked}"


@pytest.fixture
async def ask(prometheus: str) -> Any:
    """Asks Prometheus for what a query comes to, once it has seen counters grow."""
    async with httpx.AsyncClient(base_url=prometheus) as client:

        async def result(query: str) -> list[dict[str, Any]]:
            answer = (await client.get("/api/v1/query", params={"query": query})).json()
            assert answer["status"] == "success", answer
            assert not answer.get("warnings")
            found: list[dict[str, Any]] = answer["data"]["result"]
            return found

        async def has_grown() -> object:
            try:
                ready = await client.get("/-/ready")
            except httpx.TransportError:
                return None
            # It listens before it can answer.
            return ready.is_success and await result("rate(trustfold_folded_total[5m]) > 0")

        await until(has_grown, timeout_s=START_TIMEOUT_S, what="collected twice")
        yield result


@pytest.mark.parametrize("query", PANELS)
async def test_a_panel_shows_something(query: str, ask: Any) -> None:
    assert await ask(query)


async def test_every_rule_is_evaluated_and_a_network_that_is_told_of_is_up(
    prometheus: str, ask: Any
) -> None:
    async def evaluated() -> object:
        async with httpx.AsyncClient(base_url=prometheus) as client:
            groups = (await client.get("/api/v1/rules")).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        states.update({rule["name"]: rule.get("state") for rule in rules})
        return all(rule["health"] == "ok" for rule in rules)

    states: dict[str, str | None] = {}
    await until(evaluated, timeout_s=START_TIMEOUT_S, what="evaluated")
    assert set(alerts()) <= set(states)
    assert states["TrustfoldServiceDown"] == "inactive"
    assert states["TrustfoldNoWorker"] == "inactive"
    assert await ask("trustfold:request_errors:ratio_rate5m > 0.4")
