"""From blocks of a file to one text with named places in it: headings' sections, pages, table rows."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ftrag.types import Location

TITLE_CHARACTERS = 200  # of a heading in the name of a place; a longer one is a mistake or an attack
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")  # a line that opens or closes a Markdown code fence


@dataclass(frozen=True)
class Parsed:
    text: str
    locations: tuple[Location, ...] = ()


@dataclass(frozen=True)
class Block:
    """A piece of a document on its way to text."""

    text: str
    level: int = 0  # 1-6: a heading
    label: str = ""  # a named place of its own: "page 3"; rows are named by their table


def sections(headings: Iterable[tuple[int, int, str]], length: int) -> tuple[Location, ...]:
    """Each heading's stretch up to the next heading, labelled with its path: "Refunds > Windows"."""
    rows = list(headings)
    path: list[tuple[int, str]] = []
    places = []
    for (start, level, title), end in zip(rows, [*(row[0] for row in rows[1:]), length], strict=False):
        path = [(depth, name) for depth, name in path if depth < level] + [(level, title[:TITLE_CHARACTERS])]
        places.append(Location(start, end, " > ".join(name for _, name in path)))
    return tuple(places)


def table_text(rows: list[list[str]]) -> str:
    """A Markdown table, its first row the head; "" for no rows."""
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    lines = ["| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def assemble(blocks: Iterable[Block]) -> Parsed:
    """Blocks joined by blank lines, list items by line ends; headings, pages and table rows become locations."""
    parts: list[str] = []
    headings: list[tuple[int, int, str]] = []
    places: list[Location] = []
    at, before = 0, ""
    for block in blocks:
        if not block.text.strip():
            continue
        gap = "" if not parts else "\n" if before.startswith("- ") and block.text.startswith("- ") else "\n\n"
        at += len(gap)
        if block.level:
            headings.append((at, block.level, block.text))
        if block.label:
            places.append(Location(at, at + len(block.text), block.label))
        if block.text.startswith("| "):
            places += _row_places(block.text, at, headings)
        parts += [gap, block.text]
        at, before = at + len(block.text), block.text
    return Parsed("".join(parts), (*sections(headings, at), *places))


def solids(text: str) -> list[tuple[int, int, str]]:
    """[(start, end, "fence" | "table")] of the code fences and Markdown tables of a text, whole lines, in order."""
    found: list[tuple[int, int, str]] = []
    at, fence, opened, before = 0, "", 0, -1  # before: where the line before began, if it can be a table's head
    table = False
    for line in text.splitlines(keepends=True):
        mark, end = FENCE.match(line), at + len(line)
        if mark and (not fence or mark.group(1).startswith(fence)):
            if fence:
                found.append((opened, end, "fence"))
            fence, opened, table, before = "" if fence else mark.group(1), at, False, -1
        elif not fence:
            if table and "|" in line:
                found[-1] = (found[-1][0], end, "table")
            elif table := before >= 0 and _is_rule(line):
                found.append((before, end, "table"))
            before = at if "|" in line else -1
        at = end
    return [*found, (opened, at, "fence")] if fence else found


def table_rows(text: str, headings: Sequence[tuple[int, int, str]]) -> list[Location]:
    """The rows of the Markdown tables in a text; the head and the rule below it are not counted."""
    starts = [start for start, _, _ in headings]
    places: list[Location] = []
    for start, end, kind in solids(text):
        if kind == "table":
            above = bisect_right(starts, start)
            at = start
            for number, line in enumerate(text[start:end].splitlines(keepends=True), start=-1):
                if number > 0:
                    name = _row_name(number, headings[above - 1 : above] if above else ())
                    places.append(Location(at, at + len(line.rstrip()), name))
                at += len(line)
    return places


def _is_rule(line: str) -> bool:
    """The line below a table's head, such as | --- | :-: |."""
    return set(line.strip()) <= set("|-: \t") and "-" in line


def _row_name(number: int, headings: Sequence[tuple[int, int, str]]) -> str:
    return f"{headings[-1][2][:TITLE_CHARACTERS]} > row {number}" if headings else f"row {number}"


def _row_places(table: str, at: int, headings: list[tuple[int, int, str]]) -> list[Location]:
    places = []
    for number, line in enumerate(table.split("\n")):
        if number >= 2:  # the head and the rule below it are not counted
            places.append(Location(at, at + len(line), _row_name(number - 1, headings[-1:])))
        at += len(line) + 1
    return places
