"""Retrievers on questions with a gold paragraph, through a project as a user makes it: python benchmarks/retrieval.py

Data: a file in SQuAD's layout, by default the XQuAD half in $FTRAG_SHARED/data. Every paragraph is a document.
Prints, for each retriever and fusion, how often the gold paragraph is first and among the first three, and the paired
difference of hybrid to the better of its parts. Settings are the defaults, or named in the table. Two of the defaults,
the chunk size and the list of stop words, were chosen with a look at this half, so its figures flatter them a little;
--data takes another file in the same layout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ftrag.retrieval import opening, quality, store
from ftrag.types import Gold

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("FTRAG_SHARED", "../shared"))
VARIANTS: dict[str, tuple[str, dict[str, object]]] = {
    "bm25": ("bm25", {}),
    "dense": ("dense", {}),
    "hybrid": ("hybrid", {}),
    "hybrid, by rank": ("hybrid", {"fusion": "ranks"}),
    "bm25, expanded": ("bm25", {"expand_terms": 5}),
}


def squad(file: Path) -> tuple[dict[str, str], list[Gold]]:
    """Document name -> paragraph, and the questions with the name of theirs as evidence."""
    texts: dict[str, str] = {}
    gold = []
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            name = f"{len(texts):04}.txt"
            texts[name] = paragraph["context"]
            gold += [Gold(row["id"], row["question"], evidence=(name,)) for row in paragraph["qas"]]
    return texts, gold


def build(texts: dict[str, str], folder: Path, settings: dict[str, object], model: str) -> Path:
    project = folder / "project"
    (project / "documents").mkdir(parents=True)
    (project / "project.json").write_text(json.dumps({"name": "benchmark", "settings": settings, "model": model}))
    for name, text in texts.items():
        (project / "documents" / name).write_text(text, encoding="utf-8")
    return project


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=(ROOT / SHARED).resolve() / "data" / "xquad.en.dev.json")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON object over the defaults")
    parser.add_argument("--model", default="", help="count tokens as this model does, not by an estimate")
    parser.add_argument("--without-models", action="store_true", help="BM25 alone")
    options = parser.parse_args()
    if not options.data.is_file():
        print(f"skipped: there is no {options.data.name}; set FTRAG_SHARED or give --data")
        return 0
    texts, gold = squad(options.data)
    with tempfile.TemporaryDirectory() as folder:
        project = build(texts, Path(folder), options.settings, options.model)
        print(f"{len(texts)} paragraphs, {len(gold)} questions, {store.refresh(project)}")
        run(project, gold, [n for n, (kind, _) in VARIANTS.items() if kind == "bm25" or not options.without_models])
    return 0


def run(project: Path, gold: list[Gold], names: list[str]) -> None:
    first: dict[str, np.ndarray] = {}
    print(f"{'retriever':18} {'first':>7} {'in 3':>7} {'in 3 documents':>15} {'mrr@10':>7} {'ms/query':>9}")
    for name in names:
        kind, settings = VARIANTS[name]
        opened = opening.open_retriever(project, kind, settings=settings)
        opened.search("warm up", 1)
        start = time.perf_counter()
        hits = [[hit.chunk.document for hit in opened.search(row.question, 10)] for row in gold]
        spent = 1000 * (time.perf_counter() - start) / len(gold)
        chunks = np.array([place(found, row.evidence[0]) for found, row in zip(hits, gold, strict=True)])
        whole = np.array(
            [place(list(dict.fromkeys(found)), row.evidence[0]) for found, row in zip(hits, gold, strict=True)]
        )
        first[name] = (chunks == 1).astype(float)
        print(
            f"{name:18} {first[name].mean():7.4f} {(chunks <= 3).mean():7.4f} {(whole <= 3).mean():15.4f} "
            f"{(1 / chunks).mean():7.4f} {spent:9.2f}"
        )
    for name in [name for name in names if name.startswith("hybrid")]:
        better = max(("bm25", "dense"), key=lambda part: first[part].mean())
        gap = first[name] - first[better]
        low, high = quality.bootstrap(gap)
        print(
            f"{name} minus {better}, gold first: {gap.mean():+.4f} [{low:+.4f}, {high:+.4f}], "
            f"{int((gap > 0).sum())} wins, {int((gap < 0).sum())} losses, p = {quality.sign_flip(gap):.4f}"
        )


def place(found: list[str], wanted: str) -> float:
    """Rank of the wanted document, from 1; infinite if it is not there."""
    return found.index(wanted) + 1 if wanted in found else np.inf


if __name__ == "__main__":
    sys.exit(main())
