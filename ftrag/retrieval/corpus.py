"""A project's documents on disk: files in documents/, their extracted text in extracted/, by content hash.

The folder documents/ is the truth: a file put there, changed or taken away by hand counts like an uploaded one.
"""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrag import text
from ftrag.documents import Refused, read
from ftrag.errors import InputError, NotFound
from ftrag.project import read_json, write_bytes, write_json
from ftrag.types import Document, Location

VERSION = 3  # of the extraction; another one is made again


@dataclass(frozen=True)
class Source:
    """One file of the project and where its text is."""

    name: str
    sha256: str  # of the file
    extracted: Path


def sources(project: Path) -> list[Source]:
    """The files in documents/, by name, hashed anew unless size and time say that they are as before."""
    folder = project / "documents"
    seen = read_or(project / "extracted" / "seen.json", {})
    rows, now = [], {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_file() and not path.name.startswith("."):
            stat = path.stat()
            old = seen.get(path.name)
            same = old and old[:2] == [stat.st_size, stat.st_mtime_ns]
            sha256 = old[2] if same else file_hash(path)
            now[path.name] = [stat.st_size, stat.st_mtime_ns, sha256]
            rows.append(Source(path.name, sha256, extracted_file(project, path.name, sha256)))
    if now != seen:
        # A file changed within the clock's grain of this look may change again unseen: it is hashed next time too.
        write_json(
            project / "extracted" / "seen.json", {name: row for name, row in now.items() if _settled(int(row[1]))}
        )
    return rows


def _settled(modified_ns: int) -> bool:
    return modified_ns < time.time_ns() - 2_000_000_000


def documents(project: Path) -> list[Document]:
    """Every document of the project, by name. A file that cannot be read is left out; `unreadable` names it."""
    return [found for source in sources(project) if (found := document(project, source))]


def document(project: Path, source: Source) -> Document | None:
    """The text of one file, extracted when it has not been yet; None if it cannot be read."""
    held = read_or(source.extracted, {})
    if not is_current(held):
        held = _extract(project / "documents" / source.name, source.extracted)
    if "refused" in held:
        return None
    return Document(source.name, held["text"], source.sha256, tuple(Location(*row) for row in held["locations"]))


def unreadable(project: Path) -> list[Refused]:
    """Files in documents/ that cannot be read, with the reason."""
    rows = [(source.name, read_or(source.extracted, {})) for source in sources(project)]
    return [Refused(name, held["refused"]) for name, held in rows if "refused" in held]


def _extract(path: Path, target: Path) -> dict[str, Any]:
    try:
        held = held_as(read(path))
    except InputError as error:
        held = {"version": VERSION, "refused": str(error)}
    write_held(target, held)
    return held


def is_current(held: Mapping[str, Any]) -> bool:
    """Whether an extraction was made as this code makes it."""
    return held.get("version") == VERSION


def held_as(document: Document) -> dict[str, Any]:
    places = [[place.start, place.end, place.label] for place in document.locations]
    return {"version": VERSION, "text": document.text, "locations": places, "sketch": sketch(document.text)}


def forget(project: Path, keep: Sequence[Source]) -> None:
    """Delete extracted texts that no file has any more."""
    wanted = {source.extracted.name for source in keep} | {"seen.json", "archives.json"}
    folder = project / "extracted"
    for path in folder.glob("*.json") if folder.is_dir() else []:
        if path.name not in wanted:
            path.unlink(missing_ok=True)


SKETCH = 64  # smallest shingle hashes kept; the error of the estimate is about 1 / sqrt(64)


def sketch(content: str) -> list[int]:
    """Bottom-k MinHash of five-word shingles (Broder 1997)."""
    found = text.words(content)
    shingles = {" ".join(found[i : i + 5]) for i in range(max(1, len(found) - 4))}
    return sorted({zlib.crc32(shingle.encode()) for shingle in shingles})[:SKETCH]


def alike(left: Sequence[int], right: Sequence[int]) -> float:
    """Estimated share of common shingles (Jaccard) of two texts by their sketches, [0, 1]."""
    both = sorted({*left, *right})[:SKETCH]
    return len(set(left) & set(right) & set(both)) / len(both) if both else 0.0


def near_duplicates(project: Path, threshold: float = 0.8) -> list[dict[str, Any]]:
    """Pairs of documents that share most of their shingles: [{document, near_duplicate_of, similarity}]."""
    held = [(source.name, read_or(source.extracted, {}).get("sketch", [])) for source in sources(project)]
    by_hash: dict[int, list[int]] = {}
    for number, (_, marks) in enumerate(held):
        for mark in marks:
            by_hash.setdefault(mark, []).append(number)
    # What more than 50 share, a form letter or one text many times, is held against the first of them alone.
    pairs = {
        (a, b)
        for held_by in by_hash.values()
        for a in held_by[: 1 if len(held_by) > 50 else None]
        for b in held_by
        if a < b
    }
    rows = [(held[b][0], held[a][0], alike(held[a][1], held[b][1])) for a, b in sorted(pairs)]
    return [
        {"document": name, "near_duplicate_of": other, "similarity": round(share, 3)}
        for name, other, share in rows
        if share >= threshold
    ]


def twins(project: Path) -> dict[str, str]:
    """Document -> the earlier one that it is most alike, of its near duplicates.

    Sketches of long texts are often equal though the texts are not: the same file comes before one that looks the same.
    """
    hashes = {source.name: source.sha256 for source in sources(project)}

    def likeness(row: dict[str, Any]) -> tuple[float, bool]:
        return row["similarity"], hashes.get(row["document"]) == hashes.get(row["near_duplicate_of"])

    rows = sorted(near_duplicates(project), key=likeness, reverse=True)  # of equals the first stays first
    return {row["document"]: row["near_duplicate_of"] for row in reversed(rows)}  # a dict keeps the last of a name


def extracted_file(project: Path, name: str, sha256: str) -> Path:
    """One file per content and format: the same bytes read otherwise as .txt than as .md."""
    return project / "extracted" / f"{sha256}{Path(name).suffix.lower()}.json"


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_held(path: Path, value: Any) -> None:
    """Compact, unlike write_json: nobody reads these but us, and they can be large."""
    write_bytes(path, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def read_or(path: Path, default: Any) -> Any:
    try:
        return read_json(path)
    except (NotFound, InputError):
        return default
