"""How well sentences are aligned with the passages that support them, on four labelled files.

python benchmarks/alignment.py [FILE…] [--half dev|heldout] [--words] [--rewords] [--errors]

alignment.jsonl: sentences written as paraphrases and near misses, on purpose hard. answers.jsonl and answers2.jsonl:
what the built-in model said on two examples with the passages it had read; only copies are cited to such a model
(`rewords` in models.MODELS). All were labelled by readers who had not seen the aligner, answers2 twice (kappa 0.99).
claims.jsonl: five writers' rewordings and near misses of 270 passages of their own, half of each, by kind; four of
the writers are "dev", the fifth is "heldout".

Rows: {"answer", "passages": [{"document", "text"}], "sentences": [{"text", "supported", "passage", "quote"}]}, where
passage is an index into passages or null. A sentence that is labelled as supported counts as found when the aligner
names that passage and its span shares at least half of the quote's characters; a sentence that the aligner supports
and the label does not, or elsewhere, is an error of precision. Answers are split into two halves by their "half", else
by a hash of their text: the aligner was developed on "dev" alone, after the labels were written; "heldout" was only
ever counted, except for answers2: its errors were read before `rewords` was switched off, so it is no longer unseen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ftrag.evaluation.citations import Embed, align
from ftrag.types import Chunk

ROOT = Path(__file__).resolve().parent.parent
LABELS = [
    ROOT / "benchmarks" / "data" / name
    for name in ("alignment.jsonl", "answers.jsonl", "answers2.jsonl", "claims.jsonl")
]


def half(row: dict[str, Any]) -> str:
    if "half" in row:
        return str(row["half"])
    return "heldout" if hashlib.sha256(row["answer"].encode()).digest()[0] % 2 else "dev"


def judge(row: dict[str, Any], embed: Embed | None, rewords: bool) -> list[tuple[bool, bool, bool, str]]:
    """Per labelled sentence: labelled as supported, supported by the aligner, at the right place, its text."""
    passages = [Chunk(p["document"], i, p["text"], 0, len(p["text"])) for i, p in enumerate(row["passages"])]
    found = align(row["answer"], passages, embed, rewords)
    results, at = [], 0
    for label in row["sentences"]:
        start = row["answer"].find(label["text"].strip(), at)
        if start < 0:
            raise SystemExit(f"{label['text']!r} is not in its answer, in order; repair the label")
        at = start + len(label["text"].strip())
        inside = [r for r in found if r["sentence"]["start"] < at and start < r["sentence"]["end"] and r["supported"]]
        right = any(same_place(r, label, row["passages"]) for r in inside)
        results.append((bool(label["supported"]), bool(inside), right, label["text"]))
    return results


def same_place(found: dict[str, Any], label: dict[str, Any], passages: list[dict[str, str]]) -> bool:
    if label["passage"] is None or found["chunk"] != label["passage"]:
        return False
    quote = label["quote"].strip()
    start = passages[label["passage"]]["text"].find(quote)
    if start < 0:
        raise SystemExit(f"the quote {quote!r} is not in its passage; repair the label")
    shared = min(found["end"], start + len(quote)) - max(found["start"], start)
    return 2 * shared >= len(quote)


def embedder() -> Embed:
    from ftrag import models

    return models.embedder()


def measured(file: Path, embed: Embed | None, half_: str | None, errors: bool, rewords: bool) -> None:
    """Print counts, precision, recall and F1 of one file."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if half_ in (None, half(row))]
    results = [result for row in rows for result in judge(row, embed, rewords)]
    supported = sum(label for label, *_ in results)
    claimed = sum(found for _, found, *_ in results)
    right = sum(label and place for label, _, place, _ in results)
    precision, recall = right / claimed if claimed else 0.0, right / supported if supported else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    print(f"{file.name}: {len(rows)} answers, {len(results)} sentences, {supported} supported, {claimed} found")
    print(f"  {right} right: precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}")
    if errors:
        for label, found, place, text in results:
            if label != found or (label and not place):
                print(f"label {label}, found {found}, right place {place}: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="*", type=Path, default=LABELS)
    parser.add_argument("--errors", action="store_true", help="print the sentences that are judged differently")
    parser.add_argument("--half", choices=("dev", "heldout"), help="one half of the answers alone")
    parser.add_argument("--words", action="store_true", help="without sentence embeddings")
    parser.add_argument("--rewords", action="store_true", help="cite other words to the built-in model too")
    options = parser.parse_args()
    embed = None if options.words else embedder()
    for file in options.files:
        rewords = options.rewords or not file.name.startswith("answers")  # the built-in model's are believed as copies
        measured(file, embed, options.half, options.errors, rewords)


if __name__ == "__main__":
    main()
