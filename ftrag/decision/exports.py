"""A recommendation as Markdown and as one HTML file; the page shows the same sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ftrag.decision.charts import break_even_svg
from ftrag.decision.questions import BY_KEY
from ftrag.decision.rows import TITLES
from ftrag.decision.scoring import UNKNOWN

STATES = {"yes": "✓ yes", "no": "✗ no", "open": "? open"}
FORMATS = ("md", "html", "json")

STYLE = """
.dc-table{width:100%;border-collapse:collapse;font-size:.95em;margin:0;border:0!important}
.dc-table tr{border:0!important}
.dc-table th,.dc-table td{padding:.4em .6em;text-align:left;vertical-align:top;
border:0!important;border-bottom:1px solid var(--border-color-primary,#ccc)!important;overflow-wrap:break-word}
.dc-table th{font-weight:600}.dc-table th:first-child,.dc-table td:first-child{padding-left:0!important}
.dc-table .num{text-align:right!important;white-space:nowrap;font-variant-numeric:tabular-nums}
.dc-list{margin:.2em 0;padding-left:1.2em}.dc-list li{margin:.3em 0}
@media (max-width:640px){.dc-plot text{font-size:19px}
.dc-table{font-size:.85em}.dc-table th,.dc-table td{padding:.35em .25em!important}
.dc-table.stack thead{display:none}
.dc-table.stack tr{display:block;padding:.5em 0;border-bottom:1px solid var(--border-color-primary,#ccc)!important}
.dc-table.stack td{display:block;border:0!important;padding:.1em 0!important;text-align:left!important;
white-space:normal}
.dc-table.stack td::before{content:attr(data-label) ": ";font-weight:600}}
"""

PAGE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
"""


@dataclass(frozen=True)
class Section:
    title: str
    columns: tuple[str, ...]  # empty: `rows` is a list of one-cell rows
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()  # columns that are set flush right


def usd(value: float) -> str:
    """Dollars as a reader wants them: cents only where they matter."""
    if 0 < value < 0.0001:
        return "under $0.0001"
    return f"${value:,.0f}" if value >= 100 or value == 0 else f"${value:,.2f}" if value >= 0.01 else f"${value:.4f}"


def amount(value: float) -> str:
    """A number without a tail of zeros: 300, 2.5, 1,000,000."""
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def label_of(key: str, text: str) -> str:
    """An answer as the page words it: "They decide" for high, the text itself for numbers."""
    labels = {option.id: option.label for option in BY_KEY[key].options}
    return labels.get(text, text) if BY_KEY[key].kind == "choice" else text


def why(result: Mapping[str, Any]) -> Section:
    rows = tuple(
        (f"{BY_KEY[r['factor']].text} {label_of(r['factor'], r['answer'])}", r["effect"], r["why"], r["source"])
        for r in result["reasons"]
    )
    return Section("Why", ("Your answer", "Effect", "Why", "Source"), rows)


def warnings(result: Mapping[str, Any]) -> Section:
    return Section("Warnings", (), tuple((text,) for text in result["warnings"]))


def changes(result: Mapping[str, Any]) -> Section:
    """Every smallest set of other answers, and the route that it leads to."""
    rows = tuple((" and ".join(map(_change, row["changes"])), row["route"]) for row in result["would_change"])
    return Section("What would change it", ("If you answered", "the route would be"), rows)


def _change(change: Mapping[str, Any]) -> str:
    options = BY_KEY[change["factor"]].options
    to = next(option.label for option in options if change["to"] in (option.sample, option.id))
    now = f" (now: {label_of(change['factor'], change['from'])})" if change["from"] else ""
    return f"{BY_KEY[change['factor']].text} {to}{now}"


def checklist(result: Mapping[str, Any]) -> Section:
    rows = tuple((STATES[row["state"]], row["item"]) for row in result["checklist"])
    return Section("Before you fine-tune", ("Settled", "Point"), rows)


def recipe(result: Mapping[str, Any]) -> Section:
    rows = tuple((row["step"], row["setting"], row["source"]) for row in result["recipe"])
    return Section("How to build it", ("Step", "Setting", "Source"), rows)


def costs(cost: Mapping[str, Any]) -> Section:
    keys = ("one_time_usd", "monthly_usd", "two_year_usd")
    rows = tuple((row["route"], *(usd(row[key]) for key in keys)) for row in cost["options"])
    return Section("Costs", ("Route", "Once", "Monthly", "Two years"), rows, (1, 2, 3))


def break_even(cost: Mapping[str, Any]) -> Section:
    """The pairs whose lines cross, and one sentence about the others."""
    found = [row["text"] for row in cost["break_even"] if row["monthly_queries"] is not None]
    rest = "No other two lines cross." if found else "No two lines cross between one question a month and a billion."
    return Section("Break-even", (), tuple((text,) for text in [*found, rest]))


def cost_lines(option: Mapping[str, Any]) -> Section:
    """Every line of one route with its formula, inputs and basis."""
    rows = tuple(
        (
            line["item"],
            line["period"],
            usd(line["usd"]),
            line["formula"],
            ", ".join(f"{name} {amount(value)}" for name, value in line["inputs"].items()),
            line["basis"],
        )
        for line in option["lines"]
    )
    return Section(f"Lines of {option['route']}", ("Item", "Paid", "USD", "Formula", "Inputs", "Basis"), rows, (2,))


def cost_inputs(cost: Mapping[str, Any]) -> Section:
    rows = tuple(
        (row["label"], amount(row["value"]), row["unit"], row["basis"], row["source"], row["date"])
        for row in cost["inputs"]
    )
    return Section("Cost inputs", ("Input", "Value", "Unit", "Basis", "Source", "Date"), rows, (1, 5))


def sections(result: Mapping[str, Any]) -> list[Section]:
    """All sections that hold anything, in the order of the page."""
    cost = result["cost"]
    found = [why(result), warnings(result), changes(result), checklist(result), recipe(result), costs(cost)]
    found += [break_even(cost), *(cost_lines(option) for option in cost["options"]), cost_inputs(cost)]
    return [section for section in [*found, sources()] if section.rows]


def sources() -> Section:
    return Section("Sources", ("Short name", "Source"), TITLES)


def points(result: Mapping[str, Any]) -> str:
    return "Points: " + ", ".join(f"{route} {score}" for route, score in result["scores"].items())


def decided(result: Mapping[str, Any]) -> str:
    """What decided, in a sentence; empty while nothing was answered."""
    if not result["answers"]:
        return ""
    if result["route"] == UNKNOWN:
        return "Nothing is decided yet."
    hard = [
        f"{BY_KEY[r['factor']].text} {label_of(r['factor'], r['answer'])}: {r['effect'].split(';')[0]}"
        for r in result["reasons"]
        if f" {r['factor']} {r['answer']} " in f" {result['decided_by']}"
    ]
    return f"Decided by a hard constraint: {'; '.join(hard)}." if hard else "Decided by points."


def to_markdown(result: Mapping[str, Any]) -> str:
    """The recommendation as Markdown with tables."""
    head = [f"# Recommendation: {result['route']}", result["sentence"], f"{points(result)}. {decided(result)}".strip()]
    return "\n\n".join([*head, *(_markdown(section) for section in sections(result))]) + "\n"


def _markdown(section: Section) -> str:
    if not section.columns:
        return f"## {section.title}\n\n" + "\n".join(f"- {_plain(row[0])}" for row in section.rows)
    rule = ["---:" if i in section.numbers else "---" for i in range(len(section.columns))]
    rows = [section.columns, rule, *(map(_plain, row) for row in section.rows)]
    return f"## {section.title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _plain(cell: str) -> str:
    return cell.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("\n", " ")


def html_of(section: Section, stack: bool = True) -> str:
    """One section as a list or a table; on a narrow screen each row of a stacked table becomes a block."""
    if not section.rows:
        return ""
    if not section.columns:
        return '<ul class="dc-list">' + "".join(f"<li>{escape(row[0])}</li>" for row in section.rows) + "</ul>"
    head = "".join(f"<th{_number(section, i)}>{escape(name)}</th>" for i, name in enumerate(section.columns))
    body = "".join(f"<tr>{_cells(section, row)}</tr>" for row in section.rows)
    kind = "dc-table stack" if stack else "dc-table"
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cells(section: Section, row: Sequence[str]) -> str:
    return "".join(
        f'<td data-label="{escape(section.columns[i])}"{_number(section, i)}>{escape(cell)}</td>'
        for i, cell in enumerate(row)
    )


def _number(section: Section, column: int) -> str:
    return ' class="num"' if column in section.numbers else ""


def to_html(result: Mapping[str, Any]) -> str:
    """The recommendation as one file that needs nothing from the network and follows the reader's colour scheme."""
    said = f"{points(result)}. {decided(result)}"
    parts = [f"<h2>{escape(section.title)}</h2>{html_of(section)}" for section in sections(result)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>Recommendation: {escape(result["route"])}</title>'
        f"<style>{PAGE}{STYLE}</style></head><body><h1>Recommendation: {escape(result['route'])}</h1>"
        f"<p><strong>{escape(result['sentence'])}</strong></p><p>{escape(said)}</p>"
        f"{break_even_svg(result['cost'])}{''.join(parts)}</body></html>\n"
    )
