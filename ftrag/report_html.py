"""The report as one self-contained HTML page: no scripts, nothing loaded, light and dark, fit to print."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ftrag.evaluation.arms import AXES
from ftrag.evaluation.stats import wilson
from ftrag.report_findings import in_order
from ftrag.report_marks import colour, outline, style
from ftrag.report_parts import Plot, Section, Table

COLOURS = {"content": "#2a7fb8", "behaviour": "#c2711c"}
PANEL = 280  # pixels of a plane of failures, in width
SHORT, LONGEST = 4, 13  # signs of a cell that is kept whole, and of a word that is not broken, in narrow columns

STYLE = (
    f"""
{style()}
@media (prefers-color-scheme: dark) {{ {style(1)} }}
@media print {{ {style()} }}
"""
    + """
:root { color-scheme: light dark; --line: #cbd5e1; --mute: #475569; --paper: #ffffff; --ink: #0f172a; }
@media (prefers-color-scheme: dark) { :root { --line: #475569; --mute: #cbd5e1; --paper: #0f172a; --ink: #f1f5f9; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.mute { color: var(--mute); } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid var(--line); }
td { overflow-wrap: break-word; } td:first-child { overflow-wrap: normal; }
td:last-child { overflow-wrap: anywhere; }
.dense th, .dense td { padding: .15rem .3rem; font-size: .74rem; }
.dense .short { white-space: nowrap; }
svg { display: block; max-width: 100%; height: auto; margin: .75rem 0; }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; } svg .line { stroke: currentColor; }
svg .grid { stroke: var(--line); }
.in { fill: var(--c); fill-opacity: .8; } .out { fill: none; stroke: var(--c); stroke-width: 1.6; }
details { margin: 2rem 0 0; } summary { cursor: pointer; } summary h2 { display: inline; }
@media print {
  :root { --line: #cbd5e1; --mute: #475569; --paper: #ffffff; --ink: #000000; }
  body { margin: 0; max-width: none; font-size: 10pt; } .wide { overflow: visible; }
  h2 { break-after: avoid; } tr, svg { break-inside: avoid; } thead { display: table-header-group; }
  th, td { padding: .15rem .3rem; } table { font-size: 8.5pt; }
  .dense th, .dense td { overflow-wrap: break-word; font-size: 7pt; padding: .1rem .15rem; }
  rect, circle, path { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
)


def page(run: Mapping[str, Any], title: str, parts: Sequence[Section]) -> str:
    body = [f"<h1>{escape(title)}</h1>", f'<p class="mute">{escape(run.get("description") or "")}</p>']
    for section in parts:
        head = f"<h2>{escape(section.title)}</h2>"
        body.append(f"<details><summary>{head}</summary>" if section.appendix else head)
        body += [_part(run, part) for part in section.parts]
        body += ["</details>"] * section.appendix
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style></head>\n<body>\n'
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def _part(run: Mapping[str, Any], part: str | Table | Plot) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    return PLOTS[part.kind](run) if isinstance(part, Plot) else _table(part)


def _table(value: Table) -> str:
    write = _narrow if value.dense else escape
    head = "".join(f'<th scope="col">{write(title)}</th>' for title in value.headers)
    rows = "".join("<tr>" + "".join(map(_cell if value.dense else _plain, row)) + "</tr>\n" for row in value.rows)
    kind = ' class="dense"' if value.dense else ""
    return f'<div class="wide"><table{kind}><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


def _plain(cell: str) -> str:
    return f"<td>{escape(cell)}</td>"


def _cell(cell: str) -> str:
    """A cell of a narrow column: marks and ids stay whole, long words may break."""
    return f'<td class="short">{escape(cell)}</td>' if len(cell) <= SHORT else f"<td>{_narrow(cell)}</td>"


def _narrow(text: str) -> str:
    """Text that may break after a plus and within long words, and nowhere else: no column of single letters."""
    pieces = re.findall(rf"\s+|[^\s+]{{1,{LONGEST}}}\+?|\+", text)
    return "<wbr/>".join(map(escape, pieces)).replace(" <wbr/>", " ").replace("<wbr/> ", " ")


def _svg(width: float, height: float, name: str, shapes: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(name)}">{"".join(shapes)}</svg>'
    )


def _text(x: float, y: float, said: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "line") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def arms_plot(run: Mapping[str, Any]) -> str:
    """Shares of right answers per arm and axis with their intervals: 120 pixels are 100 %."""
    shapes = [_line(0, 140, 88 * len(run["arms"]), 140, "grid")]
    for place, (arm, numbers) in enumerate(in_order(run["arms"])):
        shapes.append(_text(place * 88 + 40, 156, arm, "middle"))
        for side, axis in enumerate(AXES):
            if (value := numbers.get(axis)) is not None:
                n = numbers.get(f"{axis}_n", numbers["n"])
                shapes += _bar(place * 88 + 10 + side * 32, value, n, COLOURS[axis])
    for place, (axis, paint) in enumerate(COLOURS.items()):
        shapes.append(f'<rect x="{10 + place * 90}" y="168" width="10" height="10" fill="{paint}"/>')
        shapes.append(_text(24 + place * 90, 177, axis))
    return _svg(max(200, 88 * len(run["arms"])), 184, "Right answers per arm in percent, with intervals", shapes)


def _bar(x: float, value: float, n: int, colour: str) -> list[str]:
    low, high = wilson(round(value * n), n)
    top, height = 140 - value * 120, value * 120
    return [
        f'<rect x="{x:.1f}" y="{top:.1f}" width="28" height="{height:.1f}" fill="{colour}"/>',
        _line(x + 14, 140 - low * 120, x + 14, 140 - high * 120),
        _text(x + 14, 136 - high * 120, f"{value * 100:.0f}", "middle"),
    ]


def differences_plot(run: Mapping[str, Any]) -> str:
    """Every arm against base on the axis of the verdict, as points with their intervals from -100 to +100 points."""
    axis = (run.get("decision") or {}).get("axis", "content")
    rows = [row for row in run["differences"] if row["a"] == "base" and row["axis"] == axis and row["n"]]
    if not rows:
        return ""
    bottom = 20 + 22 * len(rows)
    shapes = [_line(360, 12, 360, bottom)]
    for value in (-100, -50, 50, 100):
        shapes.append(_line(360 + value * 2.4, 12, 360 + value * 2.4, bottom, "grid"))
    shapes += [_text(360 + value * 2.4, bottom + 14, f"{value:+d}", "middle") for value in (-100, -50, 0, 50, 100)]
    for place, row in enumerate(rows):
        y = 26 + 22 * place
        shapes.append(_text(0, y + 4, row["b"]))
        shapes.append(_line(360 + row["low"] * 240, y, 360 + row["high"] * 240, y))
        shapes.append(f'<circle cx="{360 + row["difference"] * 240:.1f}" cy="{y}" r="4" fill="{COLOURS["content"]}"/>')
    return _svg(640, bottom + 20, f"Gain over base in points ({axis}), with 95 % intervals", shapes)


def clusters_plot(run: Mapping[str, Any]) -> str:
    """Failures, one plane per axis, each cause with its mark; groups are filled and numbered, rings fit no group."""
    axes = [axis for axis in AXES if any(one["axis"] == axis for one in run["clusters"])]
    shapes = []
    for place, axis in enumerate(axes):
        shapes.append(_text(PANEL * place + 10, 14, axis))
        for number, one in enumerate(run["clusters"], 1):
            shapes += _group(number, one, PANEL * place + PANEL / 2) if one["axis"] == axis else []
    left = PANEL * len(axes) + 6
    for place, cause in enumerate(dict.fromkeys(one["cause"] for one in run["clusters"])):
        shapes.append(f'<path class="in {colour(cause)}" d="{outline(cause, left, 20 + 18 * place, 5)}"/>')
        shapes.append(_text(left + 12, 24 + 18 * place, cause))
    return _svg(left + 140, 310, "Failures, alike ones near each other", shapes) if axes else ""


def _group(number: int, one: Mapping[str, Any], middle: float) -> list[str]:
    kind = "in" if one["grouped"] else "out"
    dots = [(middle + point["x"] * (PANEL / 2 - 16), 165 - point["y"] * 135, point["id"]) for point in one["points"]]
    shapes = [
        f'<path class="{kind} {colour(one["cause"])}" d="{outline(one["cause"], x, y, 5)}">'
        f"<title>{escape(str(id_))}</title></path>"
        for x, y, id_ in dots
    ]
    if one["grouped"] and dots:
        x, y = (sum(dot[side] for dot in dots) / len(dots) for side in (0, 1))
        shapes.append(_text(x + 8, y - 8, str(number)))
    return shapes


PLOTS = {"arms": arms_plot, "differences": differences_plot, "clusters": clusters_plot}
