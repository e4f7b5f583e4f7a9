"""What a user sees and sets of a project's knowledge: its documents, where they are cut, what a search finds."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag import workflows
from ftrag.counting import counter
from ftrag.documents import location, locator
from ftrag.errors import InputError, ModelError, NotFound
from ftrag.retrieval import corpus, store
from ftrag.retrieval.dense import default_encoder
from ftrag.retrieval.lexical import index_terms
from ftrag.retrieval.rerank import cross_encoder
from ftrag.retrieval.settings import Settings, checked, of_project, parse
from ftrag.types import Document

WORD = re.compile(r"\w(?:\S*\w)?")  # without the punctuation around it


def listing(project: Path) -> dict[str, list[dict[str, Any]]]:
    """{documents: [{document, chunks, characters, near_duplicate_of}], unreadable: [{file, reason}]}."""
    twins = corpus.twins(project)
    counts: dict[str, int] = {}
    for chunk in store.chunks(project):
        counts[chunk.document] = counts.get(chunk.document, 0) + 1
    rows = [
        {
            "document": document.name,
            "chunks": counts.get(document.name, 0),
            "characters": len(document.text),
            "near_duplicate_of": twins.get(document.name),
        }
        for document in store.documents(project)
    ]
    return {"documents": rows, "unreadable": [vars(row) for row in corpus.unreadable(project)]}


def document(project: Path, name: str) -> Document:
    """One readable document of the project. NotFound for another name."""
    found = next((one for one in corpus.sources(project) if one.name == name), None)
    read = corpus.document(project, found) if found else None
    if read is None:
        raise NotFound(f"there is no document {name!r} in {project.name}; choose one of the list")
    return read


def preview(project: Path, name: str, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where a document is cut under other settings, nothing is kept: [{start, end, overlap, tokens, where, text}].

    overlap: characters at the start that the chunk before has too. tokens: as the project's model counts them.
    """
    chosen = parse({**_own(project), **changes})
    read = document(project, name)
    count = counter(store.tokenizer_file(project))
    where, rows, before = locator(read), [], 0
    for chunk in store.cutter(project, chosen)(read):
        rows.append(
            {
                "start": chunk.start,
                "end": chunk.end,
                "overlap": max(0, before - chunk.start),
                "tokens": count(chunk.text),
                "where": where(chunk.start, chunk.end),
                "text": chunk.text,
            }
        )
        before = chunk.end
    return rows


def settings(project: Path) -> Settings:
    """The project's retrieval settings."""
    return of_project(project)


def change(project: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Keep other retrieval settings and bring the index up to date: {changed, chunks, rebuilt, milliseconds}.

    InputError for a value that cannot be used or a name that is no setting, ModelError where the model that a setting
    needs cannot be had: then nothing is kept.
    """
    if unknown := set(changes) - set(Settings.__dataclass_fields__) - {"k"}:
        known = ", ".join(["k", *Settings.__dataclass_fields__])
        raise InputError(f"there is no retrieval setting {min(unknown)!r}; there are {known}")
    if "k" in changes:
        checked("k", changes["k"])
    own = _own(project)
    chosen = parse({**own, **changes})
    if not 0 <= chosen.chunk_overlap <= chosen.chunk_tokens // 2:
        raise InputError(f"the overlap {chosen.chunk_overlap} must lie between 0 and half of {chosen.chunk_tokens}")
    store.check(chosen)
    changed = sorted(name for name, value in changes.items() if own.get(name, _default(name)) != value)
    if "retriever" in changed and chosen.retriever != "bm25":
        _embeddings(chosen.retriever)
    if chosen.rerank and {"rerank", "rerank_model"} & set(changed):
        cross_encoder(chosen.rerank_model)
    kept = {**own, **changes}
    for name in ("retriever", "rerank"):  # as in projects and runs from before there was a choice: their hashes hold
        if getattr(chosen, name) == _default(name):
            kept.pop(name, None)
    projects.update(project, settings=kept)
    begin = time.perf_counter()
    result = store.refresh(project)
    milliseconds = 1000 * (time.perf_counter() - begin)
    return {"changed": changed, "milliseconds": milliseconds} | {key: result[key] for key in ("chunks", "rebuilt")}


def _embeddings(kind: str) -> None:
    """ModelError where the embeddings that a retriever needs cannot be had: before the answers depend on them."""
    try:
        default_encoder()
    except ModelError as error:
        raise ModelError(f"retriever {kind} needs sentence embeddings: {error}; or keep retriever=bm25") from error


def _own(project: Path) -> dict[str, Any]:
    return dict(projects.settings(project).get("settings") or {})


def _default(name: str) -> Any:
    return workflows.DEFAULTS["k"] if name == "k" else getattr(Settings(), name)


def find(project: Path, query: str, k: int, kind: str, rerank: bool) -> dict[str, Any]:
    """{hits: [workflows.search's rows with where and marks], milliseconds}.

    marks: half-open [start, end) offsets into a hit's text of the words that the query has too, by their stem.
    """
    begin = time.perf_counter()
    hits = workflows.search(project, query, k, kind, rerank)
    milliseconds = 1000 * (time.perf_counter() - begin)
    chosen = of_project(project)
    wanted = set(index_terms(query, chosen))
    read = {name: document(project, name) for name in {hit["document"] for hit in hits}}
    rows = [
        hit
        | {
            "where": location(read[hit["document"]], hit["start"], hit["end"]),
            "marks": [
                match.span() for match in WORD.finditer(hit["text"]) if wanted & set(index_terms(match.group(), chosen))
            ],
        }
        for hit in hits
    ]
    return {"hits": rows, "milliseconds": milliseconds}
