"""Does the verdict keep its word? python benchmarks/verdict_simulation.py [--runs 10000]; exit 1 if a bar is missed.

Simulated evaluations of six deployable and two oracle arms, each judged by ftrag.decision.engine on the statistics of
ftrag.evaluation.stats. An arm changes the base model's verdicts question by question: a share of the questions is
repaired and a share is broken. Without an effect the two shares are equal, in every arm independently, which is the
worst case for the number of comparisons. A false verdict is any route that rests on a gain that is not there.

Bars: false verdicts at most 5 % within Monte Carlo error; power within 3 points of the planner's word; the 95 %
interval holds the true difference at least 93 % of the time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from ftrag.decision import engine
from ftrag.evaluation import stats
from ftrag.evaluation.arms import COST_ORDER

Effects = Mapping[str, tuple[float, float]]  # arm -> (share repaired, share broken) of all questions, against `of`
ARMS = (*COST_ORDER, *engine.ORACLES)
NOTHING_FOUND = {"larger model", "not enough evidence"}
CHURN = (0.02, 0.05, 0.15, 0.25)  # share of questions that an arm without effect repairs, and as many that it breaks


def simulate(
    rng: np.random.Generator, runs: int, n: int, right: float, effects: Effects, of: str = "base"
) -> Iterator[dict[str, Any]]:
    """One verdict per run. Base is right with probability `right`; the arm `of` changes base, every other arm `of`."""
    rate = right + sum((1, -1)[i] * share for i, share in enumerate(effects.get(of, ())))
    for _ in range(runs):
        table = {"base": rng.random(n) < right}
        if of != "base":
            table[of] = changed(rng, table["base"], right, *effects[of])
        table |= {arm: changed(rng, table[of], rate, *effects[arm]) for arm in effects if arm != of}
        yield judge(table)


def changed(rng: np.random.Generator, start: Any, rate: float, repaired: float, broken: float) -> Any:
    """Verdicts after an arm: of all questions, these shares are repaired and broken, each independently."""
    dice = rng.random(len(start))
    return np.where(start, dice >= broken / rate, dice < repaired / (1 - rate))


def judge(table: Mapping[str, Any]) -> dict[str, Any]:
    n, right = len(table["base"]), int(table["base"].sum())

    def compare(a: str, b: str) -> dict[str, Any]:
        wins, losses = int((table[b] & ~table[a]).sum()), int((table[a] & ~table[b]).sum())
        return {"a": a, "b": b} | stats.compare_counts(wins, losses, n - wins - losses)

    return engine.verdict(
        engine.Evidence(
            axis="content",
            order=[arm for arm in COST_ORDER if arm in table],
            compare=compare,
            adjust=stats.holm,
            base_right=right / n,
            base_lower=stats.wilson(right, n)[0],
            smallest_effect=stats.minimum_detectable_effect(n),
            oracles=[arm for arm in engine.ORACLES if arm in table],
        )
    )


def no_effect(rng: np.random.Generator, runs: int) -> list[tuple[str, float, float]]:
    """(case, share of false verdicts, share without Holm) under no effect at all."""
    rows = []
    for n in (30, 60, 100, 200, 500):
        for churn in CHURN:
            effects = {arm: (churn, churn) for arm in ARMS if arm != "base"}
            found = list(simulate(rng, runs, n, 0.5, effects))
            false = sum(one["route"] not in NOTHING_FOUND for one in found)
            naive = sum(any(row["difference"] > 0 and row["p"] < 0.05 for row in one["comparisons"]) for one in found)
            rows.append((f"n {n}, {churn:.0%} repaired and broken", false / runs, naive / runs))
    return rows


def partial(rng: np.random.Generator, runs: int) -> list[tuple[str, float, float]]:
    """base+rag truly repairs 40 points, and nothing else changes anything about it: going further is false."""
    rows = []
    for n in (60, 100, 200):
        for churn in CHURN:
            effects = {"base+rag": (0.4, 0.0)} | dict.fromkeys(("prompt+rag", "lora", "lora+rag"), (churn, churn))
            found = list(simulate(rng, runs, n, 0.2, effects, of="base+rag"))
            false = sum(one["held"] not in ("base", "base+rag") for one in found)
            later = [[row for row in one["comparisons"] if row["a"] != "base"] for one in found]
            naive = sum(any(row["difference"] > 0 and row["p"] < 0.05 for row in made) for made in later)
            rows.append((f"n {n}, {churn:.0%} repaired and broken", false / runs, naive / runs))
    return rows


def power(rng: np.random.Generator, runs: int) -> list[tuple[str, float, float]]:
    """(case, power that the planner promises, share found): lora's gain alone, and as one of five arms."""
    rows = []
    for effect in (0.1, 0.2, 0.3):
        for others in (0, 4):
            n = stats.questions_needed(effect, comparisons=1 + others) or 0
            promised = stats.power(n, effect, alpha=stats.ALPHA / (1 + others))
            effects = {arm: (0.05, 0.05) for arm in COST_ORDER if arm != "base"} if others else {}
            effects["lora"] = (effect + stats.REGRESSIONS, stats.REGRESSIONS)
            found = Counter(beaten(one, "lora") for one in simulate(rng, runs, n, 0.4, effects))
            rows.append((f"+{effect * 100:.0f} points, {1 + others} arms, n {n}", promised, found[True] / runs))
    return rows


def beaten(one: Mapping[str, Any], arm: str) -> bool:
    return any(row["a"] == "base" and row["b"] == arm and row["beats"] for row in one["comparisons"])


def coverage(rng: np.random.Generator, runs: int) -> list[tuple[str, float, float]]:
    """(case, share of our intervals that hold the true difference, share of plain bootstrap intervals)."""
    rows = []
    for n in (12, 30, 60, 200):
        for repaired, broken in ((0.02, 0.0), (0.05, 0.05), (0.15, 0.05), (0.4, 0.05), (0.7, 0.02)):
            drawn = Counter(map(tuple, rng.multinomial(n, (repaired, broken, 1 - repaired - broken), runs).tolist()))
            ours = plain = 0
            for counts, times in drawn.items():
                row = stats.compare_counts(*counts)
                ours += times * (row["low"] <= repaired - broken <= row["high"])
                low, high = _plain(counts)
                plain += times * (low <= repaired - broken <= high)
            rows.append((f"n {n}, {repaired:.0%} repaired, {broken:.0%} broken", ours / runs, plain / runs))
    return rows


def _plain(counts: Sequence[int]) -> tuple[float, float]:
    n = sum(counts)
    draws = np.random.default_rng(0).multinomial(n, np.array(counts) / n, size=2000)
    low, high = np.quantile((draws[:, 0] - draws[:, 1]) / n, [0.025, 0.975])
    return float(low), float(high)


def interaction_coverage(rng: np.random.Generator, runs: int) -> list[tuple[str, float, float]]:
    """The same for the interaction of the 2x2; the last column is its mean width."""
    shares = {"base": 0.1, "base+rag": 0.4, "lora": 0.1, "lora+rag": 0.7}  # independent: interaction 0.3
    rows = []
    for n in (12, 30, 100):
        held, width = 0, 0.0
        for _ in range(runs):
            drawn = rng.random((n, 4)) < list(shares.values())
            found = stats.interaction(list(map(tuple, drawn.tolist()))) or {}
            held += found["low"] <= 0.3 <= found["high"]
            width += found["high"] - found["low"]
        rows.append((f"interaction, n {n}", held / runs, width / runs))
    return rows


def show(title: str, columns: str, rows: Sequence[tuple[str, float, float]]) -> None:
    print(f"\n{title}\n{'':44}{columns}")
    for case, one, two in rows:
        print(f"{case:44}{one:>12.3f}{two:>12.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2_000, help="simulated evaluations per case")
    runs = parser.parse_args().runs
    rng = np.random.default_rng(20)
    error = 2.6 * (0.05 * 0.95 / runs) ** 0.5  # 99 % Monte Carlo error of a rate of 5 %
    false, beyond = no_effect(rng, runs), partial(rng, runs)
    show("False verdicts under no effect, 8 arms", "       rate  without Holm", false)
    show("False steps beyond retrieval that works", "       rate  without Holm", beyond)
    found = power(rng, runs)
    show("Power of the planner's number of questions", "    promised       found", found)
    held, crossed = coverage(rng, 4 * runs), interaction_coverage(rng, max(200, runs // 10))
    show("Share of 95 % intervals that hold the truth", "        ours   plain bootstrap", held)
    show("The same for the 2x2", "        ours       width", crossed)
    missed = [row for row in false + beyond if row[1] > 0.05 + error]
    missed += [row for row in found if abs(row[1] - row[2]) > 0.03]
    missed += [row for row in held + crossed if row[1] < 0.93]
    total = runs * (len(false) + len(beyond) + len(found))
    print(f"\n{total:,} simulated evaluations; bars missed: {len(missed)}", *missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
