"""One row per file format: bytes in, text with named places out. Pure functions; nothing here limits itself.

pdf and docx run inside `sandbox`'s child process, the others in ours. Imported by that child, so no heavy imports.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ftrag.encodings import decode, markup
from ftrag.errors import InputError
from ftrag.layout import FENCE, Block, Parsed, assemble, sections, table_rows, table_text
from ftrag.types import Location
from ftrag.word import word_blocks


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
    """Visible text by beautifulsoup4: scripts, styles and hidden elements go; headings and table rows are named."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(markup(data), "html.parser")
    for tag in soup(["script", "style", "template", "noscript", "head", "svg", "iframe", "object"]):
        tag.decompose()
    for tag in [tag for tag in soup.find_all(True) if _is_hidden(tag)]:
        tag.decompose()
    return assemble(_html_blocks(soup))


def _is_hidden(tag: Any) -> bool:
    """What a reader of the page does not see is not what the page says."""
    style = str((tag.attrs or {}).get("style", "")).replace(" ", "").lower()
    return "hidden" in (tag.attrs or {}) or "display:none" in style or "visibility:hidden" in style


_BLOCKS = (  # elements that stand on lines of their own
    "address article aside blockquote body dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 "
    "h5 h6 header hr html li main nav ol p pre section summary table ul"
)


def _html_blocks(soup: Any) -> Iterator[Block]:
    """Blocks in reading order. Walks by an explicit stack: nesting may be deeper than Python's recursion limit."""
    line: list[str] = []
    stack: list[Any] = [soup]
    blocks = frozenset(_BLOCKS.split())
    while stack:
        node = stack.pop()
        if node is None:  # the end of a block element
            yield Block(_tidy(line))
            line = []
        elif isinstance(node, str):
            if type(node).__name__ == "NavigableString":  # its subclasses are comments, doctypes and the like
                line.append(re.sub(r"\s+", " ", node))
        elif node.name == "br":
            line.append("\n")
        elif node.name in blocks:
            yield Block(_tidy(line))
            line = []
            if node.name == "table":
                yield Block(
                    table_text(
                        [[" ".join(cell.get_text(" ").split()) for cell in row(["td", "th"])] for row in node("tr")]
                    )
                )
            elif node.name[0] == "h" and node.name[1:].isdigit():
                yield Block(" ".join(node.get_text(" ").split()), level=int(node.name[1:]))
            elif node.name == "pre":
                yield Block("```\n" + node.get_text().strip("\n") + "\n```")
            else:
                stack += [None, *reversed(node.contents)]
                line = ["- "] if node.name == "li" else []
        else:
            stack += reversed(node.contents)
    yield Block(_tidy(line))


def _tidy(parts: list[str]) -> str:
    text = "\n".join(" ".join(line.split()) for line in "".join(parts).split("\n")).strip()
    return "" if text == "-" else text


def tab_rows(data: bytes) -> Parsed:
    """As csv_rows, between tabs."""
    return csv_rows(data, "\t")


def csv_rows(data: bytes, delimiters: str = ",;\t|") -> Parsed:
    """Each row on a line of its own as "column: value; …", so that a row is understood without the table's head."""
    text = decode(data)
    csv.field_size_limit(len(text) + 1)  # of the whole process; the default refuses cells over 128 KiB
    try:
        read = csv.reader(io.StringIO(text), delimiter=_delimiter(text, delimiters), skipinitialspace=True)
        rows = [row for row in read if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"it is not a valid table ({error}); save it again as comma-separated values") from None
    if len(rows) < 2:
        return Parsed(" ".join(rows[0]) if rows else "")
    head = rows[0]
    names = [head[i] if i < len(head) and head[i] else f"column {i + 1}" for i in range(max(map(len, rows)))]
    return _records(zip(names, row, strict=False) for row in rows[1:])


NO_DELIMITER = "\x1f"  # a sign that stands in no text: a table of one column


def _delimiter(text: str, among: str) -> str:
    """The sign that cuts most of the first rows into as many cells as the head has, two or more."""

    def share(sign: str) -> float:
        read = csv.reader(io.StringIO(text[:20_000]), delimiter=sign, skipinitialspace=True)
        widths = [len(row) for row in read if any(cell.strip() for cell in row)]
        whole = widths[:-1] if len(text) > 20_000 and len(widths) > 2 else widths  # the last row may be cut
        return whole.count(whole[0]) / len(whole) if whole and whole[0] > 1 else 0.0

    best = max(among, key=share)
    return best if share(best) else NO_DELIMITER


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
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _flat(f"{name}.{key}" if name else str(key), inner)]
    if isinstance(value, list):
        return [pair for inner in value for pair in _flat(name, inner)]
    return [] if value is None else [(name, str(value))]


def _records(records: Iterable[Iterable[tuple[str, str]]]) -> Parsed:
    lines = []
    for record in records:
        fields = [(" ".join(name.split()), " ".join(value.split())) for name, value in record]
        lines.append("; ".join(f"{name}: {value}" if name else value for name, value in fields if value))
    places, at = [], 0
    for number, line in enumerate(lines, start=1):
        places.append(Location(at, at + len(line), f"row {number}"))
        at += len(line) + 1
    return Parsed("\n".join(lines), tuple(places))


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
