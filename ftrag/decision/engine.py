"""Evidence -> route, by a rule that a person can follow. No model, index or file; the statistics are handed in.

The family of comparisons. While an arm is held, every arm that comes after it, passes its gates and was run is compared
with it, and Holm's adjustment runs over those comparisons. The first of them in cost order that wins is held next and
the rest is compared anew. The oracle arms are a family of their own, asked only when base is still held. A verdict for
an arm needs a gain, so a family in which nothing is to be found misleads in at most 2.5 % of all cases (half of a
two-sided 5 %), and the two families against base together in at most 5 %; benchmarks/verdict_simulation.py counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ftrag.decision.wording import (
    ONLY_BASE,
    SENTENCES,
    UNTRIED,
    comparison_sentence,
    percent,
    points,
    untried_sentence,
)
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
NOTHING_FOUND = {"larger model", "not enough evidence"}  # which mean little where nothing was tried
ORACLES = ("base+oracle", "lora+oracle")
PRIORS = ("prompt", "rag", "fine-tune", "both")  # routes that a questionnaire can name

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
    prior: str = ""  # the questionnaire's route, where it was answered
    questions_needed: Callable[[float], int | None] = lambda effect: None  # for this gain, with power 0.8
    usd_per_query: Mapping[str, float] = field(default_factory=dict)  # by arm, where known


def verdict(evidence: Evidence) -> dict[str, Any]:
    """{route, sentence, axis, held, target, comparisons, reasons, would_change, prior?, costs?}."""
    if evidence.base_lower >= evidence.target:
        return _result("no change", "base", evidence, [], [_base_sentence(evidence)])
    held, comparisons = _climb(evidence)
    reasons = [*map(comparison_sentence, comparisons), *_gate_sentences(evidence)]
    if held != "base":
        return _result(ROUTES[held], held, evidence, comparisons, reasons)
    oracles = _against("base", evidence.oracles, evidence)
    comparisons += oracles
    if better := [row for row in oracles if row["beats"]]:
        return _result("fix retrieval", held, evidence, comparisons, [*reasons, *map(comparison_sentence, better)])
    # compared as it is printed, in whole points
    few = round(evidence.smallest_effect, 2) > DETECTABLE
    said = f"{points(evidence.smallest_effect)} is the smallest gain that this many questions could have shown"
    if few:
        none = "So few questions cannot show any gain" if evidence.smallest_effect >= 1 else said
        return _result("not enough evidence", held, evidence, comparisons, [*reasons, f"{none}: ask more."])
    none = "and no arm showed it" if comparisons else "and no other arm was compared"
    return _result("larger model", held, evidence, comparisons, [*reasons, f"{said}, {none}."])


def _climb(evidence: Evidence) -> tuple[str, list[dict[str, Any]]]:
    """The arm held at the end and the comparisons made on the way."""
    held = "base"
    waiting = [arm for arm in evidence.order if arm != "base" and evidence.passes_gates.get(arm, True)]
    made: list[dict[str, Any]] = []
    while rows := _against(held, waiting, evidence):
        winner = next((row for row in rows if row["beats"]), None)
        if winner is None:
            return held, made + rows
        made += rows[: rows.index(winner) + 1]
        held = winner["b"]
        waiting = waiting[waiting.index(held) + 1 :]
    return held, made


def _against(held: str, arms: Sequence[str], evidence: Evidence) -> list[dict[str, Any]]:
    """Every arm against the one held, with p_holm over these comparisons; arms that share no question are left out."""
    rows = [dict(evidence.compare(held, arm)) for arm in arms]
    measured = [row for row in rows if row["n"]]
    for row, p in zip(measured, evidence.adjust([row["p"] for row in measured]), strict=True):
        row |= {"p_holm": p, "beats": bool(row["difference"] > 0 and p < SIGNIFICANT)}
    return measured


def _result(
    route: Route, held: str, evidence: Evidence, comparisons: list[dict[str, Any]], reasons: list[str]
) -> dict[str, Any]:
    untried = untried_sentence(evidence.order, evidence.oracles) if route in NOTHING_FOUND else ""
    sentence = UNTRIED if route == "fix retrieval" and "base+rag" not in evidence.order else SENTENCES[route]
    if untried.startswith(ONLY_BASE):
        sentence = f"{ONLY_BASE} The rule's word for it is “{route}”."
    return {
        "route": route,
        "sentence": sentence,
        "axis": evidence.axis,
        "held": held,
        "target": evidence.target,
        "comparisons": comparisons,
        "reasons": [*reasons, *([untried] if untried else [])],
        "would_change": _would_change(route, held, evidence, comparisons),
        **({"prior": prior(evidence.prior, route)} if evidence.prior else {}),
        **({"costs": costs} if (costs := _costs(comparisons, evidence.usd_per_query)) else {}),
    }


def prior(expected: str, route: str) -> dict[str, Any]:
    """{route, agrees, sentence}: the questionnaire's route beside the measured one. agrees is None where either said
    that it knows too little."""
    if expected not in PRIORS or route == "not enough evidence":
        sentence = f"The questionnaire said {expected}, the evidence says {route}: they cannot be compared."
        return {"route": expected, "agrees": None, "sentence": sentence}
    if expected == route:
        return {"route": expected, "agrees": True, "sentence": f"The questionnaire expected {route} as well."}
    sentence = f"The questionnaire expected {expected}; the evidence says {route}. The evidence decides."
    return {"route": expected, "agrees": False, "sentence": sentence}


def _base_sentence(evidence: Evidence) -> str:
    return (
        f"base is right on {percent(evidence.base_right)} of the questions and on at least "
        f"{percent(evidence.base_lower)} at the lower bound; the target is {percent(evidence.target)}."
    )


def _gate_sentences(evidence: Evidence) -> list[str]:
    failed = [arm for arm in evidence.order if evidence.passes_gates.get(arm, True) is False and arm != "base"]
    return [f"Not considered, because a gate failed or was not measured: {', '.join(failed)}."] if failed else []


def _would_change(
    route: str, held: str, evidence: Evidence, comparisons: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """[{change, why}]: what would have to be different for another route, likeliest first."""
    if route == "no change":
        return [{"change": "a higher target", "why": f"the lower bound is {percent(evidence.base_lower)}"}]
    found = [_more_questions(row, evidence) for row in comparisons if _is_open(row, held)]
    if evidence.base_right >= evidence.target:
        found.append({"change": "more questions", "why": f"base reaches {percent(evidence.base_right)}, its bound not"})
    failed = [arm for arm in evidence.order if evidence.passes_gates.get(arm, True) is False and arm != "base"]
    found += [{"change": f"{arm} passing its gates", "why": "it was not considered"} for arm in failed]
    missing = [arm for arm in ROUTES if arm not in evidence.order]
    return found + [{"change": f"running {arm}", "why": f"it could lead to {ROUTES[arm]}"} for arm in missing]


def _is_open(row: Mapping[str, Any], held: str) -> bool:
    """A gain over what is held that was seen and not established."""
    return bool(row["a"] == held and row["difference"] > 0 and not row["beats"])


def _more_questions(row: Mapping[str, Any], evidence: Evidence) -> dict[str, Any]:
    needed = evidence.questions_needed(row["difference"])
    many = f"about {needed} questions" if needed and needed > row["n"] else "more questions"
    why = f"if the {points(row['difference'])} of {row['b']} over {row['a']} are real, that many would establish them"
    return {"change": many, "why": why}


def _costs(comparisons: Sequence[Mapping[str, Any]], usd: Mapping[str, float]) -> list[dict[str, Any]]:
    """What one more right answer costs: the dearer query over the gain in right answers per query."""
    return [
        {
            "a": row["a"],
            "b": row["b"],
            "usd_per_additional_right_answer": (usd[row["b"]] - usd[row["a"]]) / row["difference"],
        }
        for row in comparisons
        if row["difference"] > 0 and row["a"] in usd and row["b"] in usd
    ]
