"""Examples for the document of the API: what a programme's numbers and open alerts look like.

They stand beside the shapes, not in them: FastAPI leaves what is null out of an example.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from services.insights.views.programmes import TOO_FEW

_CELL = {
    "unit": "platform",
    "epoch": "2026-02",
    "as_of": "2026-03-01T00:00:00Z",
    "model": "v1",
    "pairs": 40,
    "mentors": 25,
    "mentees": 40,
    "health": 0.7,
    "bands": {"too_early": 0.1, "steady": 0.7, "watch": 0.15, "strained": 0.05},
    "facets": {"E": 0.8, "L": 0.7, "H": 0.75, "R": 0.8, "B": 0.65, "P": 0.7},
    "benefits": {"clarity": 0.65, "growth": 0.2, "problem_solving": 0.35, "network": 0.1},
}
_WHOLE = {**_CELL, "unit": None, "pairs": 85, "mentors": 60, "mentees": 85}
_ALERT = {
    "pair_id": "019d0179-ae88-7333-8e50-2f5ad0d21a4c",
    "mentor_id": "E-1017",
    "mentee_id": "E-2230",
    "about": "mentor",
    "since": "2026-03-18",
    "band": "strained",
    "reasons": [
        {
            "code": "commitment_missed",
            "facet": "R",
            "event_id": "019d0179-ae88-72da-81e4-bc9b5cbb1d2c",
        }
    ],
    "next_step": "repair_delivered",
}
# By the name of the shape.
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "AlertPage": [{"items": [_ALERT], "next": None}],
    "Programmes": [
        {
            "items": [
                {"programme_id": "autumn-2026", "measured": None},
                {"programme_id": "spring-2026", "measured": "2026-02"},
            ],
            "next": None,
        }
    ],
    "ProgrammeMeasures": [
        {
            "programme_id": "spring-2026",
            "items": [_WHOLE, _CELL],
            "next": "2026-02:platform",
            "note": None,
        },
        {"programme_id": "spring-2026", "items": [], "next": None, "note": TOO_FEW},
    ],
}


def show(app: FastAPI) -> None:
    """Put the examples into the document of the API, each beside the shape it is of."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        said = made()
        for name, examples in EXAMPLES.items():
            said["components"]["schemas"][name]["examples"] = examples
        return said

    app.openapi = openapi  # type: ignore[method-assign]
