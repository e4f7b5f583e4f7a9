"""Before a run: how long it takes, what so many questions can show, and how many would show more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.evaluation import stats
from ftrag.evaluation.arms import COST_ORDER

BATCH = 16  # questions that are answered together
EFFECTS = (0.05, 0.1, 0.2, 0.3)  # gains that the table of needed questions names, as fractions


def duration(arms: Sequence[str], n: int, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """{seconds, basis}: a batch takes what 95 % of its answers took in the first earlier run that knows the arm.

    The questions asked alone take what they took there. earlier: stored runs, the likeliest guide first. seconds is
    None where no run knows one of the arms.
    """
    batches = -(-n // BATCH)
    total, guides = 0.0, []
    for arm in arms:
        guide = next((run for run in earlier if arm in run["arms"]), None)
        if guide is None:
            return {"seconds": None, "basis": f"no earlier run knows {arm}"}
        numbers = guide["arms"][arm]
        total += batches * numbers.get("batch_p95_s", numbers["latency_p95_s"])
        total += numbers.get("alone", 0) * (numbers["latency_p50_s"] + numbers["latency_p95_s"]) / 2
        guides.append(guide)
    return {"seconds": round(total, 1), "basis": f"as in the run of {guides[-1]['created'][:10]}, {_where(guides[-1])}"}


def _where(run: Mapping[str, Any]) -> str:
    return str(run.get("machine") or "this machine")


def reach(arms: Sequence[str], n: int) -> dict[str, Any]:
    """{comparisons, smallest_effect, needed: [{effect, questions}]} at power 0.8, the first step of Holm counted."""
    comparisons = max(1, sum(arm in arms for arm in COST_ORDER) - 1)
    return {
        "comparisons": comparisons,
        "smallest_effect": stats.minimum_detectable_effect(n, comparisons=comparisons),
        "needed": [
            {"effect": effect, "questions": stats.questions_needed(effect, comparisons=comparisons)}
            for effect in EFFECTS
        ],
    }
