"""The rows of a run as it is stored: what failed, what every arm answered, and where the evidence got lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag import workflows
from ftrag.types import Gold

Rows = Sequence[Mapping[str, Any]]
AXES = ("content", "behaviour")
LOCATED = ("retrieval bound", "retrieval untested", "unresolved", "reading")  # causes that ask where evidence got lost


def places(project: Path, gold: Sequence[Gold], causes: Rows, k: int) -> dict[Any, dict[str, Any]]:
    """Where the evidence of the questions got lost that no deployable base arm answers: id -> {state, document, rank}.

    Of several pieces of evidence the one that is furthest away counts.
    """
    from ftrag.evaluation.shopping import locate
    from ftrag.retrieval import store

    wanted = {row["id"] for row in causes if row.get("content") in LOCATED}
    asked = [one for one in gold if one.id in wanted and one.evidence]
    if not asked:
        return {}
    texts = {document.name: document.text for document in store.documents(project)}
    total = len(store.chunks(project))
    index = workflows.retriever(project, None) if total else None
    order = ("missing", "cut", "ranked", "shown")
    found = {}
    for one in asked:
        ranked = [(hit.chunk.document, hit.chunk.text) for hit in index.search(one.question, total)] if index else []
        unfound = [] if index is None else _unranked(project, ranked)
        places = [locate(piece, texts, [*ranked, *unfound], k) for piece in one.evidence]
        found[one.id] = min(places, key=lambda place: (order.index(place["state"]), -(place["rank"] or 0)))
    return found


def _unranked(project: Path, ranked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Chunks that share no word with the question: behind all that do."""
    from ftrag.retrieval import store

    seen = set(ranked)
    pairs = [(one.document, one.text) for one in store.chunks(project)]
    return [pair for pair in pairs if pair not in seen]


def failures(
    gold: Sequence[Gold], rows: Rows, causes: Rows, lost: Mapping[Any, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row per failed question and axis, for the clusters: what was asked, what base said, where evidence is."""
    questions = {one.id: one for one in gold}
    said = {row["id"]: row["answer"] for row in rows if row["arm"] == "base"}
    return [
        {
            "id": row["id"],
            "axis": axis,
            "cause": row[axis],
            "question": questions[row["id"]].question,
            "answer": said.get(row["id"], ""),
            "slice": questions[row["id"]].slice,
            **({"evidence": lost[row["id"]]} if axis == "content" and row["id"] in lost else {}),
        }
        for row in causes
        for axis in AXES
        if row.get(axis, "solved") != "solved"
    ]


KEPT = (
    *("content", "behaviour", "why", "scores", "checks", "sources", "judge", "done"),
    *("seconds", "first_token_s", "tokens", "prompt_chars", "alone"),
)


def opened(
    gold: Sequence[Gold], rows: Rows, causes: Rows, lost: Mapping[Any, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One entry per question with every arm's answer, for the page and the report."""
    by_id = {row["id"]: row for row in causes}
    answers: dict[str | int, dict[str, Any]] = {}
    for row in rows:
        kept = {key: row[key] for key in KEPT if key in row}
        answers.setdefault(row["id"], {})[row["arm"]] = {"text": row["answer"], **kept}
    return [
        {
            "id": one.id,
            "question": one.question,
            "expected": list(one.answers),
            "evidence": list(one.evidence),
            "slice": one.slice,
            "cause": {axis: by_id[one.id][axis] for axis in AXES if axis in by_id.get(one.id, {})},
            "retrieved": by_id.get(one.id, {}).get("retrieved"),
            "evidence_place": lost.get(one.id),
            "answers": answers.get(one.id, {}),
        }
        for one in gold
    ]
