"""Accuracy of the capability classifier on labelled sentences, by split.

    python benchmarks/classify.py --split dev --model PATH_TO_MINILM [--show]

Rows: {"capability", "label": one of retrieval, finetuning, both, unclear, "plain": bool, "negated": bool}.
Prints accuracy with a Wilson interval, accuracy on plain rows without negation, and the confusion matrix.
`--show` prints the rows that are wrong; it is refused for the held-out split, which nobody should tune on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from ftrag.decision.classify import TYPES, Embed, classify

DATA = Path(__file__).parent / "data"


def load(split: str) -> list[dict[str, Any]]:
    text = (DATA / f"capabilities.{split}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def embedder(model: str) -> Embed:
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(model, device="cpu")
    return lambda texts: loaded.encode(texts, batch_size=64, show_progress_bar=False)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=["dev", "heldout"], default="dev")
    parser.add_argument("--model", help="folder of all-MiniLM-L6-v2; without it the words alone decide")
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    if args.show and args.split == "heldout":
        parser.error("the held-out rows are not shown")
    rows = load(args.split)
    given = classify([row["capability"] for row in rows], embedder(args.model) if args.model else None)
    pairs = [(row["label"], result["type"]) for row, result in zip(rows, given, strict=True)]
    print(accuracy("all", pairs))
    plain = [pair for pair, row in zip(pairs, rows, strict=True) if row.get("plain") and not row.get("negated")]
    print(accuracy("plain, not negated", plain))
    counts = Counter(pairs)
    print("wanted \\ given " + " ".join(f"{kind:>11}" for kind in TYPES))
    for wanted in TYPES:
        print(f"{wanted:>14} " + " ".join(f"{counts[wanted, kind]:>11}" for kind in TYPES))
    for row, result in zip(rows, given, strict=True):
        if args.show and row["label"] != result["type"]:
            print(f"{row['label']:>11} -> {result['type']:<11} {result['scores']} {row['capability']}")


if __name__ == "__main__":
    main()
