"""The chain holds: among processes, through a kill, and against whoever owns the table."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from shared.audit import reading
from shared.audit.line import Line, hash_of
from shared.audit.recording import Recorder
from shared.ids import TenantId, new_id
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import acting_for
from tests.integration.audit.trail import ACME, as_owner, trustfold
from tests.support.databases import ROOT, Databases, service_dsn

pytestmark = pytest.mark.stack
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINES = 12


@dataclass
class Chain:
    """A chain of a few lines in matching's schema, reached as commands reach it."""

    admin: str
    dsn: str
    pool: Pool

    async def verdict(self, tenant: TenantId = ACME) -> reading.Verdict:
        async with reading.looking(self.dsn, "matching") as conn:
            return await reading.verify(conn, "matching", tenant)

    async def broken(self) -> str | None:
        return (await self.verdict()).broken


def line(n: int, tenant: TenantId = ACME) -> Line:
    ids = (("person_id", f"p{n}"),)
    at = AT + timedelta(hours=n)
    return Line(tenant, at, new_id(), "boss", "manager", "GET", "/v1/people/{person_id}", ids, 200)


@pytest.fixture
async def chain(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chain]:
    dsn = await databases.create("matching")
    own = service_dsn(dsn, "matching")
    monkeypatch.setenv("MATCHING_POSTGRES", own)
    pool = await open_pool(own, service="matching", size=4)
    recorder = Recorder("matching", pool)
    for n in range(LINES):
        await recorder.write(line(n))
    yield Chain(dsn, own, pool)
    pool.terminate()
    await databases.drop(dsn)


async def test_a_chain_that_nobody_touched_holds(chain: Chain) -> None:
    verdict = await chain.verdict()

    assert (verdict.broken, verdict.lines, verdict.head.seq) == (None, LINES, LINES)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit SET person = 'ann' WHERE seq = 5", "line 5 is not what"),
        ("UPDATE audit SET status = 404 WHERE seq = 5", "line 5 is not what"),
        ("UPDATE audit SET status = NULL WHERE seq = 5", "line 5 is not what"),
        ("UPDATE audit SET at = at + interval '1 us' WHERE seq = 5", "line 5 is not what"),
        ("UPDATE audit SET ids = '{p99}' WHERE seq = 5", "line 5 is not what"),
        ("UPDATE audit SET ids = '{}', names = '{}' WHERE seq = 5", "line 5 is not what"),
        ("UPDATE audit SET tenant = 'globex' WHERE seq = 5", "lines 5 to 5 are missing"),
        ("DELETE FROM audit WHERE seq = 5", "lines 5 to 5 are missing"),
        ("DELETE FROM audit WHERE seq BETWEEN 5 AND 8", "lines 5 to 8 are missing"),
        ("DELETE FROM audit WHERE seq <= 4", "no line says they were pruned"),
        ("UPDATE audit SET hash = sha256('x') WHERE seq = 5", "line 5 is not what"),
        ("UPDATE audit SET prev = sha256('x') WHERE seq = 5", "line 5 is not what"),
    ],
)
async def test_what_the_owner_of_the_table_does_is_found(
    chain: Chain, statement: str, found: str
) -> None:
    await as_owner(chain.admin, chain.pool, statement)

    assert found in str(await chain.broken())


async def test_a_line_that_is_put_in_is_found(chain: Chain) -> None:
    await as_owner(
        chain.admin,
        chain.pool,
        "UPDATE audit SET seq = seq + 1000 WHERE seq > 5",
        "UPDATE audit SET seq = seq - 999 WHERE seq > 1000",
        "INSERT INTO audit SELECT tenant, 6, at, gen_random_uuid(), person, role, method, route,"
        " names, ids, status, hash, sha256('x') FROM audit WHERE seq = 5",
    )

    assert "line 6 is not what was written" in str(await chain.broken())


async def test_lines_that_change_places_are_found(chain: Chain) -> None:
    await as_owner(
        chain.admin,
        chain.pool,
        "UPDATE audit SET seq = 1000 WHERE seq = 5",
        "UPDATE audit SET seq = 5 WHERE seq = 6",
        "UPDATE audit SET seq = 6 WHERE seq = 1000",
    )

    assert "line 5 is not what was written" in str(await chain.broken())


async def test_a_forged_line_with_a_hash_of_its_own_is_found_by_the_next(chain: Chain) -> None:
    async with reading.looking(chain.dsn, "matching") as conn:
        fifth = [link async for link in reading.links(conn, ACME)][4]
    forged = hash_of(line(99), 5, fifth.prev).hex()
    async with reading.looking(chain.dsn, "matching") as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit") == LINES
    other = line(4)
    again = hash_of(other, 5, fifth.prev).hex()
    await as_owner(
        chain.admin,
        chain.pool,
        f"UPDATE audit SET hash = decode('{again}', 'hex'), request = '{other.request}'"
        " WHERE seq = 5",
    )

    assert forged != again
    assert "line 6 does not follow" in str(await chain.broken())


async def test_an_end_that_is_cut_off_is_found_with_a_head_kept_elsewhere(
    chain: Chain, tmp_path: Path
) -> None:
    kept = tmp_path / "heads.json"
    kept.write_text((await trustfold("audit", "head", "matching", "--json")).output)
    hash_ = json.loads(kept.read_text())[0]["hash"]
    one = ("audit", "verify", "matching", "--tenant", "acme", "--head", hash_)
    many = ("audit", "verify", "matching", "--heads", str(kept))
    await Recorder("matching", chain.pool).write(line(50))
    for command in (one, many):
        assert (await trustfold(*command)).exit_code == 0

    await as_owner(chain.admin, chain.pool, f"DELETE FROM audit WHERE seq > {LINES - 2}")

    assert await chain.broken() is None
    for command in (one, many):
        said = await trustfold(*command)
        assert (said.exit_code, "its end was cut off" in said.output) == (1, True)


async def test_a_chain_that_is_gone_as_a_whole_is_missed(chain: Chain, tmp_path: Path) -> None:
    kept = tmp_path / "heads.json"
    kept.write_text((await trustfold("audit", "head", "matching", "--json")).output)
    await as_owner(chain.admin, chain.pool, "DELETE FROM audit")

    said = await trustfold("audit", "verify", "matching", "--heads", str(kept))
    assert (said.exit_code, "acme" in said.output) == (1, True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET person = 'ann'",
        "DELETE FROM audit WHERE seq = 5",
        "DELETE FROM audit WHERE seq = 1",
        "TRUNCATE audit",
        "UPDATE audit SET person = 'ann' WHERE seq = 5000",
    ],
)
async def test_the_table_refuses_what_is_no_new_line(chain: Chain, statement: str) -> None:
    async with acting_for(chain.pool, TenantId("*")) as conn:
        with pytest.raises(
            asyncpg.InsufficientPrivilegeError, match=r"append-only|permission denied"
        ):
            await conn.execute(statement)

    assert (await chain.verdict()).lines == LINES


async def test_a_chain_verifies_after_its_old_lines_are_pruned(chain: Chain) -> None:
    before = (AT + timedelta(hours=7)).strftime("%Y-%m-%dT%H:%M:%S")

    for _ in range(2):
        said = await trustfold("audit", "prune", "matching", "--before", before)
        assert said.exit_code == 0, said.output

    verdict = await chain.verdict()
    assert (verdict.broken, verdict.lines, verdict.head.seq) == (None, LINES - 7 + 1, LINES + 1)
    await as_owner(chain.admin, chain.pool, "DELETE FROM audit WHERE seq = 8")
    assert "no line says they were pruned" in str(await chain.broken())


async def test_a_chain_that_does_not_hold_is_not_pruned(chain: Chain) -> None:
    await as_owner(chain.admin, chain.pool, "UPDATE audit SET person = 'ann' WHERE seq = 2")

    said = await trustfold("audit", "prune", "matching", "--before", "2027-01-01")

    assert (said.exit_code, (await chain.verdict()).head.seq) == (1, 1)


async def test_processes_that_write_at_once_do_not_fork_a_chain(chain: Chain) -> None:
    each, processes = 200, 4
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.audit.child_writes", chain.dsn, f"w{n}",
            str(each), cwd=ROOT, stdin=PIPE, stdout=PIPE,
        )
        for n in range(processes)
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
    assert [await child.wait() for child in children] == [0] * processes

    found = [await chain.verdict(TenantId(tenant)) for tenant in ("acme", "globex")]
    assert [each.broken for each in found] == [None, None]
    assert sum(each.lines for each in found) == processes * each + LINES


async def test_a_change_whose_answer_nobody_got_is_on_record(chain: Chain) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.audit.child_killed", chain.dsn, cwd=ROOT
    )
    assert await child.wait() == -signal.SIGKILL

    async with reading.looking(chain.dsn, "matching") as conn:
        assert await conn.fetchval("SELECT count(*) FROM programme") == 1
        *_, last = [link.line async for link in reading.links(conn, ACME)]
    assert (last.person, last.route, last.status) == ("boss", "/v1/programmes/{programme_id}", None)
    assert last.ids == (("programme_id", "spring"),)
    assert await chain.broken() is None


async def test_what_is_done_from_a_terminal_is_on_record(chain: Chain) -> None:
    for command in (["dlq", "ls", "matching"], ["dlq", "drop", "matching", "--all"]):
        assert (await trustfold(*command)).exit_code == 0
    exported = await trustfold("audit", "export", "matching", "--tenant", "acme")

    rows = [json.loads(row) for row in exported.output.splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, LINES + 2))
    assert rows[-1]["route"] == "trustfold audit export"
    assert rows[-1]["person"].startswith("ops:")
    async with reading.looking(chain.dsn, "matching") as conn:
        ops = [link.line async for link in reading.links(conn, TenantId("@ops"))]
    assert [each.route for each in ops] == ["trustfold dlq ls", "trustfold dlq drop"]


async def test_what_is_tried_from_a_terminal_is_on_record_though_it_fails(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await databases.create("insights")
    own = service_dsn(dsn, "insights")
    monkeypatch.setenv("INSIGHTS_POSTGRES", own)
    monkeypatch.setenv("INSIGHTS_KAFKA", "127.0.0.1:9")
    for command in (
        ["insights", "models", "switch", "nowhere", "--tenant", "acme"],
        ["insights", "rebuild", "--rollback", "--admin", dsn],
    ):
        assert (await trustfold(*command)).exit_code == 1

    async with reading.looking(own, "insights") as conn:
        found = {
            tenant: [(link.line.route, link.line.ids) async for link in reading.links(conn, tenant)]
            for tenant in (ACME, TenantId("@ops"))
        }
    assert found == {
        ACME: [("trustfold insights models switch", (("name", "nowhere"),))],
        "@ops": [("trustfold insights rebuild", (("way", "back"),))],
    }
    await databases.drop(dsn)


async def test_an_export_is_limited_to_its_times_and_is_a_table_if_wanted(chain: Chain) -> None:
    times = ("--from", "2026-03-02T11:00:00", "--until", "2026-03-02T14:00:00")
    said = await trustfold(
        "audit", "export", "matching", "--tenant", "acme", "--format", "csv", *times
    )

    header, *rows = said.output.splitlines()
    assert header.startswith("seq,at,request,tenant,person")
    assert [row.split(",")[0] for row in rows] == ["3", "4", "5"]
