"""The route that hands out what was released of a programme as a file. Never about a pair."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from services.insights.api.programmes import EPOCH, OPEN_AGE_S, keep
from services.insights.domain.epochs import epoch_named
from services.insights.views import exports
from services.insights.views.exports import COLUMNS, TYPES, Form
from shared.events.fact import OPAQUE
from shared.http import Authenticated
from shared.ids import ProgrammeId
from shared.postgres.pool import Pool

_NAMES = [column.name for column in COLUMNS]
_CELL = (
    "spring-2026", "platform", "2026-02-01", "2026-03-01T00:00:00Z", "v1", 40, 25, 40, 0.7,
    0.1, 0.7, 0.15, 0.05, 0.8, 0.7, 0.75, 0.8, 0.65, 0.7, 0.65, 0.2, 0.35, 0.1,
)  # fmt: skip
_CSV = f"{','.join(_NAMES)}\r\n{','.join(map(str, _CELL))}\r\n"
_LINE = json.dumps(dict(zip(_NAMES, _CELL, strict=True))) + "\n"
_TEXT = {"type": "string"}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A row for each month and unit, the newest month first.",
        "content": {
            "text/csv": {"schema": _TEXT, "example": _CSV},
            TYPES[Form.NDJSON]: {"schema": _TEXT, "example": _LINE},
            TYPES[Form.PARQUET]: {"schema": {**_TEXT, "format": "binary"}},
        },
        "headers": {
            "Content-Disposition": {
                "description": "The name to save it under.",
                "schema": _TEXT,
                "example": 'attachment; filename="spring-2026.csv"',
            }
        },
    }
}


class Wanted(BaseModel):
    """What is to be exported, and as what."""

    format: Annotated[Form, Query(examples=["parquet"])] = Form.CSV
    since: Annotated[
        str | None, Query(pattern=EPOCH, description="yyyy-mm", examples=["2026-01"])
    ] = None


def build_router(pool: Pool) -> APIRouter:
    """The route under /v1/programmes that answers with a file."""
    router = APIRouter()

    @router.get("/v1/programmes/{programme_id}/export", response_class=Response, responses=ANSWERS)
    async def export_programme(
        programme_id: Annotated[str, Path(pattern=OPAQUE.pattern)],
        caller: Authenticated,
        wanted: Annotated[Wanted, Query()],
    ) -> Response:
        """Everything that was released of a programme and its units, as one file."""
        of = (caller.tenant, ProgrammeId(programme_id))
        since = epoch_named(wanted.since) if wanted.since else None
        found = await exports.releases(pool, of, since)
        # Beside the event loop: a large file is made for a second.
        body = await asyncio.to_thread(exports.written, found, wanted.format)
        named = f'attachment; filename="{exports.file_name(programme_id, wanted.format)}"'
        answer = Response(
            body, media_type=TYPES[wanted.format], headers={"Content-Disposition": named}
        )
        keep(answer, OPEN_AGE_S)
        return answer

    return router
