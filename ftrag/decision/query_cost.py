"""What one query costs by the cost model's prices, and what one more right answer costs: formulas over named inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrag.decision.cost import evaluate, input_rows

CHARACTERS_PER_TOKEN = 4  # of an English prompt, roughly; answers are counted in tokens
FORMULA = "(prompt_tokens * {kind}_input_usd + answer_tokens * {kind}_output_usd) / 1e6"


def per_query(prompt_chars: float, answer_tokens: float, tuned: bool) -> dict[str, Any]:
    """{usd, formula, inputs} of one query, hosted by the token: tokens measured, prices assumed (prices.json).

    A tuned model is priced as tuned. Retrieval costs what its passages add to the prompt; BM25 embeds nothing.
    """
    formula = FORMULA.format(kind="tuned" if tuned else "llm")
    known = {row["key"]: float(row["value"]) for row in input_rows()}
    measured = {"prompt_tokens": prompt_chars / CHARACTERS_PER_TOKEN, "answer_tokens": answer_tokens}
    inputs = {name: value for name, value in {**known, **measured}.items() if name in formula}
    return {"usd": evaluate(formula, inputs), "formula": formula, "inputs": inputs}


def cost_rows(arms: Mapping[str, Mapping[str, Any]], axis: str) -> list[dict[str, Any]]:
    """[{arm, usd, formula, inputs, usd_per_right, usd_per_additional}] per arm, in the order given.

    usd_per_right: of one right answer on the axis; usd_per_additional: what one more right answer than base's costs
    (None where the arm gains nothing). arms: {arm: {prompt_chars, tokens, content, behaviour, both}}.
    """
    base = arms.get("base")
    found: list[dict[str, Any]] = []
    for arm, numbers in arms.items():
        row = {"arm": arm} | per_query(numbers["prompt_chars"], numbers["tokens"], arm.startswith("lora"))
        right = numbers.get(axis)
        gain = right - base[axis] if base and right is not None and base.get(axis) is not None else 0.0
        row["usd_per_right"] = row["usd"] / right if right else None
        row["usd_per_additional"] = (row["usd"] - found[0]["usd"]) / gain if gain > 0 and found else None
        found.append(row)
    return found
