"""How long one person waits: a few questions per arm asked one at a time, after all were answered in batches.

A batch's times say what the run took, not what an answer takes. The questions asked again are those whose answers
stand at the middle and at the 95th percentile of the arm by tokens (then by prompt), since tokens are what takes time.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag.evaluation.asking import answered, percentile
from ftrag.evaluation.plan import Asked
from ftrag.project import append_jsonl, read_jsonl
from ftrag.types import Generation, LanguageModel

Progress = Callable[[float, str], None]
SHARES = {"p50": 0.5, "p95": 0.95}
NEAR = {"p50": 0, "p95": 1}  # ranks on either side that are asked too; gates read p95, so no one hiccup decides it
EACH = 4  # questions that these are, per arm
ENOUGH = 20  # answers from which on a rank beside the 95th percentile says something about it
FILE = "alone.jsonl"
Rows = Sequence[Mapping[str, Any]]
Key = tuple[str | int, str, str]  # question, arm, "p50" or "p95"


def chosen(rows: Rows) -> list[Key]:
    """What is asked alone, arm by arm: the questions at each share and, of ENOUGH, NEAR it. Refused ones are left out.

    rows: as runner.run yields them.
    """
    by_arm: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["done"] in {"stop", "length"}:
            by_arm.setdefault(row["arm"], []).append(row)
    return [
        (row["id"], arm, name)
        for arm, mine in by_arm.items()
        for name, share in SHARES.items()
        for row in _around(sorted(mine, key=_weight), share, NEAR[name] if len(mine) >= ENOUGH else 0)
    ]


def _weight(row: Mapping[str, Any]) -> tuple[int, int, str]:
    return row["tokens"], row["prompt_chars"], str(row["id"])


def _around(ranked: Rows, share: float, near: int) -> Rows:
    middle = int(percentile(range(len(ranked)), share))
    return ranked[max(0, middle - near) : middle + near + 1]


def cost(asked: Sequence[Asked], relative: Callable[[Sequence[Asked]], float]) -> float:
    """About what asking alone will take, in relative's unit: a step of one row takes a third of a batch's."""
    arms = {row.arm: row for row in asked}
    each = EACH if len(asked) >= ENOUGH * len(arms) else len(SHARES)
    return sum(each * relative([row]) / 3 for row in arms.values())


def ask(
    folder: Path,
    asked: Sequence[Asked],
    rows: Rows,
    llm: LanguageModel,
    settings: Generation,
    on_progress: Progress = lambda fraction, message: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]] | None:
    """The rows, each with `alone`: {"p50" or "p95": {first_token_s, seconds}} for those asked; None when stopped.

    Times include the search. They are appended to FILE in the folder one by one, so that a resumed run repeats none.
    """
    found = _found(folder)
    planned = {(row.gold.id, row.arm): row for row in asked}
    todo = chosen(rows)
    for number, (id_, arm, share) in enumerate(todo):
        if (id_, arm, share) in found:
            continue
        on_progress(number / len(todo), f"{number} of {len(todo)} questions asked one at a time, for the latency")
        said = answered(llm, [planned[id_, arm]], settings, should_stop)
        if said is None:
            return None
        times = {"first_token_s": round(said[0].first, 4), "seconds": round(said[0].seconds, 4)}
        found[id_, arm, share] = {"id": id_, "arm": arm, "share": share} | times
        append_jsonl(folder / FILE, [found[id_, arm, share]])
    return joined(folder, rows)


def joined(folder: Path, rows: Rows) -> list[dict[str, Any]]:
    """The rows of a run with the times that are kept beside its answers, as `ask` returns them."""
    found = _found(folder)
    return [_with_alone(row, found) for row in rows]


def _found(folder: Path) -> dict[Key, dict[str, Any]]:
    return {(row["id"], row["arm"], row["share"]): row for row in read_jsonl(folder / FILE)}


def _with_alone(row: Mapping[str, Any], found: Mapping[Key, Mapping[str, Any]]) -> dict[str, Any]:
    mine = {share: found[row["id"], row["arm"], share] for share in SHARES if (row["id"], row["arm"], share) in found}
    kept = {share: {key: times[key] for key in ("first_token_s", "seconds")} for share, times in mine.items()}
    return dict(row) | ({"alone": kept} if kept else {})


def latency(rows: Rows) -> dict[str, Any]:
    """One arm's seconds to the first token and in all, the search included: p50, p95, the spread of p95, and n.

    {latency_p50_s, latency_p95_s, latency_p95_low_s, latency_p95_high_s, first_token_p50_s, first_token_p95_s, alone}
    A percentile in all is the median of the questions asked alone around it, and p95 is at least p50; to the first
    token, which hangs on the prompt, it is taken over all of them. alone: how many were asked; 0 where none was, and
    then the times are those of answers given in batches, which are longer.
    """
    asked = {share: [row["alone"][share] for row in rows if share in row.get("alone", {})] for share in SHARES}
    if not asked["p95"]:
        return _batched(rows)
    seconds = {share: [one["seconds"] for one in times] for share, times in asked.items()}
    first = [one["first_token_s"] for times in asked.values() for one in times]
    middle = statistics.median_low(seconds["p50"])
    return {
        "latency_p50_s": middle,
        "latency_p95_s": max(middle, statistics.median_low(seconds["p95"])),
        "latency_p95_low_s": min(seconds["p95"]),
        "latency_p95_high_s": max(middle, *seconds["p95"]),
        "first_token_p50_s": percentile(first, 0.5),
        "first_token_p95_s": percentile(first, 0.95),
        "alone": len(first),
    }


def _batched(rows: Rows) -> dict[str, Any]:
    seconds, first = [row["seconds"] for row in rows], [row["first_token_s"] for row in rows]
    high = percentile(seconds, 0.95)
    return {
        "latency_p50_s": percentile(seconds, 0.5),
        **dict.fromkeys(("latency_p95_s", "latency_p95_low_s", "latency_p95_high_s"), high),
        "first_token_p50_s": percentile(first, 0.5),
        "first_token_p95_s": percentile(first, 0.95),
        "alone": 0,
    }
