"""The table of SQL views is the database's own, in its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import MakePool

pytestmark = pytest.mark.stack

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "sql.md"
SECTION = re.compile(r"^## (\w+)\n(.*)\n", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_VIEWS = """
    SELECT relname, obj_description(oid) FROM pg_class
    WHERE relnamespace = 'insights_v1'::regnamespace ORDER BY relname
"""
_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
    FROM pg_attribute WHERE attrelid = ('insights_v1.' || $1)::regclass AND attnum > 0
    ORDER BY attnum
"""


async def test_every_view_and_column_is_told_as_the_database_tells_it(
    service_pool: MakePool,
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    _, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    told = {}
    for part in parts:
        found = SECTION.match(part)
        assert found
        told[found[1]] = (found[2], [tuple(row) for row in ROW.findall(part)])

    pool = await service_pool("insights")
    known = {
        name: (said, [tuple(row) for row in await pool.fetch(_COLUMNS, name)])
        for name, said in await pool.fetch(_VIEWS)
    }

    assert told == known
    assert len(known) == 5
