"""A training file as it was taken: numbers and refusals beside the project's rows, and what can be downloaded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag.errors import InputError
from ftrag.project import read_json, write_json, write_jsonl
from ftrag.training.examples import SHAPES, read_numbered
from ftrag.training.files import read_rows
from ftrag.types import Example

ROWS, UPLOAD = "examples.jsonl", "upload.json"  # upload.json: {file, shape, rows: {id: number}, refused}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that begins with one of these


def take(project: Path, file: Path, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Replace the project's training rows by those of a file: {taken, refused}. Nothing usable: all stays as it was."""
    numbered, refused, shape = read_numbered(file, columns)
    if not numbered:
        return {"taken": [], "refused": refused}
    write_jsonl(project / ROWS, [stored(example) for _, example in numbered])
    numbers = {example.id: number for number, example in numbered}
    write_json(project / UPLOAD, {"file": file.name, "shape": shape, "rows": numbers, "refused": refused})
    return {"taken": [{"file": file.name, "rows": len(numbered), "shape": shape}], "refused": refused}


def stored(example: Example) -> dict[str, Any]:
    """A training row as it is stored: the fields that say something."""
    values = {key: getattr(example, key) for key in Example.__dataclass_fields__}
    row = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items() if value}
    return row if example.rejected is None else row | {"chosen": row.pop("response")}


def upload(project: Path) -> dict[str, Any]:
    """What the newest training file was: {file, shape, rows: {id: its number}, refused}."""
    if (project / UPLOAD).exists():
        value: dict[str, Any] = read_json(project / UPLOAD)
        return value
    path = project / ROWS
    numbered, refused, shape = read_numbered(path) if path.exists() else ([], [], "")
    return {
        "file": path.name,
        "shape": shape,
        "rows": {example.id: number for number, example in numbered},
        "refused": refused,
    }


def column_names(file: Path) -> list[str]:
    """The columns of a file in the order met, for mapping them by hand; [] where none can be read."""
    try:
        return list(dict.fromkeys(name for _, row in read_rows(file) if isinstance(row, dict) for name in row))
    except InputError:
        return []


def faults(report: Mapping[str, Any]) -> dict[str, str]:
    """Id -> why the cleaned copy leaves the row out. The first of equal rows stays; of conflicting rows none does."""
    found = dict.fromkeys((row["id"] for row in report["gold_overlap"]), "asks a gold question")
    found |= dict.fromkeys(report["too_long"], "is longer than the model is trained on")
    opposed = (id_ for conflict in report["conflicts"] for id_ in conflict["ids"])
    found |= dict.fromkeys(opposed, "asks what another row asks and answers differently")
    return found | {id_: f"is the same as {ids[0]}" for ids in report["duplicates"] for id_ in ids[1:]}


def cleaned(examples: Sequence[Example], report: Mapping[str, Any]) -> str:
    """The rows without faults, as JSONL that can be uploaded again."""
    left_out = faults(report)
    kept = [stored(example) for example in examples if example.id not in left_out]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)


def refused_csv(upload: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Rows that were refused or that the cleaned copy leaves out: file, row, id, reason. Safe in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["file", "row", "id", "reason"])
    rows = [[row["file"], row.get("row", ""), "", row["reason"]] for row in upload["refused"]]
    rows += [[upload["file"], upload["rows"].get(id_, ""), id_, why] for id_, why in faults(report).items()]
    writer.writerows([[_inert(cell) for cell in row] for row in rows])
    return out.getvalue()


def _inert(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def templates() -> dict[str, str]:
    """File name -> one row of each shape, as JSONL."""
    return {f"{name.replace('/', '-')}.jsonl": f"{shape.template}\n" for name, shape in SHAPES.items()}
