"""Releases of a programme as a table for spreadsheets, notebooks and warehouses: three forms of it.

One row for each cell, one set of columns; `unit` empty is the programme as a whole. Tells exactly
what was published, and nothing that the routes of programmes do not.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from arro3.core import Array, DataType, Field, Schema, Table
from arro3.io import write_parquet

from services.insights.domain.evidence import to_us
from services.insights.domain.measures import BANDS, BENEFITS
from services.insights.domain.model import FACETS
from services.insights.queries import programmes
from services.insights.queries.programmes import WHOLE, Asked, Release
from shared.errors import NotFound, Rejected
from shared.events.insights import ProgrammeMeasured
from shared.ids import ProgrammeId, TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

# Rows. An export is made in memory; what is larger is asked for in parts.
MOST_ROWS = 50_000
# What a spreadsheet takes for the beginning of a formula, also in the wide letters of East Asia.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
EPOCH_DAY = date(1970, 1, 1)
Value: TypeAlias = str | int | float | date | datetime | None


class TooManyRows(Rejected):
    """That are too many rows for one export: ask for those of a later month, with `since`."""

    slug = "too-many-rows"


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"


class Kind(StrEnum):
    """What is in a column."""

    TEXT = "text"
    DATE = "date"
    INSTANT = "instant"
    COUNT = "count"
    NUMBER = "number"


class Column(NamedTuple):
    """A column, and what stands in it for a cell."""

    name: str
    kind: Kind
    of: Callable[[ProgrammeMeasured], Value]


def _key(told: str, name: str) -> Callable[[ProgrammeMeasured], Value]:
    # None where a release of an earlier model did not tell it.
    return lambda fact: getattr(fact, told).get(name)


COLUMNS = (
    Column("programme_id", Kind.TEXT, lambda fact: fact.programme_id),
    Column("unit", Kind.TEXT, lambda fact: fact.org_unit or WHOLE),
    Column("epoch", Kind.DATE, lambda fact: date.fromisoformat(f"{fact.epoch}-01")),
    Column("as_of", Kind.INSTANT, lambda fact: fact.as_of),
    Column("model", Kind.TEXT, lambda fact: fact.model),
    Column("pairs", Kind.COUNT, lambda fact: fact.pairs),
    Column("mentors", Kind.COUNT, lambda fact: fact.mentors),
    Column("mentees", Kind.COUNT, lambda fact: fact.mentees),
    Column("health", Kind.NUMBER, lambda fact: fact.health),
    *(Column(f"band_{each}", Kind.NUMBER, _key("bands", each)) for each in BANDS),
    *(Column(f"facet_{each.name}", Kind.NUMBER, _key("facets", each.name)) for each in FACETS),
    *(Column(f"benefit_{each}", Kind.NUMBER, _key("benefits", each)) for each in BENEFITS),
)
TYPES = {
    Form.CSV: "text/csv; charset=utf-8; header=present",
    Form.PARQUET: "application/vnd.apache.parquet",
    Form.NDJSON: "application/x-ndjson",
}


async def releases(
    pool: Pool, of: tuple[TenantId, ProgrammeId], since: int | None
) -> list[Release]:
    """Everything released of a programme, the newest month first, from an epoch on if asked.

    Raises NotFound for a programme that no pair was ever in, and TooManyRows.
    """
    async with reading_for(pool, of[0]) as conn:
        if await programmes.find_programme(conn, *of) is None:
            raise NotFound("there is no such programme")
        asked = Asked(None, None, None, since)
        found = await programmes.releases(conn, of, asked, MOST_ROWS + 1)
    if len(found) > MOST_ROWS:
        raise TooManyRows(field="since")
    return found


def written(found: Sequence[Release], form: Form) -> bytes:
    """The releases as a file. The same releases are the same bytes."""
    facts = [ProgrammeMeasured.model_validate_json(each.fact) for each in found]
    rows = [[column.of(fact) for column in COLUMNS] for fact in facts]
    return {Form.CSV: _csv, Form.PARQUET: _parquet, Form.NDJSON: _ndjson}[form](rows)


def file_name(programme_id: str, form: Form) -> str:
    """What a browser saves it as: a name on every system, so without the colons an id may have."""
    return f"{programme_id.replace(':', '_')}.{form}"


def _csv(rows: Sequence[Sequence[Value]]) -> bytes:
    """RFC 4180; what a spreadsheet would run begins with an apostrophe."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(column.name for column in COLUMNS)
    table.writerows([_harmless(_plain(value)) for value in row] for row in rows)
    return text.getvalue().encode()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _ndjson(rows: Sequence[Sequence[Value]]) -> bytes:
    names = [column.name for column in COLUMNS]
    lines = (dict(zip(names, map(_plain, row), strict=True)) for row in rows)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def _plain(value: Value) -> str | int | float | None:
    """Days and instants as ISO 8601 has them."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _parquet(rows: Sequence[Sequence[Value]]) -> bytes:
    values = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    arrays = [_array(column.kind, each) for column, each in zip(COLUMNS, values, strict=True)]
    schema = Schema([Field(each.name, _TYPE[each.kind]) for each in COLUMNS])
    file = io.BytesIO()
    write_parquet(Table.from_arrays(arrays, schema=schema), file, compression="zstd(3)")
    return file.getvalue()


_TYPE = {
    Kind.TEXT: DataType.utf8(),
    Kind.DATE: DataType.date32(),
    Kind.INSTANT: DataType.timestamp("us", tz="UTC"),
    Kind.COUNT: DataType.int32(),
    Kind.NUMBER: DataType.float64(),
}


def _array(kind: Kind, values: Sequence[Value]) -> Array:
    if kind is Kind.DATE:
        days = [(each - EPOCH_DAY).days for each in values if isinstance(each, date)]
        return Array(days, DataType.int32()).cast(_TYPE[kind])
    if kind is Kind.INSTANT:
        instants = [to_us(each) for each in values if isinstance(each, datetime)]
        return Array(instants, DataType.int64()).cast(_TYPE[kind])
    return Array(values, _TYPE[kind])
