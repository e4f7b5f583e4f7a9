"""A web page's blocks in order. Data tables become Markdown tables; of layout tables only the contents stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ftrag.html_tree import BLOCKS, CELLS, HEADINGS, Element, below, tree, words
from ftrag.layout import Block, table_text

Node = Element | Block | str | None  # None: the end of a block element


def page_blocks(markup: str) -> Iterator[Block]:
    """Blocks in reading order. Walks by an explicit stack: nesting may be deeper than Python's recursion limit."""
    line: list[str] = []
    stack: list[Node] = [tree(markup)]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            line.append(re.sub(r"\s+", " ", node))
        elif isinstance(node, Element) and node.name == "br":
            line.append("\n")
        elif isinstance(node, Element) and node.name not in BLOCKS:
            stack += reversed(node.children)
        else:
            yield Block(_tidy(line))
            line = []
            if isinstance(node, Block):
                yield node
            elif node is not None:
                stack += [None, *reversed(_inside(node))]
                line = ["- "] if node.name == "li" else []
    yield Block(_tidy(line))


def _inside(element: Element) -> Sequence[Node]:
    if element.name in HEADINGS:
        return [Block(words(element), level=int(element.name[1]))]
    if element.name == "pre":
        return [Block("```\n" + _verbatim(element).strip("\n") + "\n```")]
    return _table(element) if element.name == "table" else element.children


def _table(table: Element) -> list[Node]:
    """Its caption, then what its writer put between the cells, then the rows or, of a layout table, the cells."""
    captions: list[Node] = []
    strays: list[Element | str] = []
    rows: list[list[Element]] = []
    for node in below(table, uncut=CELLS | {"caption"}):
        if isinstance(node, str):
            strays.append(node)
        elif node.name == "caption":
            captions.append(Block(words(node)))
        elif node.name == "tr":
            rows.append([])
        elif node.name in CELLS:
            rows[-1].append(node)
    if _is_layout(rows):
        return [*captions, Element("div", strays), *(cell for row in rows for cell in row)]
    text = table_text([[words(cell) for cell in row] for row in rows])
    return [*captions, Element("div", strays), Block(text)]


def _is_layout(rows: list[list[Element]]) -> bool:
    """Whether a table only arranges the page: its cells hold tables, headings or code, or it is one column of blocks.

    Paragraphs and lists in the cells of several columns are data: many programs write every cell so.
    """
    column = all(len(row) < 2 for row in rows)
    return any(_arranges(cell, column) for row in rows for cell in row)


def _arranges(cell: Element, column: bool) -> bool:
    telling = BLOCKS if column else {"table", "pre"} | (HEADINGS if cell.name == "td" else set())
    return any(isinstance(node, Element) and node.name in telling for node in below(cell))


def _tidy(parts: list[str]) -> str:
    text = "\n".join(" ".join(line.split()) for line in "".join(parts).split("\n")).strip()
    return "" if text == "-" else text


def _verbatim(pre: Element) -> str:
    return "".join(node if isinstance(node, str) else "\n" * (node.name == "br") for node in below(pre))
