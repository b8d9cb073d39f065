"""A version of the model as a document: what differs from the version it is based on. Pure.

The document names only what changes. Every problem is named with its field, all at once; a model
that would divide by zero or never end cannot be made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from services.insights.domain.evidence import Kind
from services.insights.domain.model import Bands, Facet, Model, Row
from shared.errors import Rejected

Document = Mapping[str, Any]
MAX_WEIGHT = 20.0
# Of each number: the least and the most that makes sense, whole or not.
LIMITS: dict[str, tuple[float, float, type]] = {
    "prior_strength": (0.1, 100, float),
    "base_rate": (0.5, 0.8, float),
    "weakest_share": (0, 1, float),
    "live_below": (0, 1, float),
    "enough": (0, 100, float),
    "default_half_life_days": (1, 3_650, int),
    "half_life_cadences": (1, 100, int),
    "full_per_week": (1, 100, int),
    "lasting_half_lives": (1, 10, int),
    "repair_promised": (0, 0.75, float),
    "repair_delivered": (0, 0.75, float),
    "repair_most": (0, 0.9, float),
    "repairs_per_window": (0, 100, int),
    "repair_window_days": (1, 3_650, int),
    "reveal_within_days": (0, 90, int),
    "batch_least": (3, 100, int),
    "batch_wait_days": (14, 365, int),
}
_SPECIAL = ("name", "base", "rows", "half_life_days", "bands")


class BadModel(Rejected):
    """The document is not a version of the model."""

    slug = "bad-model"


def names_of(document: Document) -> tuple[str, str]:
    """The name of the version, and of the one it is based on. Raises BadModel."""
    name, base = document.get("name"), document.get("base")
    for field, value in (("name", name), ("base", base)):
        if not isinstance(value, str) or not value.isidentifier() or not value.islower():
            raise BadModel(f"{field} must be a short lower-case name such as v2", field=field)
    return str(name), str(base)


def derive(base: Model, number: int, document: Document) -> Model:
    """The version that `document` describes. Raises BadModel naming every field that is wrong."""
    name, _ = names_of(document)
    problems = list(_problems(document))
    if problems:
        raise BadModel("; ".join(problems), field=problems[0].split(" ")[0])
    changes = {key: value for key, value in document.items() if key not in _SPECIAL}
    if "half_life_days" in document:
        changes["half_life_days"] = tuple(document["half_life_days"])
    if "bands" in document:
        changes["bands"] = Bands(**{k: tuple(v) for k, v in document["bands"].items()})
    rows = dict(base.rows)
    for code, weights in document.get("rows", {}).items():
        kind = Kind[code.upper()]
        rows[kind] = _row(rows[kind], weights)
    return replace(base, name=name, number=number, rows=rows, **changes)


def as_text(document: Document) -> str:
    """The document in one form, so that the same version is the same text."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _row(row: Row, weights: Mapping[str, Mapping[str, float]]) -> Row:
    def of(sign: str, own: Mapping[Facet, float]) -> Mapping[Facet, float]:
        cells = weights.get(sign)
        return own if cells is None else {Facet[f]: float(w) for f, w in cells.items()}

    return replace(row, good=of("good", row.good), bad=of("bad", row.bad))


def _problems(document: Document) -> Iterator[str]:
    known = {field.name for field in fields(Model)} & LIMITS.keys()
    for key, value in document.items():
        if key in known:
            yield from _number(key, value, *LIMITS[key])
        elif key not in _SPECIAL:
            yield f"{key} is not a field of a model"
    yield from _pair("half_life_days", document.get("half_life_days", (60, 240)), 1, 3_650)
    bands = document.get("bands", {})
    if not isinstance(bands, Mapping) or (bands and set(bands) != set(Bands._fields)):
        yield f"bands must give {' and '.join(Bands._fields)}"
    else:
        for name, limits in bands.items():
            yield from _pair(f"bands.{name}", limits, 0, 1)
    rows = document.get("rows", {})
    if not isinstance(rows, Mapping):
        yield "rows must be a map from kinds of evidence to weights"
        return
    for code, weights in rows.items():
        yield from _row_problems(code, weights)


def _row_problems(code: str, weights: object) -> Iterator[str]:
    if code.upper() not in Kind.__members__:
        yield f"rows.{code} is not a kind of evidence"
        return
    if not isinstance(weights, Mapping) or not set(weights) <= {"good", "bad"}:
        yield f"rows.{code} must give weights for good and bad"
        return
    for sign, cells in weights.items():
        if not isinstance(cells, Mapping):
            yield f"rows.{code}.{sign} must be a map from facets to weights"
            continue
        for facet, weight in cells.items():
            if facet not in Facet.__members__:
                yield f"rows.{code}.{sign}.{facet} is not a facet"
            else:
                # Above zero: a weight is kept as a power of two.
                yield from _number(f"rows.{code}.{sign}.{facet}", weight, 0.001, MAX_WEIGHT, float)


def _number(field: str, value: object, least: float, most: float, kind: type) -> Iterator[str]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole or (kind is float and isinstance(value, float))):
        yield f"{field} must be a {'whole ' if kind is int else ''}number"
    elif not least <= float(str(value)) <= most:
        yield f"{field} must lie between {least:g} and {most:g}"


def _pair(field: str, value: object, least: float, most: float) -> Iterator[str]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        yield f"{field} must be two numbers"
        return
    for number in value:
        yield from _number(field, number, least, most, float if most <= 1 else int)
    if all(isinstance(n, int | float) for n in value) and value[0] > value[1]:
        yield f"{field} must not fall"
