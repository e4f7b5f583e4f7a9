"""Verdict files of any system -> Verdict rows, or one sentence that names the file and the line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag.errors import InputError
from ftrag.evaluation.arms import ARMS
from ftrag.types import Gold, Verdict


def read(path: Path) -> list[Verdict]:
    """Rows {id, arm, correct} or {id, arm, content, behaviour}; `correct` means content, null means not scored.

    Raises InputError naming file and line: not JSON, unknown arm, a verdict that is not true, false or null, a row
    without any, the same id and arm twice, no base anywhere, an empty file.
    """
    return _collect(path, _verdict)


def read_answers(path: Path, gold: Sequence[Gold], checks: Sequence[Mapping[str, Any]] = ()) -> list[Verdict]:
    """Rows {id, arm, answer} scored against gold questions of the same ids."""
    from ftrag.evaluation.checks import behaviour
    from ftrag.evaluation.metrics import content_verdict, judged

    questions = {str(row.id): row for row in gold}  # a CSV has texts where a JSONL has numbers

    def scored(row: Mapping[str, Any]) -> Verdict:
        if not isinstance(row.get("answer"), str):
            raise InputError('"answer" must be a text')
        if str(row["id"]) not in questions:
            raise InputError(f"id {_short(row['id'])} is not among the gold questions")
        question = questions[str(row["id"])]
        _, acted = behaviour(row["answer"], [*checks, *question.checks])
        return Verdict(question.id, row["arm"], content_verdict(judged(row["answer"], question)), acted)

    return _collect(path, scored)


def _collect(path: Path, make: Callable[[Mapping[str, Any]], Verdict]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    seen: set[tuple[str | int, str]] = set()
    for number, row in _rows(path):
        try:
            verdict = make(_checked(row))
        except InputError as error:
            raise InputError(f"{path.name}, line {number}: {error}") from None
        key = (verdict.id, verdict.arm)
        if key in seen:
            raise InputError(
                f"{path.name}, line {number}: id {_short(verdict.id)} has the arm {verdict.arm} twice; keep one"
            )
        seen.add(key)
        verdicts.append(verdict)
    if not verdicts:
        raise InputError(f"{path.name}, line 1: the file is empty; give one JSON row per id and arm")
    if not any(verdict.arm == "base" for verdict in verdicts):
        raise InputError(
            f"{path.name}, line {number}: up to this last line no row has the arm base; add the base model's verdicts"
        )
    return verdicts


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, parsed row) of every line that is not blank, one at a time."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip() not in (b"", b"\xef\xbb\xbf"):
                    yield number, _parsed(line, f"{path.name}, line {number}")
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}); check the path") from None


def _parsed(line: bytes, where: str) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise InputError(f"{where}: not UTF-8 text; save the file as UTF-8") from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply; write one flat object per line") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except ValueError as error:
        reason = (
            f"{error.msg}, character {error.pos + 1}"
            if isinstance(error, json.JSONDecodeError)
            else "a number is too long"
        )
        raise InputError(f"{where}: not JSON ({reason}); write one object per line, nothing around them") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(key for key in row if sum(key == other for other, _ in pairs) > 1)
        raise InputError(f"the row has {json.dumps(twice[:40])} twice; keep one")
    return row


def _constant(name: str) -> Any:
    raise InputError(f"not JSON ({name} is not a value); write null for what could not be scored")


def _checked(row: Any) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise InputError('not an object; write one like {"id": 1, "arm": "base", "correct": true}')
    id_ = row.get("id")
    if isinstance(id_, bool) or not isinstance(id_, (str, int)):
        raise InputError(f'"id" must be a text or a whole number, not {_short(id_)}')
    if not isinstance(row.get("arm"), str) or row["arm"] not in ARMS:
        raise InputError(f"unknown arm {_short(row.get('arm'))}; the arms are {', '.join(ARMS)}")
    return row


def _verdict(row: Mapping[str, Any]) -> Verdict:
    named = [key for key in ("correct", "content", "behaviour") if key in row]
    if not named:
        raise InputError('the row has no verdict; add "correct", or "content" and "behaviour"')
    if "behavior" in row:
        raise InputError('"behavior" is spelled "behaviour" here; rename the field')
    if "correct" in row and "content" in row:
        raise InputError('"correct" means content, so a row has one of the two, not both')
    for key in named:
        if row[key] is not None and not isinstance(row[key], bool):
            raise InputError(f'"{key}" must be true, false or null, not {_short(row[key])}')
    return Verdict(row["id"], row["arm"], row.get("correct", row.get("content")), row.get("behaviour"))


def _short(value: Any) -> str:
    """JSON of a value that is not right, at most 60 characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
