"""The break-even plot as SVG: both axes logarithmic, colours that read in light and dark, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

WIDTH, HEIGHT = 640, 360  # view box; the picture scales with the page
LEFT, RIGHT, TOP, BOTTOM = 76, 28, 16, 60

# (colour, dash): told apart by more than colour; each has a contrast of 3 or more on white and on near-black.
LOOKS = {
    "prompt": ("#6b7280", ""),
    "rag": ("#0284c7", ""),
    "fine-tune": ("#d97706", "7 4"),
    "both": ("#9333ea", "2 3"),
}


def break_even_svg(cost: Mapping[str, Any]) -> str:
    """Two-year cost over monthly questions, one line for each route, a mark at the present volume."""
    points = cost["curve"]
    xs = sorted({point["monthly_queries"] for point in points})
    ys = [point["two_year_usd"] for point in points if point["two_year_usd"] > 0] or [1.0]
    x_ends, y_ends = _decades(xs), _decades(ys)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            _place(x, x_ends, LEFT, WIDTH - RIGHT),
            _place(max(y, 10.0 ** y_ends[0]), y_ends, HEIGHT - BOTTOM, TOP),
        )

    lines = [
        _line(route, [at(p["monthly_queries"], p["two_year_usd"]) for p in points if p["route"] == route])
        for route in LOOKS
    ]
    now = next(row["value"] for row in cost["inputs"] if row["key"] == "monthly_queries")
    said = "← you" if now < xs[0] else "you →" if now > xs[-1] else "you"
    mark = _mark(at(min(max(now, xs[0]), xs[-1]), 1)[0], said) if now > 0 else ""
    label = "Cost over two years by questions a month, both axes logarithmic. " + " ".join(
        row["text"] for row in cost["break_even"]
    )
    return (
        f'<svg class="dc-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" '
        'style="width:100%;height:auto;max-width:760px" font-family="inherit" font-size="13" fill="currentColor">'
        f"{_grid(x_ends, y_ends, at)}{mark}{''.join(lines)}{_legend()}</svg>"
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)


def _place(value: float, ends: tuple[int, int], start: float, end: float) -> float:
    return round(start + (log10(value) - ends[0]) / (ends[1] - ends[0]) * (end - start), 1)


def _grid(x_ends: tuple[int, int], y_ends: tuple[int, int], at: Any) -> str:
    parts = []
    for power in range(x_ends[0], x_ends[1] + 1):
        x, bottom = at(10.0**power, 10.0 ** y_ends[0])
        parts.append(f'<path d="M{x} {TOP}V{bottom}" stroke="currentColor" stroke-opacity=".15"/>')
        parts.append(f'<text x="{x}" y="{bottom + 24}" text-anchor="middle">{short(10.0**power)}</text>')
    for power in range(y_ends[0], y_ends[1] + 1):
        x, y = at(10.0 ** x_ends[0], 10.0**power)
        parts.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity=".15"/>')
        parts.append(f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">${short(10.0**power)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">questions a month</text>')
    return "".join(parts)


def short(value: float) -> str:
    """100, 1K, 10M, 1B."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _line(route: str, points: Sequence[tuple[float, float]]) -> str:
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    return f'<path d="{path}" fill="none" {_look(route)}/>'


def _look(route: str) -> str:
    """Colour and dashes, of the same width on a phone as on a desk."""
    colour, dash = LOOKS[route]
    return f'stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}" vector-effect="non-scaling-stroke"'


def _mark(x: float, said: str) -> str:
    side, gap = ("end", -6) if x > WIDTH * 0.8 else ("start", 6)
    return (
        f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="currentColor" stroke-dasharray="4 4"/>'
        f'<text x="{x + gap}" y="{HEIGHT - BOTTOM - 8}" text-anchor="{side}">{said}</text>'
    )


def _legend() -> str:
    parts = []
    for row, route in enumerate(LOOKS):
        y = TOP + 14 + row * 20
        parts.append(f'<path d="M{LEFT + 12} {y}h30" {_look(route)}/><text x="{LEFT + 50}" y="{y + 4}">{route}</text>')
    return "".join(parts)
