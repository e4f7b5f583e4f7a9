"""Does a training take as long as it said it would? python benchmarks/estimates.py [5 30 148 600:1 pairs:30 …]

Each case is a fresh project with so many rows of examples/support (more than it has: the rows again, with a number in
front so that they are no duplicates), trained by the command at its defaults. ROWS:EPOCHS sets the epochs; `pairs:ROWS`
trains preference pairs, whose rejected answer is another row's. Printed: the announced seconds, the measured ones
from the same point on, their ratio, and the wall clock of the whole command with its start. The bar is 25 %.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.record import EXAMPLES, ftrag

BAR = 0.25


def rows(count: int, pairs: bool) -> list[dict[str, str]]:
    """So many training rows, prompt and response, with a rejected response for pairs."""
    held = [json.loads(line) for line in (EXAMPLES / "support" / "examples.jsonl").read_text("utf-8").splitlines()]
    made = []
    for number in range(count):
        row, turn = held[number % len(held)], number // len(held)
        prompt = f"{turn}. {row['prompt']}" if turn else row["prompt"]
        if pairs:
            other = held[(number + 1) % len(held)]["response"]
            made.append({"prompt": prompt, "chosen": row["response"], "rejected": other})
        else:
            made.append({"prompt": prompt, "response": row["response"]})
    return made


def trained(case: str, home: Path) -> bool:
    """Train one case, print its line; whether the bar holds."""
    pairs = case.startswith("pairs:")
    count, _, epochs = case.removeprefix("pairs:").partition(":")
    name, data = "case-" + case.replace(":", "-"), home / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows(int(count), pairs)), "utf-8")
    ftrag(home, "new", name)
    ftrag(home, "examples", name, str(data))
    began = time.monotonic()
    found = ftrag(home, "train", name, *(["--epochs", epochs] if epochs else []))
    wall, said, took = time.monotonic() - began, found["estimate_seconds"], found["seconds"]
    print(f"{case:>12} {said:8.0f} {took:8.0f} {said / took - 1:+8.0%} {wall:8.0f}", flush=True)
    return abs(said - took) <= BAR * took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=["5", "30", "148", "600:1", "pairs:30"])
    options = parser.parse_args()
    print(f"{'case':>12} {'said s':>8} {'took s':>8} {'off':>8} {'wall s':>8}")
    with tempfile.TemporaryDirectory() as folder:
        held = [trained(case, Path(folder)) for case in options.cases]
    print("every bar holds" if all(held) else "a bar is missed")
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
