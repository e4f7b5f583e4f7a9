"""An uploaded file becomes one document, or several out of a zip: extracted text with named places in it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ftrag.errors import InputError
from ftrag.layout import Parsed
from ftrag.parsers import PLAIN, RISKY
from ftrag.sandbox import LimitError, parse_in_child, unzip_in_child
from ftrag.types import Document, Location

MAX_BYTES = 50_000_000  # of one uploaded file
MAX_CHARACTERS = 20_000_000  # of one document's extracted text
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
        raise InputError(refused[0].reason if len(refused) == 1 else f"{path.name} holds no file that can be read")
    return found


def unpack(path: Path) -> tuple[list[Document], list[Refused]]:
    """As `extract`, but a bad file or member is a row with its reason, and the rest goes on."""
    return each(path, lambda name, file: read(file, name))


def each(path: Path, take: Callable[[str, Path], Taken]) -> tuple[list[Taken], list[Refused]]:
    """What `take(name, file)` makes of an uploaded file, or of each member of a zip, and what was refused.

    A member that breaks the limits ends the archive, so that many bombs take no longer than one.
    """
    with tempfile.TemporaryDirectory(prefix="ftrag-zip-") as folder:
        try:
            members, refused = _members(path, Path(folder))
        except InputError as error:
            return [], [Refused(path.name, str(error))]
        taken: list[Taken] = []
        broken = ""
        for name, file in members:
            shown = name if file == path else f"{path.name}/{name}"
            if broken:
                refused.append(
                    Refused(shown, f"{shown} was not read, because {broken} broke the limits; remove that one")
                )
                continue
            try:
                taken.append(take(name, file))
            except InputError as error:
                broken = shown if isinstance(error, LimitError) else ""
                refused.append(Refused(shown, str(error)))
    return taken, refused


def read(path: Path, name: str = "") -> Document:
    """One file that is no archive, as a document called `name` (default: the file's own name)."""
    name = name or path.name
    check(path, name)
    suffix = Path(name).suffix.lower()
    data = path.read_bytes()
    parsed = parse_in_child(path, suffix, name) if suffix in RISKY else _parse(data, suffix, name)
    if len(parsed.text) > MAX_CHARACTERS:
        raise InputError(f"{name} holds {len(parsed.text):,} characters, over {MAX_CHARACTERS:,}; split it")
    if not parsed.text.strip():
        raise InputError(f"{name} holds no text{_HINTS.get(suffix, '')}")
    return Document(name, parsed.text, hashlib.sha256(data).hexdigest(), parsed.locations)


def check(path: Path, name: str) -> None:
    """InputError unless `path` is a readable, non-empty file of a known type and size."""
    suffix = Path(name).suffix.lower()
    if not path.is_file():
        raise InputError(f"{name} is not a file; give the path of a file that exists")
    if suffix not in SUFFIXES:
        raise InputError(f"{name} is of an unknown type; save it as one of {', '.join(s[1:] for s in SUFFIXES)}")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{name} is empty; upload a file with text in it")
    if size > MAX_BYTES:
        raise InputError(f"{name} has {size:,} bytes, over {MAX_BYTES:,}; split it")


def location(document: Document, start: int, end: int) -> str:
    """Where [start, end) lies, for a citation: "page 3", "rows 4–6", "Refunds > Windows"; "" if nothing names it."""
    first = _label(document.locations, start)
    last = _label(document.locations, max(start, end - 1))
    if first == last or not last:
        return first
    if not first:
        return last
    stem, _, number = first.rpartition(" ")
    other, _, to = last.rpartition(" ")
    return f"{stem}s {number}–{to}" if stem == other and number.isdigit() and to.isdigit() else f"{first} – {last}"


_HINTS = {".pdf": "; if it is a scan, run text recognition (OCR) on it first"}


def _label(locations: tuple[Location, ...], at: int) -> str:
    around = [place for place in locations if place.start <= at < place.end]
    return min(around, key=lambda place: place.end - place.start).label if around else ""


def _parse(data: bytes, suffix: str, name: str) -> Parsed:
    try:
        return PLAIN[suffix](data)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _members(path: Path, folder: Path) -> tuple[list[tuple[str, Path]], list[Refused]]:
    """(name, file) of each member of a zip, unpacked into `folder`; of another file, itself."""
    check(path, path.name)
    if path.suffix.lower() != ".zip":
        return [(path.name, path)], []
    members, refused = unzip_in_child(path, folder)
    return members, [Refused(f"{path.name}/{name}", reason) for name, reason in refused]
