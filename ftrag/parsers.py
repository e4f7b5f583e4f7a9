"""One row per file format: bytes in, text with named places out. Pure functions; nothing here limits itself.

pdf and docx run inside `sandbox`'s child process, the others in ours. Imported by that child, so no heavy imports.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ftrag.encodings import decode, markup
from ftrag.errors import InputError
from ftrag.layout import FENCE, Block, Parsed, assemble, sections, table_rows
from ftrag.pages import page_blocks
from ftrag.types import Location
from ftrag.word import word_blocks

MAX_CHARACTERS = 20_000_000  # of one document's extracted text
CELL_CHARACTERS = 2_000_000  # of one cell of a table
NAME_CHARACTERS = 10_000  # of a column's name, or of a JSON value's path


def plain(data: bytes) -> Parsed:
    return Parsed(decode(data))


HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")  # no trailing pattern: it would take quadratic time


def markdown(data: bytes) -> Parsed:
    """The text as it is; ATX and setext headings outside code fences name their sections, tables their rows."""
    text = decode(data)
    headings = markdown_headings(text)
    return Parsed(text, (*sections(headings, len(text)), *table_rows(text, headings)))


def markdown_headings(text: str) -> list[tuple[int, int, str]]:
    """(offset, level, title) of each heading, in order."""
    found: list[tuple[int, int, str]] = []
    at, fence, previous = 0, "", ""
    for line in text.splitlines(keepends=True):
        mark = FENCE.match(line)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif not fence:
            heading = HEADING.match(line.rstrip("\n"))
            if heading:
                found.append((at, len(heading.group(1)), _title(heading.group(2))))
            elif (
                re.fullmatch(r"(=+|-{2,})\s*", line)
                and previous.strip()
                and not previous.lstrip().startswith(("|", "-", "#", ">"))
            ):
                found.append((at - len(previous), 1 if line[0] == "=" else 2, previous.strip()))
        at, previous = at + len(line), line
    return found


def _title(said: str) -> str:
    """Without the signs that may close a heading after white space: "C# ##" is "C#"."""
    said = said.rstrip()
    bare = said.rstrip("#")
    return bare.rstrip() if bare.strip() and bare[-1] in " \t" else said


def html(data: bytes) -> Parsed:
    """What a reader of the page sees; headings and table rows are named."""
    return assemble(page_blocks(markup(data)))


def tab_rows(data: bytes) -> Parsed:
    """As csv_rows, between tabs."""
    return csv_rows(data, "\t")


def csv_rows(data: bytes, delimiters: str = ",;\t|") -> Parsed:
    """Each row on a line of its own as "column: value; …", so that a row is understood without the table's head.

    Lines above the head stay as text; rows are counted from the first below the head.
    """
    text = decode(data)
    if told := _SEP.match(text):  # Excel's own line, which it hides
        text, delimiters = text[told.end() :], told.group(1)
    if all(sign in delimiters or sign == '"' or sign.isspace() for sign in text):
        return Parsed("")  # only empty cells, in which no delimiter would be seen
    csv.field_size_limit(CELL_CHARACTERS)  # of the whole process; the default refuses cells over 128 KiB
    try:
        read = list(_cells(text, delimiters if told else _delimiter(text, delimiters)))
    except csv.Error as error:
        raise InputError(f"it is not a valid table ({error}); save it again as comma-separated values") from None
    above = _above(read)
    titles = [" ".join(" ".join(row).split()) for row in read[:above] if _width(row)]
    rows = [row for row in read[above:] if _width(row)]
    if len(rows) < 2:
        return Parsed("\n".join([*titles, *(" ".join(row) for row in rows)]))
    head = rows[0]
    names = [head[i] if i < len(head) and head[i] else f"column {i + 1}" for i in range(max(map(len, rows)))]
    if max(map(len, names)) > NAME_CHARACTERS:
        raise InputError(f"it has a column name of over {NAME_CHARACTERS:,} characters; shorten it")
    return _records((zip(names, row, strict=False) for row in rows[1:]), titles)


NO_DELIMITER = "\x1f"  # a sign that stands in no text: a table of one column
HEAD_ROWS = 20  # among which the head of a table is looked for
_SEP = re.compile(r"\s*sep=(.)[ \t]*(?:\n|$)", re.IGNORECASE)


def _cells(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)


def _delimiter(text: str, among: str) -> str:
    """The sign that cuts most of the first rows into as many cells as the head has, two or more."""

    def share(sign: str) -> float:
        read = list(_cells(text[:20_000], sign))
        widths = [len(row) for row in read[_above(read) :] if _width(row)]
        whole = widths[:-1] if len(text) > 20_000 and len(widths) > 2 else widths  # the last row may be cut
        return whole.count(whole[0]) / len(whole) if whole and whole[0] > 1 else 0.0

    best = max(among, key=share)
    return best if share(best) else NO_DELIMITER


def _width(row: list[str]) -> int:
    """Cells up to the last that is filled; 0 for a blank row."""
    return max((i for i, cell in enumerate(row, start=1) if cell.strip()), default=0)


def _above(rows: list[list[str]]) -> int:
    """How many rows stand above the head: titles, at most half as wide as the table, and what sets them off from it.

    That is a blank row; or, above a head without numbers, the empty cells beside a title or the third column below it.
    """
    widths = [_width(row) for row in rows[:HEAD_ROWS]]
    head = widths.index(max(widths)) if widths else 0
    titles = [width for width in widths[:head] if width]
    below = [len(row) for row in rows[head + 1 : head + HEAD_ROWS] if _width(row)]
    if not titles or 2 * max(titles) > widths[head] or 2 * below.count(len(rows[head])) <= len(below):
        return 0
    named = not any(cell[:1].isdigit() for cell in rows[head])
    padded = all(len(row) == len(rows[head]) for row in rows[:head])
    return head if not widths[head - 1] or (named and (padded or (widths[head] > 2 and len(below) > 1))) else 0


def json_lines(data: bytes) -> Parsed:
    """Each line's object as "key: value; …"; a text or number stands for itself."""
    records = []
    for number, line in enumerate(decode(data).split("\n"), start=1):
        if line.strip():
            try:
                records.append(_flat("", json.loads(line)))
            except (ValueError, RecursionError):
                raise InputError(f"line {number} is not valid JSON; write one JSON value per line") from None
    return _records(records)


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if len(name) > NAME_CHARACTERS:  # names of nested objects are joined, and one name stands before each value
        raise InputError(f"it has a key of over {NAME_CHARACTERS:,} characters; shorten it")
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _flat(f"{name}.{key}" if name else str(key), inner)]
    if isinstance(value, list):
        return [pair for inner in value for pair in _flat(name, inner)]
    return [] if value is None else [(name, str(value))]


def _records(records: Iterable[Iterable[tuple[str, str]]], titles: Sequence[str] = ()) -> Parsed:
    """A line for each, below the titles. InputError as soon as it is too much.

    A name is said with each value, so a kilobyte could be gigabytes.
    """
    lines, room = [], MAX_CHARACTERS
    for record in records:
        said = [(name, value) for name, value in record if value]
        room -= sum(len(name) + len(value) for name, value in said)
        if room < 0:
            raise InputError(f"it holds over {MAX_CHARACTERS:,} characters, with its column names; split it")
        fields = [(" ".join(name.split()), " ".join(value.split())) for name, value in said]
        lines.append("; ".join(f"{name}: {value}" if name else value for name, value in fields if value))
    places, at = [], sum(len(title) + 1 for title in titles)
    for number, line in enumerate(lines, start=1):
        places.append(Location(at, at + len(line), f"row {number}"))
        at += len(line) + 1
    return Parsed("\n".join([*titles, *lines]), tuple(places))


def pdf(data: bytes) -> Parsed:
    """The text of each page by pypdf; pages are named from 1."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError("it is encrypted; save a copy without the password")
        pages = [page.extract_text().strip() for page in reader.pages]
    except DependencyError:
        raise InputError("it is encrypted; save a copy without the password") from None
    except LimitReachedError:
        raise InputError("it unpacks to more than one file may hold; split it or save it as text") from None
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise InputError(f"it is not a readable PDF ({type(error).__name__}); open it and save it again") from None
    return assemble(Block(text, label=f"page {number}") for number, text in enumerate(pages, start=1))


def docx(data: bytes) -> Parsed:
    """Paragraphs, tables and notes by python-docx; heading styles name sections."""
    import zipfile

    import docx as python_docx

    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError("it has a password or is an old .doc; save it as .docx without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > 200_000_000:
                raise InputError("it unpacks to over 200 MB; split it")
        document = python_docx.Document(io.BytesIO(data))
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        NotImplementedError,
        python_docx.opc.exceptions.OpcError,
    ) as error:
        raise InputError(f"it is not a readable Word file ({type(error).__name__}); save it again as .docx") from None
    return assemble(word_blocks(document))


Parser = Callable[[bytes], Parsed]
PLAIN: dict[str, Parser] = {
    ".txt": plain,
    ".md": markdown,
    ".markdown": markdown,
    ".html": html,
    ".htm": html,
    ".csv": csv_rows,
    ".tsv": tab_rows,
    ".jsonl": json_lines,
}
RISKY: dict[str, Parser] = {".pdf": pdf, ".docx": docx}  # parsed in a child process with limits
