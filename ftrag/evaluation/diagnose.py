"""Verdicts of any system -> causes, differences and the route. No model needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.decision import engine
from ftrag.evaluation import stats
from ftrag.evaluation.arms import AXES, COST_ORDER
from ftrag.evaluation.attribution import ADVICE, attribute, by_question
from ftrag.types import Verdict

# Beside every arm against base: what retrieval adds to tuning, what tuning adds to retrieval, what perfect passages add.
PAIRS = (
    ("base+rag", "lora+rag"),
    ("lora", "lora+rag"),
    ("prompt", "prompt+rag"),
    ("base+rag", "base+oracle"),
    ("lora+rag", "lora+oracle"),
)


def diagnose(
    verdicts: Sequence[Verdict],
    retrieved: Mapping[str | int, bool] | None = None,
    passes_gates: Mapping[str, bool] | None = None,
    target: float = engine.TARGET,
) -> dict[str, Any]:
    """The JSON of `diagnose`; raises InputError when there is no base row."""
    found = attribute(verdicts, retrieved)
    tables = {axis: by_question(verdicts, axis) for axis in (*AXES, "both")}
    tables = {axis: _with_base(table) for axis, table in tables.items()}
    axis = "both" if any(tables["both"].values()) else "content"
    table = tables[axis] if any(tables[axis].values()) else tables["behaviour"]
    n = sum("base" in right for right in table.values())
    decision = engine.decide(_evidence(axis, table, n, passes_gates or {}, target))
    return found | {
        "differences": [row for name, rows in tables.items() for row in _differences(name, rows)],
        "interaction": {name: interaction(rows) for name, rows in tables.items() if any(rows.values())},
        "minimum_detectable_effect": stats.minimum_detectable_effect(n),
        "n": n,
        "route": decision["route"],
        "reasons": decision["reasons"] + cause_sentences(found["causes"]),
        "decision": decision,
    }


Table = Mapping[str | int, Mapping[str, bool]]


def _with_base(table: Table) -> Table:
    return {id_: right for id_, right in table.items() if "base" in right}


def pairs(table: Table, a: str, b: str) -> list[tuple[bool, bool]]:
    """Verdicts of the questions that have both arms."""
    return [(right[a], right[b]) for right in table.values() if a in right and b in right]


def _differences(axis: str, table: Table) -> list[dict[str, Any]]:
    run = {arm for right in table.values() for arm in right}
    wanted = [*(("base", arm) for arm in (*COST_ORDER[1:], *engine.ORACLES)), *PAIRS]
    return [{"a": a, "b": b, "axis": axis} | stats.compare(pairs(table, a, b)) for a, b in wanted if {a, b} <= run]


def interaction(table: Table) -> dict[str, Any] | None:
    """Of the 2x2, on the questions that have all four arms."""
    arms = ("base", "base+rag", "lora", "lora+rag")
    return stats.interaction(
        [
            (right["base"], right["base+rag"], right["lora"], right["lora+rag"])
            for right in table.values()
            if set(arms) <= set(right)
        ]
    )


def _evidence(axis: str, table: Table, n: int, passes_gates: Mapping[str, bool], target: float) -> engine.Evidence:
    run = {arm for right in table.values() for arm in right}
    right = sum(arms.get("base", False) for arms in table.values())
    return engine.Evidence(
        axis=axis,
        order=[arm for arm in COST_ORDER if arm in run],
        compare=lambda a, b: {"a": a, "b": b} | stats.compare(pairs(table, a, b)),
        adjust=stats.holm,
        base_right=right / n if n else 0.0,
        base_lower=stats.wilson(right, n)[0],
        smallest_effect=stats.minimum_detectable_effect(n),
        oracles=[arm for arm in engine.ORACLES if arm in run],
        passes_gates=passes_gates,
        target=target,
    )


def cause_sentences(causes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What the causes say, in numbers: one sentence per axis and cause that occurs, largest first."""
    sentences = []
    for axis, counts in causes.items():
        failures = sum(count for name, count in counts.items() if name != "solved")
        for name, count in sorted(counts.items(), key=lambda item: -item[1]):
            if count and name != "solved":
                sentences.append(f"{axis}: {count} of {failures} failures are “{name}”: {ADVICE[name]}.")
    return sentences
