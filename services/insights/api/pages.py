"""The page's own files. It shows nothing of anybody: whoever opens it asks for that under /v1/."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.insights.page_files import File, Page

# Each view has an address of its own, and the page looks at it to know what to show.
VIEWS = ("/", "/programmes/{programme}", "/pairs/{pair}", "/me")
FOR_EVER = "public, max-age=31536000, immutable"
NOT_KEPT = "no-cache"
MOST_CHARS = 200


def build_router(page: Page) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(tags=["page"], include_in_schema=False)

    async def view(request: Request) -> Response:
        response = _sent(page.file("index.html"), request, NOT_KEPT)
        response.headers["Content-Security-Policy"] = page.policy
        return response

    for path in VIEWS:
        router.add_api_route(path, view, methods=["GET"], response_class=Response)

    @router.get("/page/{name}", response_class=Response)
    async def asset(
        request: Request, name: Annotated[str, Path(max_length=MOST_CHARS)]
    ) -> Response:
        """A script, a style or a picture of the page, named by its content."""
        return _sent(page.file(name), request, FOR_EVER)

    return router


def _sent(file: File, request: Request, keep: str) -> Response:
    packed = "gzip" in request.headers.get("accept-encoding", "")
    response = Response(file.packed if packed else file.body, media_type=file.media_type)
    response.headers["Cache-Control"] = keep
    response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response
