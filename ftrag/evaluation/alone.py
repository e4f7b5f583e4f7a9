"""How long one person waits: two questions per arm asked one at a time, after all were answered in batches.

A batch's times say what the run took, not what an answer takes. The two are those whose answers stand at the middle
and at the 95th percentile of the arm by tokens (then by prompt), since tokens are what takes time. All questions one
at a time would say it better, and take several times as long as the rest of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag.evaluation.asking import answered, percentile
from ftrag.evaluation.plan import Asked
from ftrag.project import append_jsonl, read_jsonl
from ftrag.types import Generation, LanguageModel

Progress = Callable[[float, str], None]
SHARES = {"p50": 0.5, "p95": 0.95}
FILE = "alone.jsonl"
Rows = Sequence[Mapping[str, Any]]
Key = tuple[str | int, str, str]  # question, arm, "p50" or "p95"


def chosen(rows: Rows) -> list[Key]:
    """What is asked alone, arm by arm: the question at each share (nearest rank). Refused ones are left out.

    rows: as runner.run yields them.
    """
    by_arm: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["done"] in {"stop", "length"}:
            by_arm.setdefault(row["arm"], []).append(row)
    return [
        (sorted(mine, key=_weight)[int(percentile(range(len(mine)), share))]["id"], arm, name)
        for arm, mine in by_arm.items()
        for name, share in SHARES.items()
    ]


def _weight(row: Mapping[str, Any]) -> tuple[int, int, str]:
    return row["tokens"], row["prompt_chars"], str(row["id"])


def cost(asked: Sequence[Asked], relative: Callable[[Sequence[Asked]], float]) -> float:
    """About what asking alone will take, in relative's unit: a step of one row takes a third of a batch's."""
    arms = {row.arm: row for row in asked}
    return sum(len(SHARES) * relative([row]) / 3 for row in arms.values())


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
    """One arm's seconds to the first token and in all, the search included, and how many were asked alone.

    {latency_p50_s, latency_p95_s, first_token_p50_s, first_token_p95_s, alone}; p95 is at least p50, as answers of one
    length differ by chance. alone: 0 where none was asked, and then the times are percentiles of answers given in
    batches, which are longer.
    """
    asked = {share: row["alone"][share] for row in rows for share in row.get("alone", {})}
    if len(asked) < len(SHARES):
        times = {key: sorted(row[key] for row in rows) for key in ("seconds", "first_token_s")}
        asked = {name: {key: percentile(each, share) for key, each in times.items()} for name, share in SHARES.items()}
        alone = 0
    else:
        alone = len(asked)
    middle, most = asked["p50"], asked["p95"]
    return {
        "latency_p50_s": middle["seconds"],
        "latency_p95_s": max(middle["seconds"], most["seconds"]),
        "first_token_p50_s": min(middle["first_token_s"], most["first_token_s"]),
        "first_token_p95_s": max(middle["first_token_s"], most["first_token_s"]),
        "alone": alone,
    }
