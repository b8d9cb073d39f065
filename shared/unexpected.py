"""What nobody expected: told to the log by kind and place, never in its own words.

An error's words may hold what it is about: a database that refuses a row quotes the whole row.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http import failed
from shared.logging import logger

# Places named in the log, the innermost last.
FRAMES = 12

log = logger("http")


class Unexpected:
    """ASGI middleware around everything: a request that failed is a line of the log and a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        is_begun = False

        async def watched(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # the edge: nothing above would say it without its words
            route = getattr(scope.get("route"), "path", None)
            log.error(
                "a request failed", action="unexpected", method=scope.get("method"), route=route,
                **described(error),
            )  # fmt: skip
            if not is_begun and scope["type"] == "http":
                await failed()(scope, receive, send)


def described(error: BaseException) -> dict[str, object]:
    """The error's kind and where it came from."""
    kinds = [type(error).__name__]
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
        kinds.append(type(error).__name__)
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    where = [f"{_short(it.filename)}:{it.lineno} {it.name}" for it in frames]
    return {"error": " of ".join(kinds), "where": where}


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-2:])
