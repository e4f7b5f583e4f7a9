"""How well retrievers find the gold evidence, without a language model: hit rate, MRR and nDCG at k, with significance.

A retriever is compared with the best one on the same questions: sign-flip permutation test of the difference in
reciprocal rank (exact in the limit of all flips), Holm-adjusted over the comparisons of one k.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ftrag.errors import InputError
from ftrag.types import Chunk, Document, Gold, Hit, Retriever

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]  # fraction in [0, 1], message
KS = (1, 3, 5, 10)
FLIPS = 10_000  # random sign vectors; the smallest p is 1 / (FLIPS + 1)


def quiet(fraction: float, message: str) -> None:
    """The progress callback that shows nothing."""


@dataclass(frozen=True)
class Target:
    """What a hit must show: a document, or a place in one."""

    document: str
    start: int = 0  # half-open [start, end); end 0: the document anywhere
    end: int = 0


def quality(
    project: Path,
    gold: Sequence[Gold],
    kinds: Sequence[str] = ("bm25", "dense", "hybrid"),
    ks: Sequence[int] = KS,
    settings: Mapping[str, Any] | None = None,
    report: Progress = quiet,
) -> list[dict[str, Any]]:
    """`measure` on a project's retrievers and documents. InputError if no gold question names findable evidence."""
    from ftrag.retrieval import opening, store
    from ftrag.retrieval.dense import default_encoder

    retrievers = {}
    for place, kind in enumerate(kinds):
        report(0.1 * place / len(kinds), f"opening {kind}")
        retrievers[kind] = opening.open_retriever(project, kind, settings=settings)
    if set(kinds) - {"bm25"}:
        report(0.1, "embedding the questions")
        default_encoder().embed([row.question for row in gold])  # together, and once for dense and hybrid
    return measure(retrievers, store.documents(project), gold, ks, report)


def measure(
    retrievers: Mapping[str, Retriever],
    documents: Sequence[Document],
    gold: Sequence[Gold],
    ks: Sequence[int] = KS,
    report: Progress = quiet,
) -> list[dict[str, Any]]:
    """One row per retriever and k.

    {retriever, k, hit_rate, mrr, ndcg, n, skipped, low, high, best, difference, difference_low, difference_high, p}.
    low and high: 95 % Wilson interval of the hit rate. best: the highest MRR at this k, which the test
    is of too; on a tie the highest nDCG, then the first one.
    difference: mean reciprocal rank of the best minus this one, with a 95 % bootstrap interval; p: Holm-adjusted.
    """
    asked = [(row, targets) for row in gold if (targets := evidence(row, documents))]
    if not asked:
        raise InputError("no gold question names evidence that is in the documents; add document names or passages")
    found = {}
    for place, (name, retriever) in enumerate(retrievers.items()):
        part = 0.8 / len(retrievers)
        found[name] = _gains(retriever, asked, max(ks), report, name, 0.1 + part * place, part)
    report(0.95, "comparing them")
    rows = []
    for k in ks:
        parts = {name: _at(gains, [len(targets) for _, targets in asked], k) for name, gains in found.items()}
        rows += _compared(parts, k, len(asked), sum(bool(row.evidence) for row in gold) - len(asked))
    return rows


def evidence(row: Gold, documents: Sequence[Document]) -> list[Target]:
    """Where a question's evidence stands; an entry that is nowhere in the documents gives nothing."""
    names = {document.name for document in documents}
    targets: list[Target] = []
    for entry in row.evidence:
        if entry in names:
            targets.append(Target(entry))
        elif entry.strip():
            targets += next(([place] for document in documents if (place := _place(entry, document))), [])
    return targets


def _place(passage: str, document: Document) -> Target | None:
    """The passage's first place in a document, whatever its white space."""
    start = document.text.find(passage.strip())
    if start >= 0:
        return Target(document.name, start, start + len(passage.strip()))
    loose = re.search(r"\s+".join(map(re.escape, passage.split())), document.text)
    return Target(document.name, *loose.span()) if loose else None


def shows(chunk: Chunk, target: Target) -> bool:
    """Whether a chunk shows a target: of that document, and with half of the passage, or half of itself inside it."""
    if chunk.document != target.document:
        return False
    if not target.end:
        return True
    common = min(chunk.end, target.end) - max(chunk.start, target.start)
    return 2 * common >= min(target.end - target.start, chunk.end - chunk.start)


def _gains(
    retriever: Retriever,
    asked: Sequence[tuple[Gold, list[Target]]],
    k: int,
    report: Progress = quiet,
    name: str = "",
    start: float = 0.0,
    share: float = 1.0,
) -> Floats:
    """(questions, k): how many targets each hit is the first to show. Of the whole, it is `share` from `start` on."""
    gains = np.zeros((len(asked), k))
    for row, (question, targets) in enumerate(asked):
        report(start + share * row / len(asked), f"{name}: {row} of {len(asked)} questions")
        gains[row] = hit_gains(retriever.search(question.question, k), targets, k)
    return gains


def hit_gains(hits: Sequence[Hit], targets: Sequence[Target], k: int) -> Floats:
    """How many targets each of the first k hits is the first to show."""
    gains, left = np.zeros(k), list(targets)
    for place, hit in enumerate(hits[:k]):
        shown = [target for target in left if shows(hit.chunk, target)]
        gains[place] = len(shown)
        left = [target for target in left if target not in shown]
    return gains


def _at(gains: Floats, totals: Sequence[int], k: int) -> dict[str, Floats]:
    """Per question: found in the first k (0 or 1), reciprocal rank of the first found, nDCG with gain 1 per target."""
    relevant = gains[:, :k] > 0
    first = np.where(relevant.any(axis=1), 1 / (relevant.argmax(axis=1) + 1), 0.0)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.array([discounts[: min(k, total)].sum() for total in totals])
    # One chunk may show several targets at once and so do better than one target per rank: the ratio stops at 1.
    reached = np.minimum(1.0, (gains[:, :k] * discounts).sum(axis=1) / ideal)
    return {"hit_rate": relevant.any(axis=1).astype(float), "mrr": first, "ndcg": reached}


def _compared(parts: Mapping[str, Mapping[str, Floats]], k: int, n: int, skipped: int) -> list[dict[str, Any]]:
    best = max(parts, key=lambda name: [round(float(parts[name][key].mean()), 12) for key in ("mrr", "ndcg")])
    others = [name for name in parts if name != best]
    raw = {name: sign_flip(parts[best]["mrr"] - parts[name]["mrr"]) for name in others}
    adjusted = holm(raw)
    rows = []
    for name, part in parts.items():
        low, high = wilson(float(part["hit_rate"].sum()), n)
        row = {"retriever": name, "k": k, **{key: float(values.mean()) for key, values in part.items()}}
        row |= {"n": n, "skipped": skipped, "low": low, "high": high, "best": name == best}
        gap = parts[best]["mrr"] - part["mrr"]
        bounds = bootstrap(gap) if name != best else (0.0, 0.0)
        row |= {"difference": float(gap.mean()), "difference_low": bounds[0], "difference_high": bounds[1]}
        rows.append(row | {"p": adjusted.get(name)})
    return rows


def wilson(right: float, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z = 1.959964
    share, room = right / n, z * z / n
    middle = (share + room / 2) / (1 + room)
    half = z / (1 + room) * math.sqrt(share * (1 - share) / n + room / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def sign_flip(differences: Floats, seed: int = 0) -> float:
    """Two-sided p of paired differences being symmetric about 0 (Fisher's randomisation test), ties left out."""
    moved = differences[np.abs(differences) > 1e-12]
    if not len(moved):
        return 1.0
    signs = np.random.default_rng(seed).choice(np.array([-1.0, 1.0]), size=(FLIPS, len(moved)))
    extreme = np.abs(signs @ moved) >= abs(moved.sum()) - 1e-9
    return float((extreme.sum() + 1) / (FLIPS + 1))


def bootstrap(differences: Floats, seed: int = 0, draws: int = 2_000) -> tuple[float, float]:
    """95 % percentile interval of the mean over resampled questions."""
    rng = np.random.default_rng(seed)
    means = differences[rng.integers(0, len(differences), (draws, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment of p values."""
    adjusted: dict[str, float] = {}
    least = 0.0
    for place, (name, value) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        least = max(least, min(1.0, value * (len(values) - place)))
        adjusted[name] = least
    return adjusted
