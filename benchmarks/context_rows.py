"""Do training rows that carry passages help? python benchmarks/context_rows.py [--example support] [--held-out N]

Two trainings of the same rows, without any passage and with passages in every row that has evidence, otherwise alike;
then the same questions under both adapters, paired question by question. About 15 minutes on two cores.

The questions are the example's gold questions, or with --held-out N about N of its training rows: whole groups (rows of
one group, else of one document), drawn by --seed, whose answer has one value that stands in its evidence. All rows of
those groups, and all that show their evidence, are left out of the training and their documents are never shown in it,
so that a default can be decided without looking at the gold questions. --max-rows, --epochs and --rehearsal shorten it
to see whether it works.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.record import EXAMPLES, RANK, ftrag
from ftrag.evaluation.stats import compare

SHARES = (0.0, 1.0)
ARMS = ("lora", "lora+rag", "lora+oracle")
VALUE = re.compile(r"[€$£]?\d+(?:[.,:]\d+)*(?: ?%| [a-z]+)?")  # a number with its sign of money, or the word after it
Rows = list[dict[str, Any]]


def question(row: dict[str, Any]) -> dict[str, Any] | None:
    """A training row as a gold question; None where its answer is not one value of its evidence."""
    evidence = " ".join(row.get("evidence", ()))
    values = {_shared(found.group(), evidence) for found in VALUE.finditer(row.get("response", ""))} - {""}
    if len(values) != 1:
        return None
    asked = {"id": row["id"], "question": row["prompt"], "answers": sorted(values), "evidence": row["evidence"]}
    return asked | ({"slice": row["slice"]} if row.get("slice") else {})


def _shared(value: str, evidence: str) -> str:
    """The value as it stands in the evidence, with the word after it where that stands there too; else ""."""
    number = re.split(r" (?=[a-z])", value)[0]
    return next((form for form in (value, number) if re.search(rf"(?<!\d){re.escape(form)}(?!\w)", evidence)), "")


def divided(rows: Rows, count: int, seed: int) -> tuple[Rows, Rows]:
    """(rows to train on, at least `count` gold questions from whole groups that are left out of them)."""
    groups: defaultdict[str, Rows] = defaultdict(list)
    for row in rows:
        groups[str(row.get("group") or row.get("document") or row["id"])].append(row)
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    asked: Rows = []
    for name in order:
        made = [made for row in groups[name] if (made := question(row))]
        if made and len(asked) < count:
            asked += made
            del groups[name]
    if not asked or not groups:
        sys.exit(f"of {len(rows)} rows {count} cannot be held out by groups; ask for fewer")
    shown = {text for row in asked for text in row["evidence"]}
    kept = [row for group in groups.values() for row in group]
    return [row for row in kept if not any(text in row["prompt"] + row["response"] for text in shown)], asked


def prepared(options: argparse.Namespace, name: str, home: Path) -> int:
    """A project of the example with the rows and questions that are wanted; how many questions it asks."""
    ftrag(home, "new", name, "--example", options.example)
    source = EXAMPLES / options.example
    rows, gold = (_read(source / f"{kind}.jsonl") for kind in ("examples", "gold"))
    if options.held_out:
        rows, gold = divided(rows, options.held_out, options.seed)
    for command, kept in (("gold", gold), ("examples", rows[: options.max_rows])):
        file = home / f"{command}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in kept), "utf-8")
        ftrag(home, command, name, str(file))
    return len(gold)


def _read(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def answered(options: argparse.Namespace, share: float, home: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """(question, arm) -> its verdicts, from an adapter trained with this share of rows that see passages."""
    name = f"{options.example}-{share:.0f}"
    asked = prepared(options, name, home)
    print(f"{asked} questions; training with passages in {share:.0%} of the rows", file=sys.stderr, flush=True)
    short = [("--epochs", options.epochs), ("--rehearsal", options.rehearsal)]
    flags = [part for flag, value in short if value is not None for part in (flag, str(value))]
    ftrag(home, "train", name, "--rank", str(RANK), "--context-share", str(share), *flags)
    run = ftrag(home, "evaluate", name, "--arms", ",".join(("base", *ARMS)))["run"]
    rows = json.loads((home / "projects" / name / "runs" / run / "run.json").read_text())["rows"]
    return {(str(row["id"]), arm): row["answers"][arm] for row in rows for arm in ARMS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--example", default="support")
    parser.add_argument("--held-out", type=int, default=0, metavar="N", help="ask about N training rows, not the gold")
    parser.add_argument("--seed", type=int, default=0, help="which groups are held out")
    parser.add_argument("--max-rows", type=int, help="train on the first so many rows only")
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--rehearsal", type=int, help="general rows mixed in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        without, with_ = (answered(options, share, Path(folder)) for share in SHARES)
    for arm in ARMS:
        pairs = [(without[key]["content"], with_[key]["content"]) for key in without if key[1] == arm]
        found = compare([pair for pair in pairs if None not in pair])
        shares = [sum(bool(pair[side]) for pair in pairs) / len(pairs) for side in (0, 1)]
        print(
            f"{arm:12} right without {shares[0]:.2f}, with {shares[1]:.2f}: {found['difference']:+.2f} "
            f"({found['low']:+.2f} to {found['high']:+.2f}, p {found['p']:.3f}, n {found['n']})"
        )


if __name__ == "__main__":
    main()
