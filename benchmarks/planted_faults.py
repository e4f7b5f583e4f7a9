"""Faults planted in the example project, one per question, against the causes that are found.

python benchmarks/planted_faults.py [--real [--adapter FOLDER] [--per-fault 5] [--faults cut,…] [--arms base,base+rag,…]
                                     [--rows FILE]]

The documents that hold gold answers get one fault each, and so do all their questions: none, deleted, cut (a chunk
border inside the fact), format (a form that only training brings), unreadable (a fact that only the trained model
reads out), wrong gold. Retrieval, prompts, scores and attribution are the product's; the model follows a script, or
is the built-in one with --real: there "format" is the form that the example's adapter was trained on, and "unreadable",
which nobody can plant in a model, stands beside the count and not in it. --rows writes every answer with its verdicts,
so that a reader can tell what the model did from what the attribution made of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ftrag.chunking import chunk
from ftrag.documents import extract
from ftrag.evaluation.arms import ARMS
from ftrag.evaluation.attribution import attribute
from ftrag.evaluation.consensus import arms_agree_against_gold
from ftrag.evaluation.gold import read_gold
from ftrag.evaluation.plan import pick_few_shot
from ftrag.evaluation.runner import run
from ftrag.llm import ScriptedLLM
from ftrag.prompts import split_context
from ftrag.retrieval.bm25 import BM25
from ftrag.retrieval.terms import terms
from ftrag.training.examples import read_examples
from ftrag.types import Chunk, Document, Generation, Gold, Hit, LanguageModel, Prompt, Verdict

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "support"
FAULTS = ("none", "deleted", "cut", "format", "unreadable", "wrong gold")
FORM = "Answer: "
CHECK = ({"kind": "starts_with", "value": FORM},)
# planted -> (axis, cause with a trained arm, cause without one)
EXPECTED = {
    "none": ("content", "retrieval fixes", "retrieval fixes"),
    "deleted": ("content", "retrieval bound", "retrieval bound"),
    "cut": ("content", "retrieval bound", "retrieval bound"),
    "format": ("behaviour", "behaviour", "unresolved"),
    "unreadable": ("content", "reading", "unresolved"),
    "wrong gold": ("content", "unresolved", "unresolved"),
}
SECONDS = 1800.0  # for a batch: an answer that a busy machine cuts off has no verdict, and changes the cause
TRAINED = tuple(ARMS)
UNTRAINED = tuple(arm for arm in ARMS if not ARMS[arm].adapter)


@dataclass(frozen=True)
class Planted:
    gold: list[Gold]
    fault: dict[str | int, str]
    documents: list[Document]
    chunks: list[Chunk]


class Index:
    """BM25 over chunks at hand."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.chunks: dict[str, list[Chunk]] = {}
        for one in chunks:
            self.chunks.setdefault(one.document, []).append(one)
        self.index = BM25.build([(name, [terms(c.text) for c in held]) for name, held in self.chunks.items()])

    def search(self, query: str, k: int) -> list[Hit]:
        rows = self.index.search(terms(query), k)
        return [Hit(self.chunks[row.document][row.chunk], row.score, rank) for rank, row in enumerate(rows, start=1)]


def plant(size_tokens: int = 256, form: Sequence[Mapping[str, Any]] = CHECK) -> Planted:
    """The example project with its faults, the same ones each time. form: the checks that only training meets."""
    rows, _ = read_gold(EXAMPLE / "gold.jsonl")
    documents = [document for path in sorted((EXAMPLE / "documents").iterdir()) for document in extract(path)]
    home = {row.id: next((d.name for d in documents if row.evidence and row.evidence[0] in d.text), "") for row in rows}
    rows = [row for row in rows if home[row.id]]
    names = sorted(set(home.values()) - {""})
    fault_of = {name: FAULTS[place % len(FAULTS)] for place, name in enumerate(names)}
    fault = {row.id: fault_of[home[row.id]] for row in rows}
    kept = [d for d in documents if fault_of.get(d.name) != "deleted"]
    chunks = [piece for d in kept for piece in _cut(d, rows, size_tokens, fault_of.get(d.name) == "cut")]
    return Planted([_with_fault(row, fault[row.id], form) for row in rows], fault, kept, chunks)


def few(planted: Planted, count: int, faults: Sequence[str] = FAULTS) -> Planted:
    """The first so many questions of each fault; documents and chunks stay."""
    kept = {id_ for fault in faults for id_ in [id_ for id_, own in planted.fault.items() if own == fault][:count]}
    return replace(planted, gold=[row for row in planted.gold if row.id in kept])


def _with_fault(row: Gold, fault: str, form: Sequence[Mapping[str, Any]]) -> Gold:
    row = replace(row, checks=tuple(form) if fault == "format" else ())
    return replace(row, answers=("a thousand and one tortoises",)) if fault == "wrong gold" else row


def _cut(document: Document, rows: Sequence[Gold], size_tokens: int, through: bool) -> list[Chunk]:
    """The document's chunks; with `through`, a border stands inside every answer, so that no chunk holds it whole."""
    if not through:
        return chunk(document, size_tokens=size_tokens)
    borders = {0, len(document.text)}
    for row in rows:
        at = document.text.find(row.evidence[0])
        if at >= 0:
            inside = row.evidence[0].casefold().find(row.answers[0].casefold())
            middle = inside + len(row.answers[0]) // 2
            borders.add(at + (middle if inside >= 0 else len(row.evidence[0]) // 2))
    ends = sorted(borders)
    return [
        Chunk(document.name, place, document.text[start:end], start, end)
        for place, (start, end) in enumerate(zip(ends, ends[1:], strict=False))
    ]


def scripted(planted: Planted) -> ScriptedLLM:
    """Reads a fact that stands whole in a passage, unless it is unreadable and no adapter is on; else it guesses."""
    by_question = {row.question: row for row in planted.gold}

    def script(prompt: Prompt) -> str:
        passages, question = split_context(prompt.messages[-1]["content"])
        row = by_question[question.strip()]
        fact = row.evidence[0] if any(row.evidence[0] in passage for passage in passages) else ""
        if planted.fault[row.id] == "unreadable" and not prompt.adapter:
            fact = ""
        said = fact or "I believe it is the usual one."
        return FORM + said if prompt.adapter else said

    return ScriptedLLM(script)


def measure(
    planted: Planted,
    llm: LanguageModel,
    arms: Sequence[str],
    adapter: str | None = "planted",
    faults: Sequence[str] = FAULTS,
) -> dict[str, Any]:
    """{matrix: {planted: {found: n}}, right, n, flagged: {planted: n}, retrieved: {planted: [found, asked]}, rows}.

    faults: those that count; the others stand in the matrix alone.
    """
    examples, _, _ = read_examples(EXAMPLE / "examples.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        rows = list(
            run(
                Path(folder),
                planted.gold,
                arms,
                llm,
                Index(planted.chunks),
                adapter=adapter,
                oracle=lambda row: list(row.evidence),
                few_shot=pick_few_shot(examples),
                settings=Generation(seconds=SECONDS),
                on_progress=lambda fraction, message: print(f"\r{message}   ", end="", file=sys.stderr),
            )
        )
    found = attribute([Verdict(row["id"], row["arm"], row["content"], row["behaviour"]) for row in rows])["rows"]
    matrix: dict[str, Counter[str]] = {fault: Counter() for fault in FAULTS}
    for row in found:
        fault = planted.fault[row["id"]]
        matrix[fault][row.get(EXPECTED[fault][0], "no verdict")] += 1
    column = 1 if any(ARMS[arm].adapter for arm in arms) else 2
    flagged = Counter(planted.fault[id_] for id_ in arms_agree_against_gold(rows))
    retrieved = {
        fault: [row["retrieved"] for row in rows if row["arm"] == "base+rag" and planted.fault[row["id"]] == fault]
        for fault in FAULTS
    }
    return {
        "matrix": {fault: dict(counts) for fault, counts in matrix.items()},
        "right": sum(matrix[fault][str(EXPECTED[fault][column])] for fault in faults),
        "n": sum(matrix[fault].total() for fault in faults),
        "flagged": {fault: flagged[fault] for fault in FAULTS},
        "retrieved": {fault: [sum(map(bool, seen)), len(seen)] for fault, seen in retrieved.items()},
        "rows": _evidence(planted, found, rows),
    }


def _evidence(
    planted: Planted, found: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Per question what was planted, what was found, and every arm's answer with its verdicts."""
    said: dict[str | int, dict[str, Any]] = {}
    for row in rows:
        kept = ("answer", "content", "behaviour", "retrieved", "why")
        said.setdefault(row["id"], {})[row["arm"]] = {key: row[key] for key in kept}
    asked = {row.id: row for row in planted.gold}
    return [
        {
            "id": row["id"],
            "planted": planted.fault[row["id"]],
            "found": row.get(EXPECTED[planted.fault[row["id"]]][0]),
            "question": asked[row["id"]].question,
            "gold": asked[row["id"]].answers,
            "arms": said[row["id"]],
        }
        for row in found
    ]


def show(title: str, result: dict[str, Any]) -> None:
    print(f"\n{title}: {result['right']} of {result['n']} as planted ({result['right'] / result['n']:.2f})")
    for fault, counts in result["matrix"].items():
        named = ", ".join(f"{cause} {n}" for cause, n in sorted(counts.items(), key=lambda item: -item[1]))
        found, asked = result["retrieved"][fault]
        print(f"  {fault:11s} {named:60s} evidence found {found}/{asked}, arms against gold {result['flagged'][fault]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--real", action="store_true", help="with the built-in model")
    parser.add_argument("--adapter", type=Path, help="a LoRA's folder, for the arms that need one")
    parser.add_argument("--per-fault", type=int, help="only so many questions of each fault, to save time")
    parser.add_argument("--faults", help="comma-separated; default: all")
    parser.add_argument("--arms", help="comma-separated; default: all that can run")
    parser.add_argument("--rows", type=Path, help="with --real: a file for every answer, as JSON lines")
    options = parser.parse_args()
    own = json.loads((EXAMPLE / "project.json").read_text())["checks"]
    planted = plant(form=own if options.real else CHECK)
    asked = options.faults.split(",") if options.faults else list(FAULTS)
    if options.per_fault or options.faults:
        planted = few(planted, options.per_fault or len(planted.gold), asked)
    if not options.real:
        show("scripted, with a trained arm", measure(planted, scripted(planted), TRAINED))
        show("scripted, without one", measure(planted, scripted(planted), UNTRAINED, adapter=None))
        return
    from ftrag import models
    from ftrag.llm import LocalModel

    llm = LocalModel(models.load())
    if options.adapter:
        llm.add_adapter("planted", options.adapter)
    arms = TRAINED if options.adapter else UNTRAINED
    arms = tuple(options.arms.split(",")) if options.arms else arms
    faults = [fault for fault in FAULTS if fault != "unreadable"]
    result = measure(planted, llm, arms, "planted" if options.adapter else None, faults)
    show("built-in model", result)
    if options.rows:
        options.rows.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in result["rows"]))


if __name__ == "__main__":
    main()
