"""How long a recomputation of the questionnaire takes, with costs and everything that would change it.

    python benchmarks/decide.py

Prints the median, the 95th percentile and the maximum over random answer sets. The budget is 30 ms.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

from ftrag.decision.questionnaire import QUESTIONS, decide

SAMPLES = 500


def main() -> None:
    rng, times = random.Random(1), []
    for _ in range(SAMPLES):
        share = rng.random()
        options = {q.key: rng.choice(q.options) for q in QUESTIONS if rng.random() < share}
        answers = {key: option.sample or option.id for key, option in options.items()}
        start = perf_counter()
        decide(answers)
        times.append((perf_counter() - start) * 1000)
    times.sort()
    middle, high = times[SAMPLES // 2], times[int(SAMPLES * 0.95)]
    print(
        f"decide: median {middle:.1f} ms, 95 % under {high:.1f} ms, longest {times[-1]:.1f} ms over {SAMPLES} samples"
    )


if __name__ == "__main__":
    main()
