"""What the documents say of metrics is true of the code."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from shared import metrics

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"
ROW = re.compile(r"^\| `(trustfold_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)


def test_every_metric_is_told_with_its_kind_and_labels() -> None:
    made = {
        (
            one._name + ("_total" if isinstance(one, Counter) else ""),
            type(one).__name__.lower(),
            ", ".join(f"`{label}`" for label in one._labelnames) or "-",
        )
        for one in vars(metrics).values()
        if isinstance(one, Counter | Gauge | Histogram)
    }
    assert set(ROW.findall(PAGE.read_text(encoding="utf-8"))) == made
