"""From blocks of a file to one text with named places in it: headings' sections, pages, table rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ftrag.types import Location

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
        path = [(depth, name) for depth, name in path if depth < level] + [(level, title)]
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


def _row_places(table: str, at: int, headings: list[tuple[int, int, str]]) -> list[Location]:
    head = f"{headings[-1][2]} > " if headings else ""
    places = []
    for number, line in enumerate(table.split("\n")):
        if number >= 2:  # the head and the rule below it are not counted
            places.append(Location(at, at + len(line), f"{head}row {number - 1}"))
        at += len(line) + 1
    return places
