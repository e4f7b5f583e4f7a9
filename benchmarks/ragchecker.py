"""Does the content scorer see what people see? RAGChecker's human preferences, answer against answer.

python benchmarks/ragchecker.py [FILE] [--embed]

Each pair of answers to one question was compared by two people, from -2 to 2; their labels are averaged and a pair is
never split. A scorer's prediction is its score of the second answer minus that of the first. Printed are Pearson's and
Spearman's correlation with people, Pearson's within each left-out domain, and the gain over token F1 without stop
words with its 95 % interval over pairs drawn with replacement. The product's scorer has no fitted weight; as a check
the last row fits non-negative weights of its parts on the other domains only and predicts the domain left out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ftrag.evaluation.metrics import (
    STOP_WORDS,
    agreement,
    completeness,
    new_content_f1,
    sentence_f1,
    token_f1,
)
from ftrag.evaluation.values import values

ROOT = Path(__file__).resolve().parent.parent
Scorer = Callable[[str, str, str], float]  # answer, reference, question -> score
SHARED = ROOT / os.environ.get("FTRAG_SHARED", "../shared") / "data" / "ragchecker_human_labels.dev.jsonl"
DRAWS = 10_000
PEOPLE, JUDGE, PUBLISHED = 0.70, 0.62, 0.53  # over all 280 pairs, as published: people, a 70B judge, token F1


def read(path: Path) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
    """Pairs, their mean overall preference and their domain."""
    pairs: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        pairs.setdefault((row["dataset"], str(row["instance_id"]), row["response1"], row["response2"]), []).append(row)
    rows = [group[0] for group in pairs.values()]
    preference = np.array([np.mean([row["overall_label"] for row in group]) for group in pairs.values()])
    return rows, preference, np.array([row["dataset"] for row in rows])


def value_recall(answer: str, reference: str, question: str) -> float:
    """Share of the reference's values that the answer says; a half where the reference has none."""
    said = {reading for atom in values(answer) for reading in atom.readings}
    wanted = values(reference)
    return sum(bool(atom.readings & said) for atom in wanted) / len(wanted) if wanted else 0.5


def point_recall(answer: str, reference: str, question: str) -> float:
    score = completeness(answer, reference).value
    return 0.0 if score is None else score


def ladder(embed: Any) -> dict[str, Scorer]:
    """From token F1 to the product's scorer, and what else was tried."""
    rows: dict[str, Scorer] = {
        "token F1": lambda a, r, q: token_f1(a, r),
        "token F1, no stop words": lambda a, r, q: token_f1(a, r, STOP_WORDS),
        "new content F1": new_content_f1,
        "agreement (both; the product's)": agreement,
        "agreement + values": lambda a, r, q: agreement(a, r, q) + 0.2 * value_recall(a, r, q),
        "agreement + key points": lambda a, r, q: agreement(a, r, q) + 0.2 * point_recall(a, r, q),
    }
    if embed:
        rows["sentence F1 by embeddings"] = lambda a, r, q: sentence_f1(a, r, embed)
        rows["agreement with embeddings"] = lambda a, r, q: agreement(a, r, q, embed)
    return rows


def differences(scorer: Scorer, rows: list[dict[str, Any]]) -> np.ndarray:
    return np.array(
        [
            scorer(row["response2"], row["gt_answer"], row["query"])
            - scorer(row["response1"], row["gt_answer"], row["query"])
            for row in rows
        ]
    )


def pearson(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    one, other = one - one.mean(-1, keepdims=True), other - other.mean(-1, keepdims=True)
    return (one * other).sum(-1) / np.sqrt((one**2).sum(-1) * (other**2).sum(-1))


def left_out(parts: list[np.ndarray], preference: np.ndarray, domains: np.ndarray) -> np.ndarray:
    """Each domain predicted by non-negative weights fitted on the others."""
    from scipy.optimize import nnls

    features = np.stack(parts, axis=1)
    predicted = np.zeros(len(preference))
    for domain in np.unique(domains):
        held = domains == domain
        predicted[held] = features[held] @ nnls(features[~held], preference[~held])[0]
    return predicted


def report(name: str, predicted: np.ndarray, base: np.ndarray, preference: np.ndarray, domains: np.ndarray) -> str:
    from scipy.stats import spearmanr

    draws = np.random.default_rng(0).integers(0, len(preference), (DRAWS, len(preference)))
    gains = pearson(predicted[draws], preference[draws]) - pearson(base[draws], preference[draws])
    low, high = np.percentile(gains, [2.5, 97.5])
    per = " ".join(f"{pearson(predicted[domains == d], preference[domains == d]):5.2f}" for d in np.unique(domains))
    return (
        f"{name:34s} {pearson(predicted, preference):6.3f} {spearmanr(predicted, preference)[0]:6.3f}  {per}  "
        f"{gains.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    )


def embedder() -> Any:
    from ftrag.models import embedder as load

    embed = load()

    @cache
    def one(text: str) -> Any:
        return embed([text])[0]

    return lambda texts: np.stack([one(text) for text in texts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=SHARED)
    parser.add_argument("--embed", action="store_true", help="with the rows that need all-MiniLM-L6-v2")
    options = parser.parse_args()
    if not options.file.exists():
        print(f"skipped: {options.file} is not there")
        return
    rows, preference, domains = read(options.file)
    scored = {name: differences(scorer, rows) for name, scorer in ladder(embedder() if options.embed else None).items()}
    base = scored["token F1, no stop words"]
    print(f"{len(rows)} pairs; published for all 280: people {PEOPLE}, 70B judge {JUDGE}, token F1 {PUBLISHED}")
    print(
        f"{'':34s} {'r':>6s} {'rho':>6s}  {' '.join(d.split('/')[-1][:5].rjust(5) for d in np.unique(domains))}  gain"
    )
    for name, predicted in scored.items():
        print(report(name, predicted, base, preference, domains))
    parts = [scored[name] for name in scored if name.startswith(("token F1,", "new content", "sentence F1"))]
    print(report("weights fitted on other domains", left_out(parts, preference, domains), base, preference, domains))


if __name__ == "__main__":
    main()
