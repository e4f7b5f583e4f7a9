"""Which questions are worth looking up: retrieval or not, per question, by rules that learn from no gold row.

The seed's intelligent router (001, pattern 1) sends facts to retrieval and writing to the tuned model. Here a passage
has to earn its place too: the share of the question's telling words that the best passages hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrag.errors import InputError
from ftrag.types import Hit, Retriever

LEAST_COVERAGE = (
    0.2  # chosen on the examples' training prompts, most of which reach it; small talk does not, or is told
)
PASSAGES = 3  # that are looked at, as many as are usually read
PAIRS = (("base", "base+rag"), ("lora", "lora+rag"), ("prompt", "prompt+rag"))

# What needs no document, with the reason that the page prints. A long text is never small talk.
SMALL_TALK = re.compile(
    r"^\W*(hi|hello|hey|thanks|thank you|good (morning|afternoon|evening|bye)|bye|ok(ay)?|great)\b", re.I
)
WRITING = re.compile(
    r"^\W*(please )?(can you |could you )?"
    r"(write|draft|compose|rewrite|rephrase|reword|translate|tell me a (joke|story)|shorten|proofread|brainstorm)\b",
    re.I,
)
SHORT_WORDS = 8  # a greeting before a real question does not make the question small talk


@dataclass(frozen=True)
class Route:
    context: str  # "retrieved" or "none"
    coverage: float  # [0, 1]
    document: str | None  # of the best passage
    why: str


def route(question: str, retriever: Retriever, k: int = PASSAGES) -> Route:
    """Retrieval or not for one question. Deterministic; the same for every model."""
    hits = retriever.search(question, k)
    share = coverage(question, hits, retriever)
    document = hits[0].chunk.document if hits else None
    if SMALL_TALK.match(question) and len(question.split()) <= SHORT_WORDS:
        return Route("none", share, document, "small talk, which no document answers")
    if WRITING.match(question) and share < 0.6:
        return Route("none", share, document, "asks to write, and the documents say little about it")
    if not hits:
        return Route("none", 0.0, None, "no passage shares a word with it")
    said = f"the best passages hold {share:.0%} of its telling words"
    if share < LEAST_COVERAGE:
        return Route("none", share, document, f"{said}, less than {LEAST_COVERAGE:.0%}")
    return Route("retrieved", share, document, said)


def coverage(question: str, hits: Sequence[Hit], retriever: Retriever) -> float:
    """Share of the question's terms, weighted by their rarity, that the hits hold together, in [0, 1].

    Without a lexical index to weigh them, every term counts the same.
    """
    from ftrag.retrieval.lexical import BM25Retriever, index_terms
    from ftrag.retrieval.settings import Settings

    lexical = retriever if isinstance(retriever, BM25Retriever) else None
    settings = lexical.settings if lexical else Settings()
    asked = set(index_terms(question, settings))
    if lexical and settings.correct_spelling:
        asked = set(lexical.index.corrected(sorted(asked)))
    held = {term for hit in hits for term in index_terms(hit.chunk.text, settings)}
    weight = {term: lexical.index.idf(term) if lexical else 1.0 for term in asked}
    total = sum(weight.values())
    return sum(weight[term] for term in asked & held) / total if total else 0.0


def routed(project: Path, question: str) -> dict[str, Any]:
    """The route of one question over a project's documents, as plain values."""
    from ftrag import workflows

    found = route(workflows.checked_question(question), workflows.retriever(project))
    return {"context": found.context, "coverage": found.coverage, "document": found.document, "why": found.why}


def agreement(run: Mapping[str, Any], retriever: Retriever) -> dict[str, Any]:
    """How often the router picks the better arm on a run's questions.

    {threshold, n, retrieved, pairs: [{without, with, axis, decided, agreed, agreement, low, high, routed, always,
    never}]}. Decided: questions that one of the two arms gets right and the other wrong; on the rest either choice is
    as good. routed, always, never: share of right answers with the router, with retrieval for all, for none.
    """
    picks = {row["id"]: route(row["question"], retriever).context for row in run["rows"]}
    pairs = [_pair(run, picks, *arms) for arms in PAIRS if set(arms) <= set(run["arms"])]
    if not pairs:
        raise InputError("the run has no arm both with and without retrieval; evaluate base and base+rag")
    retrieved = sum(context == "retrieved" for context in picks.values())
    return {"threshold": LEAST_COVERAGE, "n": len(picks), "retrieved": retrieved, "pairs": pairs}


def _pair(run: Mapping[str, Any], picks: Mapping[Any, str], without: str, with_: str) -> dict[str, Any]:
    from ftrag.evaluation.stats import wilson

    axis = run["decision"]["axis"]
    rows = []
    for row in run["rows"]:
        sides = [_right(row["answers"].get(arm), axis) for arm in (without, with_)]
        if None not in sides:
            rows.append((picks[row["id"]] == "retrieved", *sides))
    decided = [row for row in rows if row[1] != row[2]]
    agreed = sum(picked == right for picked, _, right in decided)
    low, high = wilson(agreed, len(decided)) if decided else (None, None)
    share = {
        "routed": [right if picked else bare for picked, bare, right in rows],
        "always": [right for _, _, right in rows],
        "never": [bare for _, bare, _ in rows],
    }
    return {
        "without": without,
        "with": with_,
        "axis": axis,
        "decided": len(decided),
        "agreed": agreed,
        "agreement": agreed / len(decided) if decided else None,
        "low": low,
        "high": high,
    } | {name: sum(map(bool, values)) / len(values) if values else None for name, values in share.items()}


def _right(answer: Mapping[str, Any] | None, axis: str) -> bool | None:
    """An answer's verdict on an axis; None where it has none."""
    if answer is None:
        return None
    if axis != "both":
        value: bool | None = answer[axis]
        return value
    both = answer["content"], answer["behaviour"]
    return None if None in both else all(both)


def report(project: Path, run: str | None = None) -> dict[str, Any]:
    """The router's agreement on a run of the project, the newest by default."""
    from ftrag import records, workflows

    known = [one["id"] for one in records.listing(project)]
    if not known:
        raise InputError(f"{project.name} has no evaluation to compare with; evaluate it first")
    chosen = run or known[0]
    return {"run": chosen} | agreement(records.load_run(project, chosen), workflows.retriever(project))


def sentence(found: Mapping[str, Any]) -> str:
    """The agreement in words, for the page: the tuned pair where it was run."""
    pair = next((one for one in found["pairs"] if one["without"] == "lora"), found["pairs"][0])
    asked = f"The router looks up {found['retrieved']} of {found['n']} gold questions"
    shares = f"right answers: routed {pair['routed']:.0%}, always {pair['always']:.0%}, never {pair['never']:.0%}"
    if not pair["decided"]:
        return f"{asked}. {pair['without']} and {pair['with']} are right on the same ones ({shares})."
    return (
        f"{asked} and picks the better of {pair['without']} and {pair['with']} in {pair['agreed']} of the "
        f"{pair['decided']} where they differ ({pair['low']:.0%} to {pair['high']:.0%}); {shares}."
    )
