"""Verdicts of any system -> causes, differences and the route. No model needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.decision import engine, wording
from ftrag.evaluation import stats
from ftrag.evaluation.arms import AXES, COST_ORDER
from ftrag.evaluation.attribution import attribute, by_question
from ftrag.types import Verdict

# Beside every arm against base: what tuning adds to retrieval, examples to either, and perfect passages to both.
PAIRS = (
    ("base+rag", "lora+rag"),
    ("prompt+rag", "lora+rag"),
    ("lora", "lora+rag"),
    ("prompt", "lora"),
    ("prompt", "prompt+rag"),
    ("base+rag", "prompt+rag"),
    ("base+rag", "base+oracle"),
    ("lora+rag", "lora+oracle"),
)


def diagnose(
    verdicts: Sequence[Verdict],
    retrieved: Mapping[str | int, bool] | None = None,
    passes_gates: Mapping[str, bool] | None = None,
    target: float = engine.TARGET,
    prior: str = "",
    usd_per_query: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """The JSON of `diagnose`; raises InputError when there is no base row."""
    found = attribute(verdicts, retrieved)
    tables = {axis: _with_base(by_question(verdicts, axis)) for axis in (*AXES, "both")}
    axis = next((name for name in ("both", *AXES) if tables[name]), "content")
    n = len(tables[axis])
    smallest = stats.minimum_detectable_effect(n)
    decision = engine.verdict(_evidence(axis, tables[axis], smallest, passes_gates, target, prior, usd_per_query))
    tried = any(verdict.arm != "base" for verdict in verdicts)
    said = wording.cause_sentences(found["causes"], tried) + wording.retrieval_sentence(found["rows"])
    return found | {
        "differences": [row for name, rows in tables.items() for row in _differences(name, rows)],
        "interaction": {name: interaction(rows) for name, rows in tables.items() if rows},
        "minimum_detectable_effect": smallest,
        "n": n,
        "route": decision["route"],
        "reasons": decision["reasons"] + said + _left_out(found, n),
        "decision": decision,
    }


def _left_out(found: Mapping[str, Any], n: int) -> list[str]:
    """What the verdict does not rest on, in sentences that quote the counts."""
    said = [] if n else ["No base answer has a verdict, so there is nothing to compare."]
    if found["excluded"]:
        said.append(f"Left out, for want of a base row: {found['excluded']}.")
    counts = {axis: count for axis, count in found["unscored"].items() if count}
    return said + [f"Left out on {axis}, for want of a verdict of base: {count}." for axis, count in counts.items()]


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


def _evidence(
    axis: str,
    table: Table,
    smallest: float,
    passes_gates: Mapping[str, bool] | None,
    target: float,
    prior: str,
    usd_per_query: Mapping[str, float] | None,
) -> engine.Evidence:
    run = {arm for right in table.values() for arm in right}
    n, right = len(table), sum(arms["base"] for arms in table.values())
    return engine.Evidence(
        axis=axis,
        order=[arm for arm in COST_ORDER if arm in run],
        compare=lambda a, b: {"a": a, "b": b} | stats.compare(pairs(table, a, b)),
        adjust=stats.holm,
        base_right=right / n if n else 0.0,
        base_lower=stats.wilson(right, n)[0],
        smallest_effect=smallest,
        oracles=[arm for arm in engine.ORACLES if arm in run],
        passes_gates=passes_gates or {},
        target=target,
        prior=prior,
        questions_needed=stats.questions_needed,
        usd_per_query=usd_per_query or {},
    )
