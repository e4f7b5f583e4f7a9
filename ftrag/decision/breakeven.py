"""At how many questions a month one route becomes dearer than another over two years."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Any

LOWEST, HIGHEST = 1.0, 1e9  # questions a month that are searched
STEPS_PER_DECADE = 4

Total = Callable[[str, float], float]  # (route, questions a month) -> US dollars over two years


def volumes(low: float = 100.0, high: float = HIGHEST) -> list[float]:
    """Evenly spaced on a log axis, both ends included."""
    values, step = [low], float(10 ** (1 / STEPS_PER_DECADE))
    while values[-1] * step < high * 0.999:
        values.append(values[-1] * step)
    return [*values, high]


def curve(routes: Sequence[str], total: Total) -> list[dict[str, Any]]:
    """Points for a plot over volume: rows {route, monthly_queries, two_year_usd}."""
    return [
        {"route": route, "monthly_queries": round(volume), "two_year_usd": round(total(route, volume), 2)}
        for route in routes
        for volume in volumes()
    ]


def crossings(routes: Sequence[str], total: Total) -> list[dict[str, Any]]:
    """For each pair its break-even volumes: rows {a, b, monthly_queries, text}; null where the lines never cross.

    Below `monthly_queries` one route is cheaper, above it the other; own GPUs are bought whole, so lines can cross
    more than once and the lowest crossing is given.
    """
    grid = volumes(LOWEST, HIGHEST)
    totals = {route: [total(route, volume) for volume in grid] for route in routes}
    rows = []
    for a, b in combinations(routes, 2):
        gaps = [x - y for x, y in zip(totals[a], totals[b], strict=True)]
        turn = next((i for i, (g, h) in enumerate(pairwise(gaps)) if g * h < 0), None)
        volume = None if turn is None else round(_bisect(a, b, grid[turn], grid[turn + 1], total))
        rows.append({"a": a, "b": b, "monthly_queries": volume, "text": _text(a, b, gaps[0], volume)})
    return rows


def _bisect(a: str, b: str, low: float, high: float, total: Total) -> float:
    """The volume in [low, high] at which a and b cost the same, to one question in a thousand."""
    sign = total(a, low) - total(b, low)
    while high - low > max(0.5, low * 1e-3):
        middle = (low + high) / 2
        if sign * (total(a, middle) - total(b, middle)) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _text(a: str, b: str, gap: float, volume: int | None) -> str:
    cheaper, other = (a, b) if gap < 0 else (b, a)
    if gap == 0 and volume is None:
        return f"{a} and {b} cost the same."
    if volume is None:
        return f"{cheaper} is cheaper than {other} at every volume up to a billion."
    return f"{cheaper} is cheaper than {other} up to about {rough(volume):,} questions a month, dearer above."


def rough(volume: int) -> int:
    """Two significant digits: prices that are assumed give no more."""
    return round(volume, 2 - len(str(volume)))
