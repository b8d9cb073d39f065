"""Reads rows from HR's file, whatever it was saved as. Knows text and cells, not what they mean.

Memory is that of one row. What is read wrongly by guessing (an encoding, a delimiter) is said.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from shared.errors import Rejected

CHUNK = 1 << 20
# A quote that nobody closes would make one cell of the rest of the file.
MAX_CELL = 64 * 1024
DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FALLBACK = "cp1252"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is to be read, and how long it is. `guessed` is whether its encoding is likely
    and no more.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    lines: int
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by the place of their column, and the line they begin in; or what is wrong with it."""

    line: int
    cells: Mapping[int, str]
    wrong: str | None = None


def shape_of(file: BinaryIO, encoding: str | None = None, delimiter: str | None = None) -> Shape:
    """The shape of a file. Raises Rejected for one that is empty, or no text in that encoding."""
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise Rejected(f"{delimiter!r} cannot stand between cells: say one character, or tab")
    guessed = encoding is None
    chosen = encoding or _encoding_of(file)
    lines = _check(file, chosen)
    with _text(file, chosen) as text:
        first = text.readline()
        if not first.strip():
            raise Rejected("the file is empty, or does not begin with the names of its columns")
        found = delimiter or max(DELIMITERS, key=_outside_quotes(first).count)
    with _text(file, chosen) as text:
        header: list[str] = next(_reader(text, found), [])
    return Shape(chosen, found, tuple(header), lines, guessed and chosen == FALLBACK)


def rows_of(file: BinaryIO, shape: Shape) -> Iterator[Row]:
    """Every row after the header; lines with nothing in them are passed over.

    Raises Rejected, naming the line, for a quote that is never closed.
    """
    with _text(file, shape.encoding) as text:
        reader = _reader(text, shape.delimiter)
        next(reader)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                if "unexpected end" in str(error) or "field limit" in str(error):
                    raise Rejected(f"line {line}: a quote is opened and never closed") from None
                yield Row(line, {}, "text goes on after a closed quote")
                continue
            if cells is None:
                return
            if any(cells):
                yield _row(line, cells, len(shape.header))


def _row(line: int, cells: list[str], width: int) -> Row:
    said = dict(enumerate(cells))
    if len(cells) != width:
        return Row(line, said, f"it has {len(cells)} cells, the header has {width}")
    if any("\x00" in cell for cell in cells):
        return Row(line, said, "a cell holds the character NUL")
    return Row(line, said)


@contextmanager
def _text(file: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The file as text from its beginning; it stays open afterwards."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield text
    finally:
        text.detach()


def _reader(text: io.TextIOWrapper, delimiter: str) -> Any:
    csv.field_size_limit(MAX_CELL)
    return csv.reader(text, delimiter=delimiter, strict=True)


def _encoding_of(file: BinaryIO) -> str:
    """By its mark; else UTF-8 if it is that, and what Windows writes in the West if it is not."""
    file.seek(0)
    start = file.read(4096)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if start.count(0) > len(start) // 4:
        raise Rejected("it looks like UTF-16 without its mark: say --encoding utf-16-le")
    try:
        _check(file, "utf-8")
    except Rejected:
        return FALLBACK
    return "utf-8"


def _check(file: BinaryIO, encoding: str) -> int:
    """How many lines it has. Raises Rejected for a byte that is none of the encoding's, or an
    encoding nobody knows.
    """
    file.seek(0)
    line = 1
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        while chunk := file.read(CHUNK):
            line += decoder.decode(chunk).count("\n")
        decoder.decode(b"", final=True)
    except LookupError:
        raise Rejected(f"{encoding} is no encoding; try utf-8, utf-16 or cp1252") from None
    except UnicodeDecodeError:
        wanted = f"after line {line} it is not {encoding}: say --encoding"
        raise Rejected(wanted) from None
    return line


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])
