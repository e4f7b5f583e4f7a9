"""The long form of the crash suite: python benchmarks/crash.py --kills 200 --real 5 --pairs 50

Trainings in float32 are killed with SIGKILL at random moments and started again: `--kills` of them on a tiny model,
`--real` on the built-in one, `--pairs` on a tiny one that learns preference pairs. Every one
must end with the weights of an uninterrupted training, to 1e-6, and lose at most one save interval. The counts are
printed and appended to tests/output/crash-safety.txt.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.crash import suite


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--real", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        if options.kills:
            found["tiny"] = suite(Path(folder) / "tiny", options.kills, seed=options.seed)
        if options.pairs:
            found["pairs"] = suite(Path(folder) / "pairs", options.pairs, seed=options.seed, pairs=True)
        if options.real:
            found["real"] = suite(Path(folder) / "real", options.real, True, options.seed)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
