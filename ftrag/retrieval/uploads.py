"""Files taken into a project and removed from it, and which upload brought which document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ftrag.documents import check, each, read
from ftrag.errors import InputError, NotFound
from ftrag.project import write_bytes, write_json
from ftrag.retrieval.corpus import extracted_file, file_hash, held_as, is_current, read_or, sources, write_held
from ftrag.sandbox import Reader

Progress = Callable[[float, str], None]
Uploads = dict[str, list[str]]  # name of an uploaded file, zip or not -> the documents it brought


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
    held: Uploads = read_or(project / "extracted" / "archives.json", {})
    there = {path.name for path in (project / "documents").glob("*")}
    return {upload: [name for name in names if name in there] for upload, names in held.items()}


def _remember(project: Path, uploads: Uploads) -> None:
    record = project / "extracted" / "archives.json"
    held = {upload: names for upload, names in uploads.items() if names}
    if held != read_or(record, {}):
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
    project: Path, others: Mapping[str, str], given: dict[str, str], name: str, file: Path, reader: Reader
) -> dict[str, Any]:
    """As `_take`, but InputError for a second file of the same name in one upload, which would replace the first."""
    sha256 = file_hash(file) if file.is_file() else ""
    if given.get(name, sha256) != sha256:
        raise InputError(f"{name} was given twice in one upload with different contents; rename one of them")
    row = _take(project, others, name, file, reader)
    given[name] = sha256
    return row


def _take(project: Path, others: Mapping[str, str], name: str, file: Path, reader: Reader) -> dict[str, Any]:
    """Take one file that is no archive. InputError if it cannot be read, or would replace what is of `others`."""
    target = project / "documents" / name
    check(file, name)
    sha256 = file_hash(file)
    before = file_hash(target) if target.is_file() else ""
    if before not in ("", sha256) and name in others:
        whence = "as a file by itself" if others[name] == name else f"from {others[name]}"
        raise InputError(
            f"{name} is already there {whence}, with other contents; "
            "rename one of them, or remove the one that is there"
        )
    extracted = extracted_file(project, name, sha256)
    held = read_or(extracted, {})
    known = is_current(held) and "refused" not in held
    held = held if known else held_as(read(file, name, reader))
    if before != sha256:
        write_bytes(target, file.read_bytes())
    if not known:  # after its file, else a refresh meanwhile forgets it as the text of no file
        write_held(extracted, held)
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
