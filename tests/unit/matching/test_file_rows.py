"""HR's file is read whatever it was saved as; what cannot be read for certain is said, by line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.people_file.rows import Row, rows_of, shape_of
from shared.errors import Rejected

NAMES = "id,name\nE-1,Zoë Müller\n"
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=9)


def read(data: bytes, **how: str) -> list[Row]:
    file = io.BytesIO(data)
    return list(rows_of(file, shape_of(file, **how)))


@pytest.mark.parametrize(
    ("encoding", "taken"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
    ],
)
def test_a_name_is_the_same_whatever_it_was_saved_as(encoding: str, taken: str) -> None:
    file = io.BytesIO(NAMES.encode(encoding))

    shape = shape_of(file)

    assert (shape.encoding, shape.guessed) == (taken, taken == "cp1252")
    assert [row.cells[1] for row in rows_of(file, shape)] == ["Zoë Müller"]


def test_a_file_in_utf_16_without_its_mark_is_not_guessed() -> None:
    data = NAMES.encode("utf-16-le")

    with pytest.raises(Rejected, match="--encoding utf-16-le"):
        read(data)
    assert read(data, encoding="utf-16-le")[0].cells[1] == "Zoë Müller"


def test_an_encoding_that_is_said_and_wrong_is_refused_by_line() -> None:
    data = b"id,name\nE-1,Ann\nE-2,Zo\xeb\n"

    with pytest.raises(Rejected, match="after line 1 it is not utf-8"):
        read(data, encoding="utf-8")
    with pytest.raises(Rejected, match="klingon is no encoding"):
        read(data, encoding="klingon")


@pytest.mark.parametrize("between", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_outside_of_quotes(between: str) -> None:
    data = between.join(["id", '"a,;|b"', "c"]) + "\n" + between.join(["E-1", '"x,;|y"', "z"])

    assert [row.cells for row in read(data.encode())] == [{0: "E-1", 1: "x,;|y", 2: "z"}]


def test_rows_are_named_by_the_line_they_begin_in() -> None:
    data = b'id,note\nE-1,"two\nlines"\n\n,\nE-2,x\nE-3,x,y\nE-4,"a"b\nE-5,\x00\n'

    rows = read(data)

    assert [(row.line, row.cells.get(0), row.wrong) for row in rows] == [
        (2, "E-1", None),
        (6, "E-2", None),
        (7, "E-3", "it has 3 cells, the header has 2"),
        (8, None, "text goes on after a closed quote"),
        (9, "E-5", "a cell holds the character NUL"),
    ]


@pytest.mark.parametrize("tail", [b'E-2,"open\nE-3,x\n', b'E-2,"' + b"x" * 100_000])
def test_a_quote_that_nobody_closes_takes_no_rows_with_it(tail: bytes) -> None:
    with pytest.raises(Rejected, match="line 3: a quote is opened and never closed"):
        read(b"id,name\nE-1,Ann\n" + tail)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"   \nE-1\n"])
def test_a_file_without_names_of_columns_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected, match="the file is empty"):
        read(data)


def test_a_cell_that_a_spreadsheet_would_compute_stays_text() -> None:
    assert read(b'id,name\nE-1,"=HYPERLINK(1)"\n')[0].cells[1] == "=HYPERLINK(1)"


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=5))
def test_what_was_written_is_read(rows: list[list[str]]) -> None:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    text = "".join(",".join(map(quoted, row)) + "\r\n" for row in [["id", "name"], *rows])

    found = [list(row.cells.values()) for row in read(text.encode())]

    assert found == [row for row in rows if any(row)]
