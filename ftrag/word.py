"""A Word document's blocks in order: what a reader of it sees, also where python-docx's own lists do not look.

Text stands in content controls and tracked insertions too, and notes, headers and footers are parts of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ftrag.layout import Block, table_text

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NOTES = ("footnotes", "endnotes", "header", "footer")  # the order in which they follow the text
_SKIPPED = {f"{W}{name}" for name in ("del", "moveFrom", "rPr", "pPr", "sdtPr", "instrText")} | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # says again what its Choice says
}
_SAID = {f"{W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}
_SIGNS = {f"{W}tab": " ", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}


def word_blocks(document: Any) -> Iterator[Block]:
    """Blocks of the text, then of foot- and endnotes, headers and footers, each of them once."""
    names = {style.style_id: style.name or "" for style in document.styles}
    yield from _blocks(document.element.body, names)
    seen: set[str] = set()
    for part in _parts(document):
        for block in _blocks(part, names):
            if block.text not in seen:
                seen.add(block.text)
                yield Block(block.text)


def _parts(document: Any) -> Iterator[Any]:
    """The XML of the notes, headers and footers, in the order of NOTES."""
    from docx.oxml import parse_xml

    related = [part for part in document.part.rels.values() if not part.is_external]
    for kind in NOTES:
        for relation in related:
            if relation.reltype.rsplit("/", 1)[-1] == kind:
                yield parse_xml(relation.target_part.blob)


def _blocks(parent: Any, names: dict[str, str]) -> Iterator[Block]:
    for node in parent:
        if node.tag == f"{W}p":
            yield _paragraph(node, names)
        elif node.tag == f"{W}tbl":
            yield Block(table_text([_cells(row) for row in _below(node, "tr")]))
        elif node.tag not in _SKIPPED:
            yield from _blocks(node, names)


def _paragraph(node: Any, names: dict[str, str]) -> Block:
    style = names.get(_attribute(node, "pStyle"), "")
    level = re.fullmatch(r"Heading ([1-6])", style)
    said = _text(node).strip()
    listed = style.startswith("List") or node.find(f"{W}pPr/{W}numPr") is not None
    mark = "- " if listed and not level and said else ""
    return Block(mark + said, level=int(level.group(1)) if level else int(style == "Title"))


def _attribute(node: Any, name: str) -> str:
    found = node.find(f"{W}pPr/{W}{name}")
    return str(found.get(f"{W}val")) if found is not None else ""


def _cells(row: Any) -> list[str]:
    """A row's cells; one that spans several columns stands in the first of them."""
    cells: list[str] = []
    for cell in _below(row, "tc"):
        span = cell.find(f"{W}tcPr/{W}gridSpan")
        wide = int(span.get(f"{W}val", "1")) if span is not None else 1
        cells += [" ".join(" ".join(_text(p) for p in cell.iter(f"{W}p")).split())] + [""] * (min(wide, 63) - 1)
    return cells


def _below(parent: Any, name: str) -> Iterator[Any]:
    """The nearest descendants of that name, through content controls but not into them again."""
    for node in parent:
        if node.tag == f"{W}{name}":
            yield node
        elif node.tag not in _SKIPPED:
            yield from _below(node, name)


def _text(node: Any) -> str:
    """What a paragraph or run shows; hidden runs show nothing."""
    if node.tag in _SAID:
        # A comment, which some programs write into a run, and a reference to an entity, which is never read, end
        # a node's text; what follows them is said too.
        return "".join([node.text or "", *(inner.tail or "" for inner in node)])
    if node.tag in _SIGNS:
        return _SIGNS[node.tag]
    if node.tag in _SKIPPED or (node.tag == f"{W}r" and _is_hidden(node)):
        return ""
    parts = [_text(child) for child in node if isinstance(child.tag, str)]
    inner = [" "] if node.tag == f"{W}p" else []  # paragraphs of a text box stand apart
    return "".join([*parts, *inner])


def _is_hidden(run: Any) -> bool:
    """As browsers' hidden elements: what a reader does not see is not what the document says."""
    vanish = run.find(f"{W}rPr/{W}vanish")
    return vanish is not None and vanish.get(f"{W}val", "true") not in ("false", "0")
