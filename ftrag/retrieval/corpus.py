"""A project's documents on disk: files in documents/, their extracted text in extracted/, by content hash.

The folder documents/ is the truth: a file put there, changed or taken away by hand counts like an uploaded one.
"""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ftrag import text
from ftrag.documents import Refused, check, each, read
from ftrag.errors import InputError, NotFound
from ftrag.project import read_json, write_bytes, write_json
from ftrag.types import Document, Location

VERSION = 2  # of the extraction; another one is made again
Progress = Callable[[float, str], None]
Uploads = dict[str, list[str]]  # name of an uploaded file, zip or not -> the documents it brought


@dataclass(frozen=True)
class Source:
    """One file of the project and where its text is."""

    name: str
    sha256: str  # of the file
    extracted: Path


def sources(project: Path) -> list[Source]:
    """The files in documents/, by name, hashed anew unless size and time say that they are as before."""
    folder = project / "documents"
    seen = _read_or(project / "extracted" / "seen.json", {})
    rows, now = [], {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_file() and not path.name.startswith("."):
            stat = path.stat()
            old = seen.get(path.name)
            same = old and old[:2] == [stat.st_size, stat.st_mtime_ns]
            sha256 = old[2] if same else _sha256(path)
            now[path.name] = [stat.st_size, stat.st_mtime_ns, sha256]
            rows.append(Source(path.name, sha256, _extracted(project, path.name, sha256)))
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
    held = _read_or(source.extracted, {})
    if held.get("version") != VERSION:
        held = _extract(project / "documents" / source.name, source.extracted)
    if "refused" in held:
        return None
    return Document(source.name, held["text"], source.sha256, tuple(Location(*row) for row in held["locations"]))


def unreadable(project: Path) -> list[Refused]:
    """Files in documents/ that cannot be read, with the reason."""
    rows = [(source.name, _read_or(source.extracted, {})) for source in sources(project)]
    return [Refused(name, held["refused"]) for name, held in rows if "refused" in held]


def _extract(path: Path, target: Path) -> dict[str, Any]:
    try:
        held = _held(read(path))
    except InputError as error:
        held = {"version": VERSION, "refused": str(error)}
    _write(target, held)
    return held


def _held(document: Document) -> dict[str, Any]:
    places = [[place.start, place.end, place.label] for place in document.locations]
    return {"version": VERSION, "text": document.text, "locations": places, "sketch": sketch(document.text)}


def ingest(
    project: Path, files: Sequence[Path], progress: Progress | None = None, *, edited: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """Take files into documents/: {"taken": [{file, names, documents, characters, status}], "refused": […]}.

    status: "added", "replaced" or "unchanged". The members of a zip become documents; those that an earlier zip of
    the same name brought and this one does not are removed. A document that another upload brought is replaced by
    nothing else, unless the files are `edited` documents: these stay of the upload that they came from.
    """
    taken: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    given: dict[str, str] = {}
    uploads = _uploads(project)
    try:
        for number, path in enumerate(files):
            if progress:
                progress(number / len(files), f"reading {path.name}")
            others = {} if edited else _of_others(uploads, path.name)
            rows, bad = each(path, partial(_take_once, project, others, given))
            refused += [asdict(row) for row in bad]
            if rows:
                taken.append(_summed(path.name, rows))
            if rows and not edited:
                uploads = _brought(project, uploads, path.name, [row["name"] for row in rows])
    finally:
        _remember(project, uploads)
    return {"taken": taken, "refused": refused}


def _uploads(project: Path) -> Uploads:
    """What each upload brought and is still there.

    Old projects know it of zips alone, and nobody knows it of a file put there by hand: those may be replaced.
    """
    held: Uploads = _read_or(project / "extracted" / "archives.json", {})
    there = {path.name for path in (project / "documents").glob("*")}
    return {upload: [name for name in names if name in there] for upload, names in held.items()}


def _remember(project: Path, uploads: Uploads) -> None:
    record = project / "extracted" / "archives.json"
    held = {upload: names for upload, names in uploads.items() if names}
    if held != _read_or(record, {}):
        write_json(record, held)


def _of_others(uploads: Uploads, upload: str) -> dict[str, str]:
    """Document -> an upload other than this one that brought it."""
    return {name: other for other, names in uploads.items() for name in names if other != upload}


def _brought(project: Path, uploads: Uploads, upload: str, names: list[str]) -> Uploads:
    """The uploads with what this one brought; what only its former version brought goes.

    Two uploads may have brought one document if it is the same in both: it goes with the last of them.
    """
    if former := set(uploads.get(upload, [])) - set(names):
        for name in former - set(_of_others(uploads, upload)):
            (project / "documents" / name).unlink(missing_ok=True)
    uploads = {**uploads, upload: names}
    if Path(upload).suffix.lower() == ".zip":  # not after every file: thousands may come at once
        _remember(project, uploads)
    return uploads


def _take_once(
    project: Path, others: Mapping[str, str], given: dict[str, str], name: str, file: Path
) -> dict[str, Any]:
    """As `_take`, but InputError for a second file of the same name in one upload, which would replace the first."""
    sha256 = _sha256(file) if file.is_file() else ""
    if given.get(name, sha256) != sha256:
        raise InputError(f"{name} was given twice in one upload with different contents; rename one of them")
    row = _take(project, others, name, file)
    given[name] = sha256
    return row


def _take(project: Path, others: Mapping[str, str], name: str, file: Path) -> dict[str, Any]:
    """Take one file that is no archive. InputError if it cannot be read, or would replace what is of `others`."""
    target = project / "documents" / name
    check(file, name)
    sha256 = _sha256(file)
    before = _sha256(target) if target.is_file() else ""
    if before not in ("", sha256) and name in others:
        whence = "as a file by itself" if others[name] == name else f"from {others[name]}"
        raise InputError(
            f"{name} is already there {whence}, with other contents; "
            "rename one of them, or remove the one that is there"
        )
    extracted = _extracted(project, name, sha256)
    held = _read_or(extracted, {})
    known = held.get("version") == VERSION and "refused" not in held
    held = held if known else _held(read(file, name))
    if before != sha256:
        write_bytes(target, file.read_bytes())
    if not known:  # after its file, else a refresh meanwhile forgets it as the text of no file
        _write(extracted, held)
    status = "unchanged" if before == sha256 else "replaced" if before else "added"
    return {"name": name, "characters": len(held["text"]), "status": status}


def _summed(file: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    states = {row["status"] for row in rows}
    status = next(state for state in ("added", "replaced", "unchanged") if state in states)
    return {
        "file": file,
        "names": [row["name"] for row in rows],
        "documents": len(rows),
        "characters": sum(row["characters"] for row in rows),
        "status": status,
    }


def remove(project: Path, name: str) -> list[str]:
    """Delete a document, or all that only a zip of that name brought; the names that went. NotFound if there is none.

    None go if other uploads brought all of the zip's documents too; then it is forgotten that this one did.
    """
    uploads, there = _uploads(project), {source.name for source in sources(project)}
    names = [row for row in uploads.get(name, [name]) if row in there]
    if not names:
        raise NotFound(f"there is no document {name!r} in {project.name}; the documents page lists what there is")
    others = _of_others(uploads, name)
    gone = [row for row in names if row == name or row not in others]
    for gone_name in gone:
        (project / "documents" / gone_name).unlink()
    left = {other: [row for row in held if row not in gone] for other, held in uploads.items() if other != name}
    _remember(project, left)
    return gone


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
    held = [(source.name, _read_or(source.extracted, {}).get("sketch", [])) for source in sources(project)]
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


def _extracted(project: Path, name: str, sha256: str) -> Path:
    """One file per content and format: the same bytes read otherwise as .txt than as .md."""
    return project / "extracted" / f"{sha256}{Path(name).suffix.lower()}.json"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, value: Any) -> None:
    """Compact, unlike write_json: nobody reads these but us, and they can be large."""
    write_bytes(path, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _read_or(path: Path, default: Any) -> Any:
    try:
        return read_json(path)
    except (NotFound, InputError):
        return default
