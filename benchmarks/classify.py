"""Fit the capability classifier, and its accuracy on labelled sentences.

    python benchmarks/classify.py --cv                 accuracy with whole trades left out, for each way that was tried
    python benchmarks/classify.py --fit                write ftrag/decision/weights.json from development() below
    python benchmarks/classify.py --split heldout2     accuracy on trades that took no part in anything (also: heldout)
    python benchmarks/classify.py --split dev --show   also the rows that are wrong; refused for the held-out trades

Rows: {"capability", "type": one of retrieval, finetuning, both, unclear, "trade", "plain": bool, "negated": bool}.
Prints accuracy with a Wilson interval, accuracy on plain rows without negation, and the confusion matrix.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from ftrag import models
from ftrag.decision import weights
from ftrag.decision.classify import TYPES, classify, type_of
from ftrag.decision.indicators import read
from ftrag.decision.prototypes import prototypes

DATA = Path(__file__).parent / "data"
DEVELOPMENT = ("dev", "dev2", "dev3", "dev4", "dev5")
HELD_OUT = ("heldout", "heldout2")  # heldout: half of its trades occur, with other sentences, among dev2's
FOLDS = 8
WAYS = ("embeddings", "words", "words + embeddings")  # of --cv
STRENGTH = {"words": 6.0, "full": 6.0}  # scikit-learn's C


def load(split: str) -> list[dict[str, Any]]:
    text = (DATA / f"capabilities.{split}.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [{**row, "type": row.get("type", row.get("label"))} for row in rows]


def development() -> list[dict[str, Any]]:
    """The development splits, less the trades that are held out, and the prototypes, whose trade is empty."""
    held = {row["trade"] for split in HELD_OUT for row in load(split)}
    described = [{"capability": text, "type": kind, "trade": ""} for text, kind in prototypes()]
    rows = (row for split in DEVELOPMENT for row in load(split))
    return [*(row for row in rows if row["trade"] not in held), *described]


def idf_of(texts: Sequence[str]) -> dict[str, tuple[int, float]]:
    """Smoothed inverse document frequency of the terms that occur in two texts or more."""
    found = Counter(term for text in texts for term in set(weights.counts(text)))
    kept = sorted(term for term, count in found.items() if count > 1)
    return {term: (i, math.log((1 + len(texts)) / (1 + found[term])) + 1) for i, term in enumerate(kept)}


def vectors(rows: Sequence[dict[str, Any]]) -> tuple[Any, Any]:
    """Embeddings of the sentences and of what negations leave of them."""
    embed = models.embedder()
    texts = [row["capability"] for row in rows]
    return embed(texts), embed([read(text).text or text for text in texts])


def fit(columns: Any, rows: Sequence[dict[str, Any]], strength: float) -> tuple[Any, Any]:
    """(columns, classes) slopes and (classes,) constants of a multinomial logistic regression, in KINDS' order."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    wanted = [list(weights.KINDS).index(row["type"]) for row in rows]
    made = LogisticRegression(C=strength, max_iter=3000).fit(csr_matrix(columns), wanted)
    return made.coef_.T, made.intercept_


def cross_validate(way: str, rows: list[dict[str, Any]], embedded: tuple[Any, Any]) -> list[tuple[dict[str, Any], str]]:
    """(row, given type) of every row of a trade, by a model that saw no sentence of the trade."""
    trades = sorted({row["trade"] for row in rows} - {""})
    readings = [read(row["capability"]) for row in rows]
    given = []
    for fold in range(FOLDS):
        left = set(trades[fold::FOLDS])
        test = [i for i, row in enumerate(rows) if row["trade"] in left]
        train = [i for i, row in enumerate(rows) if row["trade"] not in left]
        idf = idf_of([readings[i].text for i in train])
        blocks = {"words": [weights.word_columns(readings, idf)], "embeddings": list(embedded)}
        x = np.hstack([block for name in way.split(" + ") for block in blocks[name]])
        slope, constant = fit(x[train], [rows[i] for i in train], STRENGTH["full"])
        odds = np.exp(x[test] @ slope + constant)
        chances = odds @ np.array(list(weights.KINDS.values())) / odds.sum(axis=1, keepdims=True)
        given += [
            (rows[i], type_of({"facts": f, "behaviour": b}) if readings[i].text else "unclear")
            for i, (f, b) in zip(test, chances, strict=True)
        ]
    return given


def write(rows: list[dict[str, Any]], embedded: tuple[Any, Any]) -> None:
    """Fit on everything that is not held out and write the file that is shipped."""
    readings = [read(row["capability"]) for row in rows]
    idf = idf_of([reading.text for reading in readings])
    words = weights.word_columns(readings, idf)
    stored: dict[str, Any] = {"idf": {term: round(value, 4) for term, (_, value) in idf.items()}}
    for name, columns in (("words", words), ("full", np.hstack([words, *embedded]))):
        slope, constant = fit(columns, rows, STRENGTH[name])
        stored[name] = {"slope": np.round(slope.T, 4).tolist(), "constant": np.round(constant, 4).tolist()}
    weights.FILE.write_text(json.dumps(stored, separators=(",", ":")) + "\n", "utf-8")
    print(f"{weights.FILE.name}: {len(rows)} sentences, {len(idf)} terms, {weights.FILE.stat().st_size:,} bytes")


def interval(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion."""
    z, p = 1.96, right / n
    centre, half = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def accuracy(name: str, pairs: Iterable[tuple[str, str]]) -> str:
    rows = list(pairs)
    if not rows:
        return f"{name}: no rows"
    right = sum(wanted == given for wanted, given in rows)
    low, high = interval(right, len(rows))
    return f"{name}: {right}/{len(rows)} = {right / len(rows):.3f} (95 % interval {low:.3f} to {high:.3f})"


def show(found: Sequence[tuple[dict[str, Any], str]]) -> None:
    pairs = [(row["type"], given) for row, given in found]
    print(accuracy("all", pairs))
    plain = [(row["type"], given) for row, given in found if row.get("plain") and not row.get("negated")]
    print(accuracy("plain, not negated", plain))
    print(accuracy("negated", [(row["type"], given) for row, given in found if row.get("negated")]))
    counts = Counter(pairs)
    print("wanted \\ given " + " ".join(f"{kind:>11}" for kind in TYPES))
    for wanted in TYPES:
        print(f"{wanted:>14} " + " ".join(f"{counts[wanted, kind]:>11}" for kind in TYPES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=[*DEVELOPMENT, *HELD_OUT])
    parser.add_argument("--words", action="store_true", help="without the embedding model")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--cv", action="store_true")
    parser.add_argument("--fit", action="store_true")
    args = parser.parse_args()
    if args.show and args.split in HELD_OUT:
        parser.error("the held-out rows are not shown")
    if args.fit or args.cv:
        rows = development()
        embedded = vectors(rows)
        if args.fit:
            write(rows, embedded)
        for way in WAYS if args.cv else ():
            print(f"\n{way}")
            found = cross_validate(way, rows, embedded)
            show(found)
            for split in DEVELOPMENT:
                trades = {row["trade"] for row in load(split)}
                print(accuracy(split, [(row["type"], given) for row, given in found if row["trade"] in trades]))
    if args.split:
        rows = load(args.split)
        results = classify([row["capability"] for row in rows], None if args.words else models.embedder())
        show([(row, result["type"]) for row, result in zip(rows, results, strict=True)])
        for row, result in zip(rows, results, strict=True):
            if args.show and row["type"] != result["type"]:
                print(f"{row['type']:>11} -> {result['type']:<11} {result['scores']} {row['capability']}")


if __name__ == "__main__":
    main()
