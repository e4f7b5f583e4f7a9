"""A project's index, kept equal to its documents and settings; the way in for everything outside this package.

index/bm25.bin     postings               index/chunks.json  where the chunks lie, and what they were cut with
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftrag.chunking import MINIMUM_TOKENS, chunk
from ftrag.counting import counter, starter
from ftrag.documents import Where, locator
from ftrag.errors import InputError, NotFound
from ftrag.project import read_json, write_bytes
from ftrag.project import settings as project_settings
from ftrag.retrieval import corpus, uploads
from ftrag.retrieval.bm25 import BM25, VERSION
from ftrag.retrieval.lexical import index_terms
from ftrag.retrieval.settings import Settings, of_project, stamp
from ftrag.retrieval.terms import check_language
from ftrag.types import Chunk, Document

CODE = 3  # of cutting documents and of their terms; an index that another one made is made again
_COUNTED = re.compile(r"\b(?:page|row)s? \d+(?:–\d+)?$|\b(?:page|row) \d+(?= – )")
Progress = Callable[[float, str], None]
Spans = dict[str, tuple[str, list[tuple[int, int]]]]  # document -> (sha256 of its file, [start, end) of its chunks)


def ingest(
    project: Path, files: Sequence[Path], progress: Progress | None = None, *, edited: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """Take files in and index them: {"taken": [...], "refused": [{file, reason}]}.

    taken: {file, names, documents, chunks, characters, status: added|replaced|unchanged, near_duplicate_of?}.
    edited: the files are documents of the project, changed in place, whichever upload they came from.
    """
    with _locked(project, "documents"):
        result = uploads.ingest(project, files, progress, edited=edited)
    if result["taken"]:
        if progress:
            progress(0.9, "building the index")
        refresh(project)
        spans = read_spans(project)[1]
        twins = corpus.twins(project)
        for row in result["taken"]:
            names = row.pop("names") if row["documents"] == 1 and row["names"] == [row["file"]] else row["names"]
            row["chunks"] = sum(len(spans[name][1]) for name in names if name in spans)
            if near := sorted({twins[name] for name in names if name in twins}):
                row["near_duplicate_of"] = ", ".join(near)
    return result


def documents(project: Path) -> list[Document]:
    """Every readable document of the project, by name."""
    return corpus.documents(project)


def remove(project: Path, name: str) -> dict[str, Any]:
    """Delete a document, or all that a zip brought, and their chunks. NotFound if there is none of that name."""
    with _locked(project, "documents"):
        gone = uploads.remove(project, name)
    return {"removed": gone, **refresh(project)}


def chunks(project: Path) -> list[Chunk]:
    """Every chunk of the project, by document and position; the index is brought up to date first."""
    refresh(project)
    return held_chunks(project)


def held_chunks(project: Path) -> list[Chunk]:
    spans = read_spans(project)[1]
    rows = {document.name: document.text for document in documents(project)}
    return [
        Chunk(name, i, rows[name][start:end], start, end)
        for name, (_, pairs) in sorted(spans.items())
        for i, (start, end) in enumerate(pairs)
    ]


def refresh(project: Path) -> dict[str, Any]:
    """Make the index equal to documents and settings; only what changed is cut and indexed anew.

    Gives {added, replaced, deleted, unchanged, chunks, rebuilt, seconds}.
    """
    begin = time.perf_counter()
    with _locked(project, "index"):
        settings = of_project(project)
        marks = made_with(project, settings)
        sources = corpus.sources(project)
        held_with, old = read_spans(project)
        index = BM25.load(index_file(project), {**marks, "documents": digest(old)}, settings.k1, settings.b)
        if held_with != marks or index is None:
            old, index = {}, None
        spans, counts = _update(project, sources, settings, old, index)
        seconds = time.perf_counter() - begin
    chunks = sum(len(pairs) for _, pairs in spans.values())
    return {**counts, "chunks": chunks, "rebuilt": index is None, "seconds": round(seconds, 6)}


def _update(
    project: Path, sources: list[corpus.Source], settings: Settings, old: Spans, index: BM25 | None
) -> tuple[Spans, dict[str, int]]:
    """The new spans and how many documents changed in which way; index and spans are written if any did."""
    cut = cutter(project, settings)
    names = {source.name for source in sources}
    changed = [source for source in sources if old.get(source.name, ("",))[0] != source.sha256]
    gone = sorted(set(old) - names)
    fresh = {row.name: row for source in changed if (row := corpus.document(project, source))}
    spans = {name: held for name, held in old.items() if name in names and name not in {s.name for s in changed}}
    texts = []
    for name, document in sorted(fresh.items()):
        cuts, where = cut(document), locator(document)
        spans[name] = (document.sha256, [(piece.start, piece.end) for piece in cuts])
        texts.append((name, [index_terms(titled(piece, where, settings), settings) for piece in cuts]))
    counts = {
        "added": len(set(fresh) - set(old)),
        "replaced": len(set(fresh) & set(old)),
        "deleted": len(set(old) - set(spans)),
        "unchanged": len(spans) - len(fresh),
    }
    if index is None:
        index = BM25.build(texts, settings.k1, settings.b)
    elif not (changed or gone):
        return spans, counts
    else:
        for name in set(old) - set(spans):
            index.delete(name)
        for name, rows in texts:
            index.add(name, rows)
    _write(project, settings, spans, index)
    corpus.forget(project, sources)
    return spans, counts


def titled(piece: Chunk, where: Where, settings: Settings) -> str:
    """What a chunk is found by: its text, and the title and headings above it, which it often leaves unsaid.

    The number of a page or row is no heading: whoever asks for "3 days" does not mean row 3.
    """
    above = _COUNTED.sub("", where(piece.start, piece.end)) if settings.index_headings else ""
    return f"{above}\n{piece.text}" if above else piece.text


def _write(project: Path, settings: Settings, spans: Spans, index: BM25) -> None:
    """The index carries the digest of the spans, so that a crash between the two files shows and is repaired."""
    marks = made_with(project, settings)
    index.save(index_file(project), {**marks, "documents": digest(spans)})
    held = json.dumps({"stamp": marks, "documents": spans}, separators=(",", ":"))  # compact: may hold 50,000 spans
    write_bytes(project / "index" / "chunks.json", held.encode())


def read_spans(project: Path) -> tuple[dict[str, Any], Spans]:
    try:
        held = read_json(project / "index" / "chunks.json")
        rows = held["documents"].items()
        spans = {name: (sha, [(start, end) for start, end in pairs]) for name, (sha, pairs) in rows}
        return held["stamp"], spans
    except (NotFound, InputError, KeyError, TypeError, ValueError):
        return {}, {}


def digest(spans: Spans) -> str:
    """Of names and contents; with the stamp they fix the cuts."""
    return hashlib.sha256(json.dumps(sorted((name, held[0]) for name, held in spans.items())).encode()).hexdigest()


def index_file(project: Path) -> Path:
    return project / "index" / "bm25.bin"


@contextmanager
def _locked(project: Path, what: str) -> Iterator[None]:
    """One process at a time takes documents in, and one brings the index up to date: searches wait for neither file."""
    (project / "index").mkdir(parents=True, exist_ok=True)
    with (project / "index" / f".{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def index_stamp(project: Path, settings: Settings) -> dict[str, Any]:
    """What an index depends on besides the documents."""
    file = tokenizer_file(project)
    return {**stamp(settings), "tokens": VERSION, "tokenizer": Path(file).parent.name}


def made_with(project: Path, settings: Settings) -> dict[str, Any]:
    """What an index on disk must have been made with to be used."""
    return {**index_stamp(project, settings), "code": CODE}


def tokenizer_file(project: Path) -> str:
    """The file of the model's own tokenizer if its weights are on this machine, else "" for an estimate."""
    from ftrag import models

    try:
        name = str(project_settings(project).get("model") or "")
    except NotFound:
        return ""
    folder = models.cache() / name if name in models.MODELS else Path(name)
    file = folder / "tokenizer.json"
    return str(file) if name and file.is_file() else ""


def check(settings: Settings) -> None:
    """InputError for a language without a stemmer or chunks too small, which no index could be made with."""
    if settings.stem:
        check_language(settings.language)
    if settings.chunk_tokens < MINIMUM_TOKENS:
        raise InputError(f"setting chunk_tokens is {settings.chunk_tokens}; it must be at least {MINIMUM_TOKENS}")


def cutter(project: Path, settings: Settings) -> Callable[[Document], list[Chunk]]:
    embed = None
    if settings.chunk_strategy == "semantic":
        from ftrag import models

        embed = models.embedder()
    file = tokenizer_file(project)
    return lambda document: chunk(
        document,
        strategy=settings.chunk_strategy,
        size_tokens=settings.chunk_tokens,
        overlap_tokens=settings.chunk_overlap,
        count=counter(file),
        starts=starter(file),
        embed=embed,
    )


def index_fingerprint(project: Path) -> str:
    """Changes exactly when documents or the settings of the index change: 16 hexadecimal digits."""
    rows = [[source.name, source.sha256] for source in corpus.sources(project)]
    made = json.dumps([rows, index_stamp(project, of_project(project))], sort_keys=True)
    return hashlib.sha256(made.encode()).hexdigest()[:16]
