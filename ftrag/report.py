"""One page about a run, from what the run stored: the same bytes every time, as HTML, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ftrag.errors import InputError
from ftrag.evaluation.arms import ARMS, AXES
from ftrag.evaluation.attribution import ADVICE
from ftrag.evaluation.stats import wilson

FORMS = ("html", "md", "json")
SHOWN_ROWS = 3  # examples per cause
COLOURS = {"content": "#0369a1", "behaviour": "#b45309"}


@dataclass(frozen=True)
class Table:
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[str | Table, ...]  # paragraphs and tables, in order


def render(run: Mapping[str, Any], form: str) -> str:
    """The report of a stored run. InputError for an unknown form."""
    if form not in FORMS:
        raise InputError(f"a report is {', '.join(FORMS)}, not {form!r}")
    if form == "json":
        return json.dumps(run, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    parts = sections(run)
    return _markdown(run, parts) if form == "md" else _html(run, parts)


def sections(run: Mapping[str, Any]) -> list[Section]:
    """What the page says, in the order in which it is read."""
    return [
        Section("Verdict", (run["decision"]["sentence"], *run["reasons"])),
        Section("Every arm", (_arms(run), "Shares with their 95 % Wilson interval; time is the median per question.")),
        Section("Paired differences", (_differences(run), *_interaction(run))),
        Section("Causes", (_causes(run), *_regressions(run))),
        Section("Examples of each cause", _examples(run)),
        Section("Method and limits", _method(run)),
        Section("What it rests on", (_hashes(run),)),
    ]


def share(value: float | None, n: int) -> str:
    """A share in percent with its 95 % interval."""
    if value is None:
        return "–"
    low, high = wilson(round(value * n), n)
    return f"{value * 100:.0f} % ({low * 100:.0f}–{high * 100:.0f})"


def _arms(run: Mapping[str, Any]) -> Table:
    rows = [
        (
            arm,
            *(share(numbers[axis], numbers.get(f"{axis}_n", numbers["n"])) for axis in (*AXES, "both")),
            str(numbers["n"]),
            f"{numbers['latency_p50_s']:.2f} s",
            ARMS[arm].why,
        )
        for arm, numbers in run["arms"].items()
    ]
    return Table(("arm", "content", "behaviour", "both", "n", "time", "what it shows"), tuple(rows))


def _differences(run: Mapping[str, Any]) -> Table:
    rows = [
        (
            row["axis"],
            f"{row['b']} − {row['a']}",
            f"{row['difference'] * 100:+.1f}",
            f"{row['low'] * 100:+.1f} to {row['high'] * 100:+.1f}",
            str(row["wins"]),
            str(row["losses"]),
            str(row["ties"]),
            f"{row['p']:.4f}",
        )
        for row in run["differences"]
        if row["n"]
    ]
    return Table(("axis", "difference", "points", "95 % interval", "repaired", "broken", "same", "p"), tuple(rows))


def _interaction(run: Mapping[str, Any]) -> list[str]:
    said = []
    for axis, value in (run.get("interaction") or {}).items():
        if value:
            verb = "more" if value["difference"] >= 0 else "less"
            said.append(
                f"{axis}: retrieval gains {abs(value['difference']) * 100:.0f} points {verb} on the tuned model than "
                f"on the base model (95 % interval {value['low'] * 100:+.0f} to {value['high'] * 100:+.0f})."
            )
    return said


def _causes(run: Mapping[str, Any]) -> Table:
    names = [name for name in ADVICE if any(counts.get(name) for counts in run["causes"].values())]
    rows = [(name, *(str(run["causes"][axis].get(name, "–")) for axis in AXES), ADVICE[name]) for name in names]
    return Table(("cause", *AXES, "what to do"), tuple(rows))


def _regressions(run: Mapping[str, Any]) -> list[str]:
    broken = [
        f"{arm} ({', '.join(f'{count} {axis}' for axis, count in counts.items() if count)})"
        for arm, counts in run["regressions"].items()
        if any(counts.values())
    ]
    return [f"Wrong although base is right: {'; '.join(broken)}."] if broken else []


def _examples(run: Mapping[str, Any]) -> tuple[str | Table, ...]:
    parts: list[str | Table] = []
    for axis in AXES:
        for name in ADVICE:
            rows = [row for row in run["rows"] if row["cause"].get(axis) == name and name != "solved"]
            if rows:
                parts.append(f"{axis}: {name} ({len(rows)})")
                parts.append(_answers(rows[:SHOWN_ROWS]))
    return tuple(parts) or ("No failures.",)


def _answers(rows: Sequence[Mapping[str, Any]]) -> Table:
    listed = [
        (row["question"], " or ".join(row["expected"]) or "a refusal", arm, said["text"])
        for row in rows
        for arm, said in row["answers"].items()
    ]
    return Table(("question", "expected", "arm", "answer"), tuple(listed))


def _method(run: Mapping[str, Any]) -> tuple[str, ...]:
    effect = run["minimum_detectable_effect"] * 100
    return (
        f"{run['n']} gold questions were answered under {len(run['arms'])} arms with the same prompt template and "
        f"greedy decoding by {run['model']}. {run['excluded']} questions were excluded for want of a base answer.",
        "Each answer has two verdicts: content (are the facts right) and behaviour (do the project's checks hold). An "
        "arm that repairs a failure is its cause. Differences are paired; p is exact McNemar, Holm-adjusted in the "
        "verdict.",
        f"The smallest gain that so many questions show with power 0.8 is {effect:.0f} points, if 5 % are broken.",
        "The result holds for this model and these questions. A larger model may read or behave without training.",
    )


def _hashes(run: Mapping[str, Any]) -> Table:
    facts = {
        "run": run["run"],
        "created": run["created"],
        "machine": run["machine"],
        "adapter": run["adapter"] or "none",
    }
    return Table(("what", "value"), tuple((key, str(value)) for key, value in [*facts.items(), *run["hashes"].items()]))


def _title(run: Mapping[str, Any]) -> str:
    return f"{run['title']}: {run['decision']['route']}"


def _markdown(run: Mapping[str, Any], parts: Sequence[Section]) -> str:
    blocks = [f"# {_plain(_title(run))}", _plain(run["description"])]
    for section in parts:
        blocks.append(f"## {section.title}")
        blocks += [_markdown_table(part) if isinstance(part, Table) else _plain(part) for part in section.parts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _plain(text: str) -> str:
    """One line in which nothing is read as markup."""
    line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in line)


def _markdown_table(value: Table) -> str:
    lines = [value.headers, tuple("---" for _ in value.headers), *value.rows]
    cells = [lines[0], lines[1], *[tuple(map(_plain, row)) for row in lines[2:]]]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


STYLE = """
:root { color-scheme: light dark; --line: #cbd5e1; --mute: #475569; }
@media (prefers-color-scheme: dark) { :root { --line: #475569; --mute: #cbd5e1; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; } p.mute { color: var(--mute); } svg text { fill: currentColor; font-size: 11px; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def _html(run: Mapping[str, Any], parts: Sequence[Section]) -> str:
    body = [f"<h1>{escape(_title(run))}</h1>", f'<p class="mute">{escape(run["description"])}</p>', bars(run)]
    for section in parts:
        body.append(f"<h2>{escape(section.title)}</h2>")
        body += [_html_table(part) if isinstance(part, Table) else f"<p>{escape(part)}</p>" for part in section.parts]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(_title(run))}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _html_table(value: Table) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in value.headers)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in value.rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"


def bars(run: Mapping[str, Any]) -> str:
    """Shares of right answers per arm as an inline SVG, 100 pixels for the whole."""
    shapes = []
    for place, (arm, numbers) in enumerate(run["arms"].items()):
        left = place * 84
        shapes.append(f'<text x="{left + 34}" y="126" text-anchor="middle">{escape(arm)}</text>')
        for side, axis in enumerate(AXES):
            if (value := numbers[axis]) is not None:
                x, height = left + 8 + side * 28, value * 100
                shapes.append(
                    f'<rect x="{x}" y="{112 - height:.1f}" width="24" height="{height:.1f}" fill="{COLOURS[axis]}"/>'
                    f'<text x="{x + 12}" y="{108 - height:.1f}" text-anchor="middle">{value * 100:.0f}</text>'
                )
    width = max(1, len(run["arms"])) * 84
    key = " ".join(f'<tspan fill="{colour}">■ {axis}</tspan>' for axis, colour in COLOURS.items())
    return (
        f'<svg viewBox="0 -14 {width} 164" width="{width}" style="max-width:100%" role="img" '
        f'aria-label="Right answers per arm in percent">{"".join(shapes)}<text x="8" y="144">{key}</text></svg>'
    )
