"""A page's markup as a tree of what it shows, parsed by lexbor (selectolax) as browsers do.

html.parser closes no table cells and takes minutes for small pages of junk; libxml2 drops, without a word, whatever is
nested deeper than 2,048.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


def _names(said: str) -> frozenset[str]:
    return frozenset(said.split())


HEADINGS = _names("h1 h2 h3 h4 h5 h6")
BLOCKS = HEADINGS | _names(  # elements that stand on lines of their own
    "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer form header "
    "hr html li main nav ol p pre section summary table td th ul"
)
CELLS = frozenset({"td", "th"})
_UNSEEN = _names("script style template noscript head title svg iframe object noembed noframes")


@dataclass(slots=True, eq=False)
class Element:
    name: str
    children: list[Element | str] = field(default_factory=list)


def tree(markup: str) -> Element:
    """The page without comments, scripts and hidden elements."""
    from selectolax.lexbor import LexborHTMLParser

    top = Element("")
    root = LexborHTMLParser(markup).root
    stack = [(root, top)] if root is not None else []
    while stack:  # nesting may be deeper than Python's recursion limit
        node, parent = stack.pop()
        if node.tag == "-text":
            parent.children.append(node.text_content or "")
        elif node.tag and not node.tag.startswith(("-", "!")) and node.tag not in _UNSEEN and not _is_hidden(node):
            element = Element(node.tag)
            parent.children.append(element)
            stack += [(child, element) for child in reversed(list(node.iter(include_text=True)))]
    return top


def _is_hidden(node: Any) -> bool:
    """What a reader of the page does not see is not what the page says."""
    attributes = node.attributes
    style = "".join((attributes.get("style") or "").lower().split())
    return "hidden" in attributes or "display:none" in style or "visibility:hidden" in style


def words(element: Element) -> str:
    """All the text of an element on one line."""
    return " ".join(" ".join(node for node in below(element) if isinstance(node, str)).split())


def below(element: Element, uncut: Iterable[str] = ()) -> Iterator[Element | str]:
    """All nodes inside an element in reading order; nothing of elements of the names in `uncut` but themselves."""
    stack = list(reversed(element.children))
    while stack:  # nesting may be deeper than Python's recursion limit
        node = stack.pop()
        yield node
        if isinstance(node, Element) and node.name not in uncut:
            stack += reversed(node.children)
