"""Which migrations there are, and which of them a database still lacks. Applies nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import asyncpg

from shared.postgres.pool import Connection, Pool

Phase = Literal["pre", "post", "all"]
ROOT = Path(__file__).parents[2]
SHARED_MIGRATIONS = Path(__file__).parent / "migrations"
_APPLIED = "SELECT version FROM schema_migrations"


def folders_of(service: str) -> tuple[Path, Path]:
    """Where a service's migrations are: those of every service, and its own."""
    return SHARED_MIGRATIONS, ROOT / "services" / service / "migrations"


def files(folders: Sequence[Path], phase: Phase = "all") -> list[Path]:
    """The migrations of a phase, in the order of their versions. `_pre` runs before the new code is
    there, `_post` after the old code has gone.
    """
    ending = "" if phase == "all" else f"_{phase}"
    found = [path for folder in folders for path in folder.glob(f"*{ending}.sql")]
    return sorted(found, key=lambda path: path.name)


async def applied(conn: Connection) -> frozenset[str]:
    """The versions that the schema has; none where it was never migrated."""
    try:
        return frozenset(row[0] for row in await conn.fetch(_APPLIED))
    except asyncpg.UndefinedTableError:
        return frozenset()


class Expected:
    """What this release needs of its schema. Once all is there, nobody is asked again."""

    def __init__(self, service: str) -> None:
        self._lacks = [path.stem for path in files(folders_of(service), "pre")]

    async def lacks(self, pool: Pool) -> str | None:
        """The first migration that is not applied yet. Raises what the database does."""
        if self._lacks:
            async with pool.acquire() as conn:
                there = await applied(conn)
            self._lacks = [each for each in self._lacks if version(each) not in there]
        return self._lacks[0] if self._lacks else None


def version(name: str) -> str:
    """A migration's version: what dbmate keeps of its name."""
    return name.partition("_")[0]
