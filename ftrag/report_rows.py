"""The rows of a run in its report: a few examples of each cause, and every question in one narrow table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.evaluation.arms import AXES
from ftrag.evaluation.attribution import ADVICE
from ftrag.report_findings import in_order
from ftrag.report_parts import Plot, Table

SHOWN_ROWS = 3  # examples per cause
SHOWN_CHARACTERS = 240  # of an example's answer
MARKS = {True: "right", False: "wrong", None: "–"}


def examples(run: Mapping[str, Any]) -> tuple[str | Table | Plot, ...]:
    """A few questions of each cause with the answers that show why they have it."""
    parts: list[str | Table | Plot] = []
    for axis in AXES:
        for name in ADVICE:
            rows = [row for row in run.get("rows", []) if row.get("cause", {}).get(axis) == name and name != "solved"]
            if rows:
                parts.append(f"{axis}: {name} ({len(rows)})")
                parts.append(_answers(rows[:SHOWN_ROWS], axis, (run.get("decision") or {}).get("held", "")))
    return (*parts, TELLING) if parts else ()


TELLING = (
    "Of each example the answers of base, of the first arm that is right, else of the last, and of the arm that the "
    f"verdict holds, their first {SHOWN_CHARACTERS} characters; the page and the JSON have them all."
)


def _answers(rows: Sequence[Mapping[str, Any]], axis: str, held: str) -> Table:
    listed = [
        (
            *(("", "") if place else (_question(row), _expected(row))),
            arm,
            MARKS[said.get(axis)],
            _shortened(said.get("text") or "–"),
        )
        for row in rows
        for place, (arm, said) in enumerate(_telling(row.get("answers", {}), axis, held))
    ]
    return Table(("question", "expected", "arm", axis, "answer"), tuple(listed))


def _telling(answers: Mapping[str, Any], axis: str, held: str) -> list[tuple[str, Any]]:
    """The answers that show why a question has its cause: of base, of what repairs it and of what is held."""
    ordered = in_order(answers)
    right = [arm for arm, said in ordered if said.get(axis)] or [arm for arm, _ in ordered[-1:]]
    return [(arm, said) for arm, said in ordered if arm in {"base", held, *right[:1]}]


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1].rstrip()}…"


def _question(row: Mapping[str, Any]) -> str:
    return str(row.get("question") or "–")


def _expected(row: Mapping[str, Any]) -> str:
    expected = row.get("expected") or []
    return expected if isinstance(expected, str) else " or ".join(expected) or "a refusal"


def questions(run: Mapping[str, Any]) -> tuple[str | Table | Plot, ...]:
    """Every question with its causes, and per arm the two verdicts: + right, − wrong, . not scored."""
    arms = [arm for arm, _ in in_order(run.get("arms", {}))]
    rows = [
        (
            str(row["id"]),
            _question(row),
            row.get("slice") or "–",
            *(row.get("cause", {}).get(axis, "–") for axis in AXES),
            *(_signs(row.get("answers", {}).get(arm)) for arm in arms),
        )
        for row in run.get("rows", [])
    ]
    note = "Per arm content and behaviour: + right, − wrong, . not scored."
    headers = ("id", "question", "slice", "content cause", "behaviour cause", *arms)
    return (note, Table(headers, tuple(rows), dense=True)) if rows else ()


def _signs(said: Mapping[str, Any] | None) -> str:
    return "".join({True: "+", False: "−", None: "."}[said.get(axis)] for axis in AXES) if said else "–"
