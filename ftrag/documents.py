"""An uploaded file becomes one document, or several out of a zip: extracted text with named places in it."""

from __future__ import annotations

import hashlib
import math
import re
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ftrag.errors import InputError
from ftrag.layout import Parsed
from ftrag.parsers import MAX_CHARACTERS, PLAIN, RISKY
from ftrag.quotas import limit
from ftrag.sandbox import LimitError, Reader
from ftrag.types import Document, Location

MAX_BYTES = 50_000_000  # of one uploaded file
LARGE_PAGE_BYTES = 100_000  # one tag of so many bytes takes lexbor a second
LARGE_PAGE_WORK = 10_000_000  # bytes times tags: of so many, unclosed <b> and <p> give half a million elements
PATIENCE_SECONDS = 4.0  # that the members of a zip may take together beyond what their sizes explain
NAME_BYTES = 200  # of a document's name: file systems hold 255, and temporary names are longer
SUFFIXES = (*PLAIN, *RISKY, ".zip")

Taken = TypeVar("Taken")


@dataclass(frozen=True)
class Refused:
    file: str  # the file's name; "archive.zip/member" inside a zip
    reason: str  # one sentence: what is wrong and what to do


def extract(path: Path) -> list[Document]:
    """The documents of one file: one, or all readable members of a zip. InputError says what is wrong with it."""
    found, refused = unpack(path)
    if not found:
        one = refused[0] if len(refused) == 1 else Refused(path.name, "it holds no file that can be read")
        raise InputError(one.reason if path.name in one.reason else f"{one.file}: {one.reason}")
    return found


def unpack(path: Path) -> tuple[list[Document], list[Refused]]:
    """As `extract`, but a bad file or member is a row with its reason, and the rest goes on."""
    return each(path, lambda name, file, reader: read(file, name, reader))


def each(path: Path, take: Callable[[str, Path, Reader], Taken]) -> tuple[list[Taken], list[Refused]]:
    """What `take(name, file, reader)` makes of an uploaded file, or of each member of a zip, and what was refused.

    After a member that breaks the limits, or members that together take much longer than their sizes explain, only
    plain formats are read, so that many bombs take no longer than one.
    """
    patience = PATIENCE_SECONDS if path.suffix.lower() == ".zip" else math.inf
    with tempfile.TemporaryDirectory(prefix="ftrag-zip-") as folder, Reader(patience) as reader:
        try:
            members, refused = _members(path, Path(folder), reader)
        except InputError as error:
            return [], [Refused(path.name, str(error))]
        taken: list[Taken] = []
        why = ""
        for name, file in members:
            shown = name if file == path else f"{path.name}/{name}"
            if why and _in_child(file, name):
                refused.append(Refused(shown, f"{shown} was not read, because {why}"))
                continue
            try:
                taken.append(take(name, file, reader))
            except InputError as error:
                why = f"{shown} broke the limits; remove that one" if isinstance(error, LimitError) else why
                refused.append(Refused(shown, str(error)))
            if reader.late > reader.patience and not why:
                why = "the files before it took far longer than their sizes explain; upload it by itself"
    return taken, refused


def read(path: Path, name: str = "", reader: Reader | None = None) -> Document:
    """One file that is no archive, as a document called `name` (default: the file's own name)."""
    if reader is None:
        with Reader() as own:
            return read(path, name, own)
    name = name or path.name
    check(path, name)
    suffix = Path(name).suffix.lower()
    data = path.read_bytes()
    parsed = reader.parse(path, suffix, name) if _in_child(path, name) else _parse(data, suffix, name)
    most = min(MAX_CHARACTERS, limit("characters"))
    if len(parsed.text) > most:
        raise InputError(f"{name} holds {len(parsed.text):,} characters, over {most:,}; split it")
    if not parsed.text.strip():
        raise InputError(f"{name} holds no text{_HINTS.get(suffix, '')}")
    places = tuple(replace(place, label=_sound(place.label)) for place in parsed.locations)
    return Document(name, _sound(parsed.text), hashlib.sha256(data).hexdigest(), places)


def _sound(text: str) -> str:
    """Halves of surrogate pairs, which JSON can spell and no encoding can, become U+FFFD; offsets stay."""
    return _HALF.sub("\ufffd", text)


_HALF = re.compile("[\ud800-\udfff]")


def _in_child(path: Path, name: str) -> bool:
    """Whether a file is parsed under limits: pdf and docx, of which bombs are made, and a page that takes long."""
    suffix = Path(name).suffix.lower()
    return suffix in RISKY or (suffix in (".html", ".htm") and _takes_long(path))


def _takes_long(path: Path) -> bool:
    """Whether a page's tags could take lexbor seconds: what is left open is opened again in each block after it."""
    size = path.stat().st_size
    return size > LARGE_PAGE_BYTES or size * path.read_bytes().count(b"<") > LARGE_PAGE_WORK


def check(path: Path, name: str) -> None:
    """InputError unless `path` is a readable, non-empty file of a known type and size with a name that can be kept."""
    suffix = Path(name).suffix.lower()
    if problem := _name_problem(name):
        raise InputError(f"{name[:60].encode(errors='replace').decode()!r} {problem}; rename the file")
    if not path.is_file():
        raise InputError(f"{name} is not a file; give the path of a file that exists")
    if suffix not in SUFFIXES:
        raise InputError(f"{name} is of an unknown type; save it as one of {', '.join(s[1:] for s in SUFFIXES)}")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{name} is empty; upload a file with text in it")
    if size > MAX_BYTES:
        raise InputError(f"{name} has {size:,} bytes, over {MAX_BYTES:,}; split it")


def _name_problem(name: str) -> str:
    if name.startswith("."):
        return "begins with a dot, as hidden files do"
    if not name.isprintable():  # control characters, and bytes that are no UTF-8
        return "has signs in its name that cannot be shown"
    return f"is longer than {NAME_BYTES} bytes" if len(name.encode()) > NAME_BYTES else ""


Where = Callable[[int, int], str]  # [start, end) -> its name


def location(document: Document, start: int, end: int) -> str:
    """Where [start, end) lies, for a citation: "page 3", "rows 4–6", "Refunds > Windows"; "" if nothing names it."""
    return locator(document)(start, end)


def locator(document: Document) -> Where:
    """`location` of one document, for many places: a table may have 50,000 named rows."""
    label = _labels(document.locations)

    def where(start: int, end: int) -> str:
        first, last = label(start), label(max(start, end - 1))
        if first == last or not last:
            return first
        if not first:
            return last
        stem, _, number = first.rpartition(" ")
        other, _, to = last.rpartition(" ")
        counted = stem == other and number.isdigit() and to.isdigit()
        return f"{stem}s {number}–{to}" if counted else f"{first} – {last}"

    return where


def _labels(places: Sequence[Location]) -> Callable[[int], str]:
    """Offset -> the label of the smallest place around it, by bisection in layers of places that do not overlap."""
    layers: list[list[Location]] = []
    for place in sorted(places, key=lambda place: place.start):
        free = next((layer for layer in layers if layer[-1].end <= place.start), None)
        if free is None:
            layers.append([place])
        else:
            free.append(place)
    starts = [[place.start for place in layer] for layer in layers]

    def label(at: int) -> str:
        last = [(layer, bisect_right(begin, at) - 1) for layer, begin in zip(layers, starts, strict=True)]
        around = [layer[i] for layer, i in last if i >= 0 and at < layer[i].end]
        return min(around, key=lambda place: place.end - place.start).label if around else ""

    return label


_HINTS = {".pdf": "; if it is a scan, run text recognition (OCR) on it first"}


def _parse(data: bytes, suffix: str, name: str) -> Parsed:
    try:
        return PLAIN[suffix](data)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _members(path: Path, folder: Path, reader: Reader) -> tuple[list[tuple[str, Path]], list[Refused]]:
    """(name, file) of each member of a zip, unpacked into `folder`; of another file, itself."""
    check(path, path.name)
    if path.suffix.lower() != ".zip":
        return [(path.name, path)], []
    members, refused = reader.unzip(path, folder, SUFFIXES)
    return members, [Refused(f"{path.name}/{name}", reason) for name, reason in refused]
