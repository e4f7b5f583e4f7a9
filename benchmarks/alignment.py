"""How well sentences are aligned with the passages that support them, on seven labelled files.

python benchmarks/alignment.py [FILE…] [--half dev|heldout] [--words] [--rewords] [--kinds] [--errors]

What a model says, by readers who had not seen the aligner:
assistant.jsonl, assistant_xquad.jsonl: answers as a large language model gives them, by six writers (three "dev", three
"heldout") to questions on the examples and on XQuAD, each with the three passages that BM25 found. By kind of answer:
two thirds were written from the passages, a sixth from memory, a sixth carelessly, with something wrong in each. The
held-out half was labelled twice (kappa 0.95) and only ever counted. XQuAD's paragraphs (CC BY-SA 4.0) are not here but
named by their hashes and read from $FTRAG_SHARED/data.
answers.jsonl, answers2.jsonl, answers3.jsonl: what the built-in model said on two examples; only copies are cited to
such a model (`rewords` in models.MODELS). The latter two were labelled twice (kappa 0.99 and 1.0). The errors of the
first two were read, and what counts as a copy chosen on them; answers3 was only ever counted.

Made to be hard:
alignment.jsonl: paraphrases and near misses. claims.jsonl: five writers' rewordings and near misses of 270 passages of
their own, half of each, by kind; four of the writers are "dev", the fifth is "heldout".

Rows: {"answer", "question"?, "passages": [{"document", "text"} or {"sha256", "start", "end"}], "sentences": [{"text",
"supported", "passage", "quote", "kind"?}]}, where passage is an index into passages or null, quote a text or its place.
A sentence that is labelled as supported counts as found when the aligner names that passage and its span shares at
least half of the quote's characters; a sentence that the aligner supports and the label does not, or elsewhere, is an
error of precision. Answers are split into two halves by their "half", else by a hash of their text: the aligner was
developed on "dev" alone, after the labels were written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ftrag.evaluation.citations import Embed, align
from ftrag.types import Chunk

ROOT = Path(__file__).resolve().parent.parent
LABELS = [
    ROOT / "benchmarks" / "data" / f"{name}.jsonl"
    for name in ("assistant", "assistant_xquad", "answers", "answers2", "answers3", "alignment", "claims")
]
XQUAD = Path(os.environ.get("FTRAG_SHARED", "../shared")) / "data" / "xquad.en.dev.json"


def labelled(file: Path) -> list[dict[str, Any]]:
    """The rows of a file, its passages and quotes as texts. SystemExit where XQuAD is needed and not there."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not any("sha256" in passage for row in rows for passage in row["passages"]):
        return rows
    if not XQUAD.is_file():
        raise SystemExit(f"{file.name} needs {XQUAD}; set FTRAG_SHARED to the folder that holds data/")
    articles = json.loads(XQUAD.read_text(encoding="utf-8"))["data"]
    texts = [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]
    by_hash = {hashlib.sha256(text.encode()).hexdigest(): text for text in texts}
    for row in rows:
        row["passages"] = [
            {"document": one["sha256"][:8], "text": by_hash[one["sha256"]][one["start"] : one["end"]]}
            for one in row["passages"]
        ]
        for label in row["sentences"]:
            if label["quote"]:
                label["quote"] = row["passages"][label["passage"]]["text"][slice(*label["quote"])]
    return rows


def half(row: dict[str, Any]) -> str:
    if "half" in row:
        return str(row["half"])
    return "heldout" if hashlib.sha256(row["answer"].encode()).digest()[0] % 2 else "dev"


def judge(row: dict[str, Any], embed: Embed | None, rewords: bool) -> list[tuple[bool, bool, bool, str]]:
    """Per labelled sentence: labelled as supported, supported by the aligner, at the right place, its text."""
    passages = [Chunk(p["document"], i, p["text"], 0, len(p["text"])) for i, p in enumerate(row["passages"])]
    found = align(row["answer"], passages, embed, rewords, row.get("question", ""))
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


def counted(name: str, results: list[tuple[bool, bool, bool, str]]) -> str:
    """Counts, precision, recall and F1 in a line."""
    supported = sum(label for label, *_ in results)
    claimed = sum(found for _, found, *_ in results)
    right = sum(label and place for label, _, place, _ in results)
    precision, recall = right / claimed if claimed else 0.0, right / supported if supported else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return (
        f"{name:<24} {len(results):5} sentences {supported:5} supported {claimed:5} found {right:5} right  "
        f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"
    )


def measured(
    file: Path, embed: Embed | None, half_: str | None, rewords: bool
) -> list[tuple[str, tuple[bool, bool, bool, str]]]:
    """Per labelled sentence: its kind, and what `judge` says of it."""
    rows = [row for row in labelled(file) if half_ in (None, half(row))]
    return [
        (label.get("kind", ""), result)
        for row in rows
        for label, result in zip(row["sentences"], judge(row, embed, rewords), strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="*", type=Path, default=LABELS)
    parser.add_argument("--errors", action="store_true", help="print the sentences that are judged differently")
    parser.add_argument("--half", choices=("dev", "heldout"), help="one half of the answers alone")
    parser.add_argument("--kinds", action="store_true", help="each kind of answer or sentence by itself, too")
    parser.add_argument("--words", action="store_true", help="without sentence embeddings")
    parser.add_argument("--rewords", action="store_true", help="cite other words to the built-in model too")
    options = parser.parse_args()
    embed = None if options.words else embedder()
    for file in options.files:
        rewords = options.rewords or not file.name.startswith("answers")  # the built-in model's are believed as copies
        found = measured(file, embed, options.half, rewords)
        print(counted(file.stem, [result for _, result in found]), flush=True)
        for kind in sorted({kind for kind, _ in found} - {""}) if options.kinds else ():
            print(counted(f"  {kind}", [result for name, result in found if name == kind]))
        for _, (label, claimed, place, text) in found if options.errors else ():
            if label != claimed or (label and not place):
                print(f"label {label}, found {claimed}, right place {place}: {text}")


if __name__ == "__main__":
    main()
