"""A page's markup as a tree of what it shows, in time linear in its length whatever stands in it.

Why not a library: html.parser closes no table cells and takes minutes for small pages of junk, and libxml2 drops,
without a word, whatever is nested deeper than 2,048. Of HTML's rules only those that move text are followed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape


def _names(said: str) -> frozenset[str]:
    return frozenset(said.split())


HEADINGS = _names("h1 h2 h3 h4 h5 h6")
BLOCKS = HEADINGS | _names(  # elements that stand on lines of their own
    "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer form header "
    "hr html li main nav ol p pre section summary table td th ul"
)
CELLS = frozenset({"td", "th"})
_UNSEEN = _names("script style template noscript head title svg iframe object noembed noframes")
_RAW = _names("script style noscript title iframe noembed noframes textarea xmp")  # hold no elements
_VOID = _names("area base br col embed hr img input link meta param source track wbr")  # hold nothing
_OF_HEAD = _names("base basefont bgsound link meta noscript script style template title")
_GROUPS = _names("tbody thead tfoot colgroup")
_OF_TABLE = CELLS | _GROUPS | {"tr", "caption"}
_LISTS = _names("ul ol dl menu")
_ENDS_P = BLOCKS - _OF_TABLE
_ENDS_ITS_LIKE = HEADINGS | {"option"}
_ITEMS = {"li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd")}  # an item ends the one before it

# Every part takes all that it can and gives nothing back ("*+"), and the end of the page ends everything: no sign is
# looked at twice, however many things are left open.
_VALUE = r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>"'][^\s>]*+)"""
_ATTRIBUTE = rf"(?:=[^\s/>=]*+|[^\s/>=]++)(?:\s*+=\s*+{_VALUE}?+)?+"
_MARK = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"  # a comment
    r"|<(?:[!?]|/(?![a-zA-Z]))[^>]*+(?:>|\Z)"  # a doctype, or junk that is taken for a comment
    rf"|<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<rest>(?:[\s/]++|{_ATTRIBUTE})*+)(?P<close>>|\Z)",
    re.DOTALL,
)
_PAIR = re.compile(rf"(=[^\s/>=]*+|[^\s/>=]++)(?:\s*+=\s*+({_VALUE})?+)?+")


@dataclass(slots=True, eq=False)
class Element:
    name: str
    children: list[Element | str] = field(default_factory=list)


def tree(markup: str) -> Element:
    """The page without comments, scripts and hidden elements; only tables' own cells stand in their rows."""
    page = _Page()
    for kind, name, rest in _tokens(markup):
        if kind == "text":
            page.text(name)
        elif kind == "end":
            page.end(name)
        else:
            page.start(name, hidden=name in _UNSEEN or _is_hidden(rest))
            if name not in _VOID and _is_closed(rest):
                page.end(name)
    return page.root


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


def _tokens(markup: str) -> Iterator[tuple[str, str, str]]:
    """("text", text, ""), ("start", name, attributes) and ("end", name, "") in order."""
    at = 0
    while found := _MARK.search(markup, at):
        if found.start() > at:
            yield "text", _unescaped(markup[at : found.start()]), ""
        at = found.end()
        name = (found["name"] or "").lower()
        if not name or not found["close"]:  # a comment, or a tag that the page's end cuts
            continue
        yield "end" if found["end"] else "start", name, found["rest"]
        if name in _RAW and not found["end"] and not _is_closed(found["rest"]):
            end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(markup, at)
            said = markup[at : end.start() if end else len(markup)]
            at += len(said)
            yield "text", _unescaped(said) if name == "textarea" else said, ""
            if not end:
                return
    yield "text", _unescaped(markup[at:]), ""


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # the number of a character has thousands of digits
        return text


def _is_closed(attributes: str) -> bool:
    """<div/> is open in HTML, but its writer meant that it is not; the sign may end an address without quotes, too."""
    if not attributes.endswith("/"):
        return False
    last = attributes.rsplit(None, 1)[-1]
    return "=" not in last or last[-2] in "\"'"


def _is_hidden(attributes: str) -> bool:
    """What a reader of the page does not see is not what the page says."""
    lower = attributes.lower()
    if "hidden" not in lower and "style" not in lower:  # nearly all tags
        return False
    named: dict[str, str] = {}
    for name, value in _PAIR.findall(attributes):
        named.setdefault(name.lower(), value)
    style = "".join(_unescaped(named.get("style", "")).lower().split())
    return "hidden" in named or "display:none" in style or "visibility:hidden" in style


class _Frame:
    """The open elements inside one cell or caption, or between the cells of one table: end tags reach no further.

    Counts of the open names answer whether an end tag has a start without a walk over the elements between.
    """

    def __init__(self, element: Element) -> None:
        self.open = [element]
        self.counts: defaultdict[str, int] = defaultdict(int, {element.name: 1})
        self.lists: list[str] = []  # the open lists and items: only an item of the innermost list ends

    def push(self, element: Element) -> None:
        self.open.append(element)
        self.counts[_key(element.name)] += 1
        if element.name in _LISTS or element.name in _ITEMS:
            self.lists.append(element.name)

    def close(self, name: str) -> None:
        """The innermost open element of that name with all in it, if there is one."""
        while self.counts[_key(name)] and len(self.open) > 1:
            last = self.open.pop()
            self.counts[_key(last.name)] -= 1
            if last.name in _LISTS or last.name in _ITEMS:
                self.lists.pop()
            if _key(last.name) == _key(name):
                return


def _key(name: str) -> str:
    """What an end tag must share with its start: </h3> ends an <h2>."""
    return "h" if name in HEADINGS else name


class _Page:
    """The tree while it is built."""

    def __init__(self) -> None:
        self.root = Element("")
        self.frames = [_Frame(self.root)]
        self.tables = 0

    @property
    def frame(self) -> _Frame:
        return self.frames[-1]

    def text(self, text: str) -> None:
        if text.strip():
            self._end_head()
        self.frame.open[-1].children.append(text)

    def start(self, name: str, hidden: bool = False) -> None:
        if name not in _OF_HEAD:
            self._end_head()
        if (name in _OF_TABLE and not self.tables) or (name in ("html", "body") and self.frames[0].counts[name]):
            return
        self._end_before(name)
        element = Element(name)
        if not hidden:
            self.frame.open[-1].children.append(element)
        if name in CELLS or name in ("table", "caption"):
            self.frames.append(_Frame(element))
            self.tables += name == "table"
        elif name not in _VOID:
            self.frame.push(element)

    def end(self, name: str) -> None:
        if name == "table" and self.tables:
            self._to_table()
            self.frames.pop()
            self.tables -= 1
        elif name in CELLS or name == "caption":
            if self.frame.open[0].name == name:
                self.frames.pop()
        elif name in _OF_TABLE and self.tables:
            self._to_table()
            self.frame.close(name)
        elif name not in ("html", "body"):  # what follows them is shown, too
            self.frame.close(name)

    def _end_head(self) -> None:
        if self.frame.open[-1].name == "head":
            self.frame.close("head")

    def _to_table(self) -> None:
        while self.frame.open[0].name != "table":
            self.frames.pop()

    def _end_before(self, name: str) -> None:
        """End what may not hold an element of that name: HTML lets writers leave those end tags out."""
        if name in _OF_TABLE:
            self._to_table()
            for ended in () if name in CELLS else ("tr",) if name == "tr" else ("tr", *_GROUPS):
                self.frame.close(ended)
            if name in CELLS and not self.frame.counts["tr"]:
                self.start("tr")
        elif name == "table" and self.frame.open[0].name == "table":  # between cells: no table inside the other
            self.end("table")
        if name in _ENDS_P:
            self.frame.close("p")
        if name in _ITEMS and self.frame.lists and self.frame.lists[-1] in _ITEMS[name]:
            self.frame.close(self.frame.lists[-1])
        if name in _ENDS_ITS_LIKE and _key(self.frame.open[-1].name) == _key(name):
            self.frame.close(name)
