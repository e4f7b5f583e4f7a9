"""Evidence -> route, by a rule that a person can follow. No model, index or file; the statistics are handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ftrag.types import Route

TARGET = 0.9  # a base model whose lower bound reaches it needs no change
SIGNIFICANT = 0.05
DETECTABLE = 0.2  # with a smallest detectable effect above it, finding nothing means nothing
ROUTES: dict[str, Route] = {
    "prompt": "prompt",
    "base+rag": "rag",
    "prompt+rag": "rag",
    "lora": "fine-tune",
    "lora+rag": "both",
}
ORACLES = ("base+oracle", "lora+oracle")
SENTENCES: dict[str, str] = {
    "no change": "Leave the model as it is.",
    "prompt": "Write a better prompt: a few examples in it are enough.",
    "rag": "Retrieve: put passages of your documents into the prompt.",
    "fix retrieval": "Fix retrieval: the model can use the right passages, it is not given them.",
    "fine-tune": "Fine-tune: train a LoRA on your examples.",
    "both": "Do both: retrieve passages and fine-tune the model that reads them.",
    "larger model": "Take a larger model: nothing tried here repairs this one.",
    "not enough evidence": "Not enough evidence: ask more questions before deciding.",
}

Comparison = Mapping[str, Any]  # {a, b, n, difference, low, high, wins, losses, ties, p}


@dataclass(frozen=True)
class Evidence:
    """What the engine reads. compare(a, b) gives the paired comparison b minus a on the axis."""

    axis: str  # "both" or "content"
    order: Sequence[str]  # arms that were run and can be deployed, in cost order, base first
    compare: Callable[[str, str], Comparison]
    adjust: Callable[[Sequence[float]], list[float]]  # Holm
    base_right: float  # share in [0, 1]
    base_lower: float  # 95 % lower bound of it
    smallest_effect: float  # minimum detectable effect of this many questions
    oracles: Sequence[str] = ()  # oracle arms that were run
    passes_gates: Mapping[str, bool] = field(default_factory=dict)  # absent: passes
    target: float = TARGET


def decide(evidence: Evidence) -> dict[str, Any]:
    """{route, sentence, axis, held, target, comparisons, reasons}.

    Each arm that passes the gates, in cost order, replaces the arm held so far if its paired difference is positive
    and its McNemar p, Holm-adjusted over the comparisons with that held arm, is below 0.05.
    """
    if evidence.base_lower >= evidence.target:
        reason = (
            f"The base model is right on {_percent(evidence.base_right)} of the questions, with at least "
            f"{_percent(evidence.base_lower)} on the lower bound; the target is {_percent(evidence.target)}."
        )
        return _result("no change", evidence, "base", [], [reason])
    held, comparisons = _climb(evidence)
    reasons = [_said(row) for row in comparisons]
    failed = [arm for arm in evidence.order if evidence.passes_gates.get(arm, True) is False]
    if failed:
        reasons.append(f"Not considered, because a gate failed or was not measured: {', '.join(failed)}.")
    if held != "base":
        return _result(ROUTES[held], evidence, held, comparisons, reasons)
    oracle = _against("base", evidence.oracles, evidence)
    comparisons += oracle
    better = [row for row in oracle if _beats(row)]
    if better:
        return _result("fix retrieval", evidence, held, comparisons, [*reasons, *map(_said, better)])
    detectable = f"{_points(evidence.smallest_effect)} is the smallest gain that these questions could have shown"
    if evidence.smallest_effect > DETECTABLE:
        return _result("not enough evidence", evidence, held, comparisons, [*reasons, f"{detectable}: ask more."])
    return _result("larger model", evidence, held, comparisons, [*reasons, f"{detectable}, and no arm showed it."])


def _climb(evidence: Evidence) -> tuple[str, list[dict[str, Any]]]:
    """The arm held at the end and the comparisons made on the way."""
    held = "base"
    waiting = [arm for arm in evidence.order if arm != "base" and evidence.passes_gates.get(arm, True)]
    made: list[dict[str, Any]] = []
    while waiting:
        rows = _against(held, waiting, evidence)
        winner = next((place for place, row in enumerate(rows) if _beats(row)), None)
        made += rows if winner is None else rows[: winner + 1]
        if winner is None:
            break
        held, waiting = waiting[winner], waiting[winner + 1 :]
    return held, made


def _against(held: str, arms: Sequence[str], evidence: Evidence) -> list[dict[str, Any]]:
    rows = [dict(evidence.compare(held, arm)) for arm in arms]
    measured = [row for row in rows if row["n"]]
    for row, p in zip(measured, evidence.adjust([row["p"] for row in measured]), strict=True):
        row["p_holm"] = p
    return measured


def _beats(row: Mapping[str, Any]) -> bool:
    return bool(row["difference"] > 0 and row["p_holm"] < SIGNIFICANT)


def _said(row: Mapping[str, Any]) -> str:
    """One comparison as a sentence with its numbers."""
    verb = "beats" if _beats(row) else "does not beat"
    return (
        f"{row['b']} {verb} {row['a']}: {row['difference'] * 100:+.0f} points "
        f"(95 % interval {row['low'] * 100:+.0f} to {row['high'] * 100:+.0f}), {row['wins']} repaired and "
        f"{row['losses']} broken of {row['n']}, p = {_p(row['p_holm'])} after Holm."
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _points(share: float) -> str:
    return f"{share * 100:.0f} points"


def _result(
    route: Route, evidence: Evidence, held: str, comparisons: list[dict[str, Any]], reasons: list[str]
) -> dict[str, Any]:
    return {
        "route": route,
        "sentence": SENTENCES[route],
        "axis": evidence.axis,
        "held": held,
        "target": evidence.target,
        "comparisons": comparisons,
        "reasons": reasons,
    }
