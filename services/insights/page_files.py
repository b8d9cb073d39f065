"""The built page, read once at the start: it is small. Serves nothing, builds nothing.

A folder holds `index.html`, `assets.json` and what that names; names hold the content's digest.
"""

from __future__ import annotations

import gzip
import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from shared.errors import NotFound, TrustfoldError


class PageUnreadable(TrustfoldError):
    """The folder holds no built page: `python -m deploy.local.page FOLDER` makes one."""


@dataclass(frozen=True, slots=True)
class File:
    """One file, plain and compressed."""

    media_type: str
    body: bytes
    packed: bytes


class Page:
    """The page's files. Without a folder there are none. Raises PageUnreadable."""

    def __init__(self, folder: Path | None) -> None:
        self._files: dict[str, File] = {}
        self.policy = ""
        if folder is None:
            return
        try:
            listed = json.loads((folder / "assets.json").read_bytes())
            for name in ["index.html", *listed["files"]]:
                self._files[name] = _read(folder / name)
        except (OSError, ValueError, KeyError) as error:
            raise PageUnreadable(f"{folder}: {error}") from error
        self.policy = _policy(listed["styles"])

    def file(self, name: str) -> File:
        """A file by its name. Raises NotFound."""
        found = self._files.get(name)
        if found is None:
            raise NotFound("there is no such page here")
        return found


def _read(path: Path) -> File:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    # The same bytes in every process: no time is in it.
    return File(media_type, body, gzip.compress(body, mtime=0))


def _policy(styles: list[str]) -> str:
    """What a browser may load: what we serve, and the styles of the charts by their digests."""
    digests = " ".join(f"'{each}'" for each in styles)
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
        f" style-src 'self' {digests}; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
