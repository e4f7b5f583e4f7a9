"""What a report is made of, whatever it is written as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    dense: bool = False  # many narrow columns: smaller in HTML, so that it fits a sheet of paper


@dataclass(frozen=True)
class Plot:
    kind: str  # "arms", "differences" or "clusters": drawn in HTML, left out in Markdown, whose tables say the same


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[str | Table | Plot, ...]  # paragraphs, tables and plots, in order; a section without parts is left out
    appendix: bool = False  # for looking up: closed in HTML, and printed only where the reader has opened it
