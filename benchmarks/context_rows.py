"""Do training rows that carry passages help? python benchmarks/context_rows.py [--example support]

Two trainings of the same rows, without any passage and with passages in every row that has evidence, otherwise alike;
then the gold questions under both adapters, paired question by question. About 15 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.record import RANK, ftrag
from ftrag.evaluation.stats import compare

SHARES = (0.0, 1.0)
ARMS = ("lora", "lora+rag", "lora+oracle")


def answered(example: str, share: float, home: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """(question, arm) -> its verdicts, from an adapter trained with this share of rows that see passages."""
    name = f"{example}-{share:.0f}"
    ftrag(home, "new", name, "--example", example)
    ftrag(home, "train", name, "--rank", str(RANK), "--context-share", str(share))
    run = ftrag(home, "evaluate", name, "--arms", ",".join(("base", *ARMS)))["run"]
    rows = json.loads((home / "projects" / name / "runs" / run / "run.json").read_text())["rows"]
    return {(str(row["id"]), arm): row["answers"][arm] for row in rows for arm in ARMS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--example", default="support")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        without, with_ = (answered(options.example, share, Path(folder)) for share in SHARES)
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
