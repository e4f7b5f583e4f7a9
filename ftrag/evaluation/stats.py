"""Paired statistics for yes/no verdicts: never a bare mean."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

ALPHA = 0.05
POWER = 0.8
REGRESSIONS = 0.05  # share of questions that an arm is assumed to break, for power and planning
RESAMPLES = 10_000

Pairs = Sequence[tuple[bool, bool]]  # (right under a, right under b), one per question


def mcnemar(wins: int, losses: int) -> float:
    """Two-sided exact McNemar p: the sign test over the questions that changed (Liddell 1983). 1 if none did."""
    from scipy.stats import binom

    changed = wins + losses
    return min(1.0, 2 * float(binom.cdf(min(wins, losses), changed, 0.5))) if changed else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given (Holm 1979)."""
    adjusted, floor = [1.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927); (0, 1) for n = 0."""
    from scipy.stats import norm

    if not n:
        return 0.0, 1.0
    z = float(norm.ppf(0.5 + level / 2))
    share, scale = successes / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z / scale * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(counts: Mapping[int, int], seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean of whole-number values, given how often each occurs.

    Resampling n questions with replacement draws the counts from a multinomial, so that it costs the same for 100 and
    for 100,000 questions. If all values are alike the bootstrap would give a width of 0; then the exact bound on the
    share of values never seen, 1 - 0.025 ** (1 / n), is put on both sides, scaled by 1.
    """
    import numpy as np

    values = np.array(sorted(counts))
    weights = np.array([counts[int(value)] for value in values])
    n = int(weights.sum())
    if len(values) == 1:
        slack = 1 - 0.025 ** (1 / n)
        return float(values[0] - slack), float(values[0] + slack)
    draws = np.random.default_rng(seed).multinomial(n, weights / n, size=RESAMPLES) @ values / n
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def compare(pairs: Pairs) -> dict[str, Any]:
    """Paired difference b - a: {n, difference, low, high, wins, losses, ties, p}; None entries for no pairs."""
    n = len(pairs)
    if not n:
        return dict.fromkeys(("difference", "low", "high", "p")) | {"n": 0, "wins": 0, "losses": 0, "ties": 0}
    change = Counter(int(b) - int(a) for a, b in pairs)
    wins, losses = change[1], change[-1]
    low, high = bootstrap({value: count for value, count in change.items() if count})
    return {
        "n": n,
        "difference": (wins - losses) / n,
        "low": max(-1.0, low),
        "high": min(1.0, high),
        "wins": wins,
        "losses": losses,
        "ties": n - wins - losses,
        "p": mcnemar(wins, losses),
    }


def interaction(rows: Sequence[tuple[bool, bool, bool, bool]]) -> dict[str, Any] | None:
    """Does the LoRA help or hurt retrieval: (lora+rag - lora) - (base+rag - base), per question, with its interval.

    rows: (base, base+rag, lora, lora+rag) per question. Positive: retrieval gains more on the tuned model.
    """
    if not rows:
        return None
    values = Counter((int(both) - int(lora)) - (int(rag) - int(base)) for base, rag, lora, both in rows)
    low, high = bootstrap(values)
    mean = sum(value * count for value, count in values.items()) / len(rows)
    return {"n": len(rows), "difference": mean, "low": low, "high": high}


@functools.lru_cache(maxsize=4096)
def power(n: int, effect: float, regressions: float = REGRESSIONS, alpha: float = ALPHA) -> float:
    """Chance that exact McNemar finds a gain of `effect` among n questions: wins at effect + regressions, losses at
    regressions, p < alpha in the right direction. Exact sum over the number of changed questions (Connor 1987)."""
    import numpy as np
    from scipy.stats import binom

    changing = min(1.0, effect + 2 * regressions)
    if not n or not changing:
        return 0.0
    spread = 8 * (n * changing * (1 - changing)) ** 0.5 + 8
    changed = np.arange(max(0, int(n * changing - spread)), min(n, int(n * changing + spread)) + 1)
    # the fewest wins among m changed questions that give p < alpha: at most c losses, 2 P(X <= c) < alpha
    losses = binom.ppf(alpha / 2, changed, 0.5).astype(int)
    losses = np.where(2 * binom.cdf(losses, changed, 0.5) < alpha, losses, losses - 1)
    found = binom.cdf(losses, changed, regressions / changing)
    return float((binom.pmf(changed, n, changing) * np.where(losses >= 0, found, 0.0)).sum())


@functools.lru_cache(maxsize=256)
def minimum_detectable_effect(n: int, wanted: float = POWER, regressions: float = REGRESSIONS) -> float:
    """The smallest gain, a fraction, that n questions find with power 0.8 at alpha 0.05; 1.0 if they find none."""
    low, high = 0.0, 1.0 - 2 * regressions
    if power(n, high, regressions) < wanted:
        return 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, middle, regressions) >= wanted else (middle, high)
    return round(high, 4)


def questions_needed(effect: float, wanted: float = POWER, regressions: float = REGRESSIONS) -> int | None:
    """How many questions find this gain with power 0.8; None beyond a million."""
    low, high = 1, 8
    while power(high, effect, regressions) < wanted:
        low, high = high, high * 2
        if high > 1_000_000:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, effect, regressions) >= wanted else (middle, high)
    return high


def non_inferior(difference: Mapping[str, Any], margin: float) -> bool | None:
    """Whether the lower bound of adapter minus base is above -margin; None when nothing was measured."""
    return None if difference["low"] is None else bool(difference["low"] > -margin)
