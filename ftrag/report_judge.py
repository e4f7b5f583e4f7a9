"""What a model judge said of a run, how it agrees with the scores, and where the two differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrag.decision.wording import percent
from ftrag.report_findings import in_order
from ftrag.report_parts import Plot, Table

Run = Mapping[str, Any]
SHOWN = 10  # answers on which the two differ
SIDES = {True: "right", False: "wrong"}
FAILURES = {  # kind -> what happened; runs of before kinds were kept have none
    "no answer": "had no answer to judge",
    "no reply": "got no reply",
    "no verdict": "got a reply without a verdict",
    "refused": "were refused with the key",
    "not asked": "were not asked after that",
}


def sentences(found: Mapping[str, Any]) -> list[str]:
    """How far the judge agrees with the scores, and what it could not judge; it decides nothing."""
    if found["agreement"] is None:
        said = f"The judge {found['model']} judged no answer that is scored, so that there is nothing to compare."
    else:
        said = (
            f"The judge {found['model']} agrees with the scores on {percent(found['agreement'])} of "
            f"{found.get('compared', found['n'])} answers"
        )
        if "judge_alone" in found:
            alone = found["judge_alone"], found["scores_alone"]
            said += f"; {alone[0]} only the judge calls right, {alone[1]} only the scores"
        said += "."
    failed = found["failed"]
    kinds = ", ".join(f"{count} {FAILURES[kind]}" for kind, count in found.get("failures", {}).items())
    left = f"{failed} could not be judged and are left out{f' ({kinds})' if kinds else ''}. " if failed else ""
    return [said, f"{left}The judge decides nothing here."]


def section(run: Run) -> tuple[str | Table | Plot, ...]:
    """Shares per arm, agreement, and the first answers on which judge and scores differ; () where none was asked."""
    found = run.get("judge")
    if not found:
        return ()
    shares = tuple((arm, "–" if share is None else percent(share)) for arm, share in in_order(found["arms"]))
    differ = _differing(run)
    listed = (f"The first {len(differ)} answers on which they differ:", Table(HEADERS, tuple(differ))) if differ else ()
    return (Table(("arm", "right by the judge"), shares), *sentences(found), *listed)


HEADERS = ("question", "arm", "answer", "judge", "scores", "the judge's reason")


def _differing(run: Run) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            str(row.get("question") or row["id"]),
            arm,
            said.get("text") or "–",
            SIDES[said["judge"]["right"]],
            SIDES[said["content"]],
            said["judge"].get("why") or "–",
        )
        for row in run.get("rows", [])
        for arm, said in in_order(row.get("answers", {}))
        if (said.get("judge") or {}).get("right") is not None
        and said.get("content") is not None
        and said["judge"]["right"] != said["content"]
    ]
    return rows[:SHOWN]
