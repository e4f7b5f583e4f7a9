"""A recommendation and its costs as plain text, for a terminal; the page and the files show the same sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.decision import exports
from ftrag.decision.exports import Section, amount, usd


def decision_text(result: Mapping[str, Any]) -> str:
    """The result of `decide`, without the single cost lines."""
    head = [f"Recommendation: {result['route']}", result["sentence"], f"{exports.points(result)}."]
    head += [exports.decided(result)] if result["answers"] else []
    listed = (exports.why(result), exports.warnings(result), exports.changes(result))
    after = (exports.checklist(result), exports.recipe(result))
    parts = ["\n".join(head), *map(_list, listed), *map(_list, after), _costs(result["cost"])]
    return "\n\n".join(part for part in parts if part) + "\n\nEvery cost line with its formula and inputs: --json"


def cost_text(cost: Mapping[str, Any]) -> str:
    """The result of `cost`: totals, every line with its formula and inputs, break-even and prices."""
    options = [_option(option) for option in cost["options"]]
    return "\n\n".join([_costs(cost), *options, _list(exports.break_even(cost)), _inputs(cost["inputs"])])


def _list(section: Section) -> str:
    """A title and a line for each row: the second cell after a colon, a source in brackets."""
    if not section.rows:
        return ""
    sourced = section.columns[-1:] == ("Source",)
    return "\n".join([section.title, *(f"- {_row(row, sourced)}" for row in section.rows)])


def _row(cells: Sequence[str], sourced: bool) -> str:
    said, source = (cells[:-1], f" ({cells[-1]})") if sourced else (cells, "")
    return ": ".join(said[:2]) + "".join(f". {cell}" for cell in said[2:]) + source


def _costs(cost: Mapping[str, Any]) -> str:
    section = exports.costs(cost)
    rows = [section.columns, *section.rows]
    return "\n".join(
        [section.title, *("  " + row[0].ljust(10) + "".join(c.rjust(15) for c in row[1:]) for row in rows)]
    )


def _option(option: Mapping[str, Any]) -> str:
    lines = [f"Lines of {option['route']}"]
    for line in option["lines"]:
        inputs = ", ".join(f"{name} {amount(value)}" for name, value in line["inputs"].items())
        lines.append(f"- {line['item']}: {usd(line['usd'])} {line['period']} = {line['formula']}")
        lines.append(f"    {inputs} ({line['basis']})")
    return "\n".join(lines)


def _inputs(rows: Sequence[Mapping[str, Any]]) -> str:
    said = [
        f"- {row['key']} = {amount(row['value'])} [{row['unit']}]: {row['basis']}"
        f" ({', '.join(part for part in (row['source'], row['date']) if part)})"
        for row in rows
    ]
    return "\n".join(["Cost inputs", *said])
