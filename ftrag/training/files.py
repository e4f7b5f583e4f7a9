"""A data file -> numbered raw rows. A row that cannot be read is a reason in its place, never an end to the reading."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftrag.encodings import decode
from ftrag.errors import InputError

Numbered = tuple[int, dict[str, Any] | str]  # the row's number in its file; its columns, or the reason it has none
KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
DELIMITERS = (",", ";", "\t")


def read_rows(path: Path, lists: bool = True) -> list[Numbered]:
    """The rows of a JSONL, JSON, CSV or TSV file with the number a reader finds them by.

    JSONL: the line. JSON: the place in the list, from 1. CSV: the row in a spreadsheet, so the header is row 1.
    lists: a CSV cell that holds a JSON list is that list; otherwise every cell is text.
    Parquet: the place in the table, from 1. Raises InputError for a file that has no rows at all. Parquet comes
    through datasets; for text plain json and csv, since datasets ends at the first bad row and names none.
    """
    if path.suffix.lower() not in KINDS:
        raise InputError(f"{path.name} is not a training file; give one of {', '.join(KINDS)}")
    if not path.is_file():
        raise InputError(f"{path.name} is not there; check the path")
    if path.suffix.lower() == ".parquet":
        return list(_from_parquet(path))
    table = path.suffix.lower() in {".csv", ".tsv"}
    text = _table(path.read_bytes()) if table else _decode(path.read_bytes())
    if not text.strip():
        raise InputError(f"{path.name} is empty; it needs at least one row")
    if table:
        return list(_from_csv(text, lists))
    if text.lstrip()[0] in "[{" and (path.suffix.lower() == ".json" or _one_value(text)):
        return list(_from_json(text, path.name))
    return list(_from_jsonl(text))


def _one_value(text: str) -> bool:
    """Whether JSON lines are none but one JSON list or object over many lines, under the wrong name."""
    first, _, rest = text.strip().partition("\n")
    if first.rstrip().endswith("}") and rest:
        return False  # the usual file: its first line is a row
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, list) or bool(rest)


def _from_parquet(path: Path) -> Iterator[Numbered]:
    """As a stream, which leaves no copy in the cache of datasets."""
    from datasets import load_dataset
    from datasets.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)  # its own line about a bad file would stand beside ours
    try:
        rows = load_dataset("parquet", data_files=str(path), split="train", streaming=True)
        for number, row in enumerate(rows, start=1):
            yield number, _columns(row)
    except (ValueError, OSError, RuntimeError) as error:  # pyarrow's errors are among them
        raise InputError(f"{path.name} is not a readable Parquet file; save it again or as JSONL") from error
    finally:
        logging.set_verbosity(level)


def _decode(data: bytes) -> str:
    """UTF-8, or UTF-16 by its mark. Undecodable bytes become U+FFFD, which refuses their row only."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _table(data: bytes) -> str:
    """As _decode; a table none of whose lines with letters beyond ASCII is UTF-8 was saved in another encoding.

    Where some lines are UTF-8 the others are damaged, and their rows are refused.
    """
    text = _decode(data)
    odd = [line for line in data.split(b"\n") if not line.isascii()] if "\ufffd" in text else []
    if not odd or any(_is_utf8(line) for line in odd):
        return text
    return decode(data)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _from_jsonl(text: str) -> Iterator[Numbered]:
    # Not splitlines(): U+2028 and form feeds are ordinary characters inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> dict[str, Any] | str:
    try:
        value = json.loads(line)
    except RecursionError:
        return "is not valid JSON (nested too deeply)"
    except ValueError as error:  # besides bad JSON a number of thousands of digits
        return f"is not valid JSON ({getattr(error, 'msg', 'a number has too many digits')})"
    return _columns(value) if "\\ud" not in line.lower() else _whole(_columns(value))


def _columns(value: Any) -> dict[str, Any] | str:
    if isinstance(value, dict):
        return {str(key).strip().lower(): cell for key, cell in value.items()}
    return f"is {kind(value)}, not an object with named columns"


def _whole(row: dict[str, Any] | str) -> dict[str, Any] | str:
    """The row, unless an escape such as \\ud83d stands in it without its other half: no file can hold that."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "holds half a character (an escape like \\ud83d without its second one); write the file anew as UTF-8"
    return row


def _from_json(text: str, name: str) -> Iterator[Numbered]:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise InputError(f"{name} is nested too deeply to be a list of rows") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            yield from _from_jsonl(text)  # JSON lines under the wrong name
            return
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise InputError(f"{name} is not valid JSON ({where}); repair it or save it as JSONL") from error
    except ValueError as error:
        raise InputError(f"{name} holds a number of too many digits; write it as text in quotes") from error
    rows = _only_list(value)
    if not rows:
        raise InputError(f"{name} holds no rows; expected [{{…}}, {{…}}]")
    for number, row in enumerate(rows, start=1):
        yield number, _whole(_columns(row))


def _only_list(value: Any) -> list[Any] | None:
    """The list itself, the one list inside an object such as {"data": […]}, or a single row."""
    if isinstance(value, list):
        return value
    lists = [item for item in value.values() if isinstance(item, list)] if isinstance(value, dict) else []
    if len(lists) == 1 and len(value) <= 3 and "messages" not in value:
        return lists[0]
    return [value] if isinstance(value, dict) and value else None


def _from_csv(text: str, lists: bool) -> Iterator[Numbered]:
    first, _, rest = text.partition("\n")
    if told := re.fullmatch(r"sep=(.)\s*", first, re.IGNORECASE):
        text = rest  # Excel's own line, which it hides: the header is row 1 there
    delimiter = told.group(1) if told else max(DELIMITERS, key=first.count)
    csv.field_size_limit(max(len(text), csv.field_size_limit()))  # its own would cut a long cell into rows of nonsense
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, _broken(error)
            continue
        if not header:
            header = _header(cells)
        elif any(cell.strip() for cell in cells):
            yield number, _record(header, cells, lists)


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise InputError(f"the header names the column {twice[:80]} twice, and only one can be meant; rename the other")
    return names


def _broken(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "opens a quotation mark that is never closed, so that the rest of the file is one cell; close it"
    return f"is not valid CSV ({error}); double the quotation marks inside a quoted cell"


def _record(header: list[str], cells: list[str], lists: bool) -> dict[str, Any] | str:
    if len(cells) != len(header):
        return f"has {len(cells)} cells where the header has {len(header)}; quote cells that hold the delimiter"
    row = {name: cell if cell.strip() else None for name, cell in zip(header, cells, strict=True) if name}
    return {name: as_list(cell) for name, cell in row.items()} if lists else row


def as_list(cell: Any) -> Any:
    """A text that is a JSON list, as cells of CSV hold messages, context and evidence, as that list; else the cell."""
    if not isinstance(cell, str) or not (cell.strip().startswith("[") and cell.strip().endswith("]")):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def kind(value: Any) -> str:
    names = {
        str: "a text",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a number",
        dict: "an object",
    }
    return "empty" if value is None else names.get(type(value), type(value).__name__)
