"""Request headers read by hand and still in the OpenAPI document. Knows none of them by name.

As FastAPI's own parameters, five headers cost a request more than everything else on its way to the
handler (docs/explanation/performance.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

Dependency = TypeVar("Dependency", bound=Callable[..., Any])
_READS = "reads_headers"


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One header. `pattern` is of the whole value; without `required` it may be left out."""

    name: str
    pattern: re.Pattern[str]
    description: str = ""
    required: bool = False

    def parameter(self) -> dict[str, object]:
        """As OpenAPI has it."""
        schema = {"type": "string", "pattern": f"^{self.pattern.pattern}$"}
        said = {"description": self.description} if self.description else {}
        return {
            "name": self.name,
            "in": "header",
            "required": self.required,
            **said,
            "schema": schema,
        }


def reads(*fields: HeaderField) -> Callable[[Dependency], Dependency]:
    """Say of a dependency which headers it reads, so that `documented` finds them."""

    def mark(dependency: Dependency) -> Dependency:
        setattr(dependency, _READS, fields)
        return dependency

    return mark


def documented(dependant: Dependant) -> list[dict[str, object]]:
    """The headers that a route's dependencies read by hand, as OpenAPI's parameters."""
    found = [each.parameter() for each in getattr(dependant.call, _READS, ())]
    for inner in dependant.dependencies:
        found += documented(inner)
    return found


def read(request: Request, fields: Sequence[HeaderField]) -> dict[str, str]:
    """The fields that were sent, by name. Raises RequestValidationError naming all that are wrong.

    Of a header that was sent twice, the first counts.
    """
    sent: Mapping[bytes, bytes] = dict(reversed(request.scope["headers"]))
    found, wrong = {}, []
    for field in fields:
        raw = sent.get(field.name.lower().encode())
        if raw is None:
            if field.required:
                wrong.append(_problem(field, "missing", "Field required"))
            continue
        value = raw.decode("latin-1")
        if not field.pattern.fullmatch(value):
            said = f"String should match pattern '^{field.pattern.pattern}$'"
            wrong.append(_problem(field, "string_pattern_mismatch", said))
        found[field.name] = value
    if wrong:
        raise RequestValidationError(wrong)
    return found


def _problem(field: HeaderField, kind: str, said: str) -> dict[str, object]:
    return {"type": kind, "loc": ("header", field.name), "msg": said}
