"""The report as Markdown: the sections in order, tables for tables, nothing of a row read as markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.report_parts import Plot, Section, Table


def page(run: Mapping[str, Any], title: str, parts: Sequence[Section]) -> str:
    blocks = [f"# {_plain(title)}", _plain(run.get("description") or "")]
    for section in parts:
        blocks.append(f"## {section.title}")
        blocks += [_block(part) for part in section.parts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _block(part: str | Table | Plot) -> str:
    """A paragraph or a table; a plot is nothing here."""
    if isinstance(part, str):
        return _plain(part)
    return _table(part) if isinstance(part, Table) else ""


def _plain(text: str) -> str:
    """One line in which nothing is read as markup."""
    line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#&" else sign for sign in line)


def _table(value: Table) -> str:
    lines = [value.headers, tuple("---" for _ in value.headers), *[tuple(map(_plain, row)) for row in value.rows]]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
