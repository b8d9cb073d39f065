"""What a runbook has somebody ask the database for can be asked, as the service's own role."""

from __future__ import annotations

import re

import pytest

from shared.command import SERVICES
from tests.conftest import MakePool
from tests.support.watching import RUNBOOKS

pytestmark = pytest.mark.stack

FENCE = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Whose schema a block is about, by something only that one has; else it is about every service's.
OF = {
    "dirty_pair": "insights",
    "sweep_mark": "sessions",
    "answer_until": "matching",
    "person_stale": "matching",
    "FROM run": "matching",
    "FROM message": "notifications",
    "delivery_line": "notifications",
}
BLOCKS = [
    pytest.param(block, id=f"{path.stem} {number}")
    for path in sorted(RUNBOOKS.glob("*.md"))
    for number, block in enumerate(FENCE.findall(path.read_text(encoding="utf-8")), 1)
]


@pytest.mark.parametrize("block", BLOCKS)
async def test_the_sql_of_a_runbook_runs(block: str, service_pool: MakePool) -> None:
    named = {service for marker, service in OF.items() if marker in block}
    assert len(named) <= 1, "a block is about one schema"
    for service in named or SERVICES:
        pool = await service_pool(service)
        async with pool.acquire() as conn:
            changing = conn.transaction()
            await changing.start()
            await conn.execute(block)
            await changing.rollback()


def test_what_has_a_tenant_is_looked_at_for_all_of_them() -> None:
    """Without it a table looks empty, which is the wrong thing to find in the night."""
    for block in (each.values[0] for each in BLOCKS):
        assert isinstance(block, str)
        if any(marker in block and marker != "sweep_mark" for marker in OF):
            assert "SET trustfold.tenant = '*';" in block
