"""The parts of a report that weigh a verdict: prior, gates, what to get, costs, doubts about the gold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrag.decision.wording import expected_sentence, gate_sentences, place_sentence, usd
from ftrag.evaluation.arms import ARMS, COST_ORDER
from ftrag.report_parts import Plot, Table

Run = Mapping[str, Any]
ORDER = (*COST_ORDER, *(arm for arm in ARMS if arm not in COST_ORDER))
COUNTED = {  # what the comparisons that follow count, by the verdict's axis
    "both": "An answer counts as right here if its facts and its form are.",
    "content": "An answer counts as right here if its facts are.",
    "behaviour": "An answer counts as right here if its form is.",
}
LISTED = 40  # questions whose evidence is listed one by one


def in_order(arms: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Arms with what belongs to them, cheapest first and diagnoses last."""
    return [(arm, arms[arm]) for arm in ORDER if arm in arms]


def verdict(run: Run) -> tuple[str, ...]:
    """The sentence, what the questionnaire and the example expected, whether it may be promoted, and the reasons."""
    decision = run.get("decision") or {}
    prior, gates = decision.get("prior"), run.get("gates")
    said = [decision.get("sentence", ""), prior["sentence"] if isinstance(prior, Mapping) else ""]
    said.append(expected_sentence(run.get("expected_route") or "", decision.get("route", "")))
    if isinstance(gates, Mapping) and gates.get("rows"):
        said.append(f"Gates: {' '.join(gate_sentences(gates, decision))}")
    told = [sentence for sentence in said if sentence]
    counted = COUNTED.get(decision.get("axis", ""), "")
    guide = [f"{counted} The words of this page are explained at its end.".lstrip()] if told else []
    return (*told, *guide, *run.get("reasons", []))


def to_get(run: Run) -> tuple[str | Table | Plot, ...]:
    """What would repair the facts that fail, and where the evidence of each such question got lost."""
    sentences = [f"{one[0].upper()}{one[1:]}." for one in run.get("shopping") or []]
    places = [(row, row["evidence_place"]) for row in run.get("rows", []) if row.get("evidence_place")]
    rows = [(str(row["id"]), str(row.get("question")), place_sentence(place)) for row, place in places[:LISTED]]
    table = [Table(("id", "question", "where its evidence is"), tuple(rows))] if rows else []
    return (*sentences, *table)


def costs(run: Run) -> tuple[str | Table | Plot, ...]:
    """Per arm its tokens, a query, a right answer, one more right answer than base; the formulas with their prices."""
    found = sorted(run.get("costs") or [], key=lambda row: ORDER.index(row["arm"]))
    rows = [
        (
            row["arm"],
            f"{row['inputs']['prompt_tokens']:.1f}",
            f"{row['inputs']['answer_tokens']:.1f}",
            *("–" if row[key] is None else usd(row[key]) for key in ("usd", "usd_per_right", "usd_per_additional")),
        )
        for row in found
    ]
    headers = ("arm", "prompt tokens", "answer tokens", "a query", "a right answer", "one more than base")
    formulas = {row["formula"]: row["inputs"] for row in found}
    said = [f"A query costs {formula} dollars, with {_prices(inputs)}." for formula, inputs in formulas.items()]
    steps = [
        f"{row['b']} instead of {row['a']}: {usd(row['usd_per_additional_right_answer'])} per additional right answer."
        for row in (run.get("decision") or {}).get("costs") or []
    ]
    return (*([Table(headers, tuple(rows))] if rows else []), *said, *steps)


def _prices(inputs: Mapping[str, float]) -> str:
    return " and ".join(f"{name} {value:g}" for name, value in inputs.items() if name.endswith("_usd"))


def doubts(run: Run) -> list[str]:
    """Questions whose gold answer the arms contradict together."""
    return [
        f"{id_}: {', '.join(row['arms'])} agree with each other against the gold answer; check it. They say: "
        f"{row['answer']}"
        for id_, row in (run.get("suspects") or {}).items()
    ]
