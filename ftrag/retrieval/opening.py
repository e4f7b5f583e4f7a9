"""Opening a project's retriever; what was opened is kept while neither its documents nor its index have changed."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ftrag.counting import counter
from ftrag.errors import InputError, NotFound
from ftrag.retrieval import corpus, store
from ftrag.retrieval.bm25 import BM25
from ftrag.retrieval.dense import DenseRetriever, Encoder, default_encoder, embedded
from ftrag.retrieval.fusion import HybridRetriever, WholeDocuments
from ftrag.retrieval.lexical import BM25Retriever
from ftrag.retrieval.rerank import Reranked, cross_encoder
from ftrag.retrieval.settings import RETRIEVERS, Settings, of_project, stamp
from ftrag.types import Chunk, Retriever

KINDS = RETRIEVERS
KEPT = 16  # opened retrievers; the one that was not used for longest goes first
ATTEMPTS = 10  # to open an index that other processes change meanwhile
GRAIN_NS = 2_000_000_000  # a file that changed so shortly ago may change again without another time stamp

Mark = tuple[Any, ...]
_kept: OrderedDict[Mark, tuple[Mark, Retriever]] = OrderedDict()
_keeping = threading.Lock()


def open_retriever(
    project: Path,
    kind: str = "bm25",
    rerank: bool = False,
    settings: Mapping[str, Any] | None = None,
    encoder: Encoder | None = None,
) -> Retriever:
    """A retriever over the project as it is now. `settings` go over the project's own, except those of the index.

    kind: "bm25", "dense" or "hybrid". encoder: in place of all-MiniLM-L6-v2. NotFound if the project has no documents,
    InputError for an unknown kind, ModelError if a model that is needed cannot be had. Safe in several threads.
    """
    if kind not in KINDS:
        raise InputError(f"there is no retriever {kind!r}; choose {', '.join(KINDS)}")
    key = (str(project), kind, rerank, json.dumps(settings or {}, sort_keys=True))
    before = marks(project) if encoder is None else None
    if before and (held := _still_good(key, before)):
        return held
    opened = _opened(project, kind, rerank, settings, encoder)
    now = marks(project) if before else None
    if before and now and before[:2] == now[:2]:  # nothing changed while it was opened, but for the index itself
        with _keeping:
            _kept[key] = (now, opened)
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return opened


def _still_good(key: Mark, now: Mark) -> Retriever | None:
    with _keeping:
        if key not in _kept or _kept[key][0] != now:
            return None
        _kept.move_to_end(key)
        return _kept[key][1]


def marks(project: Path) -> Mark | None:
    """(tokenizer, documents and settings, index): what changes when they do, by number, size and time of their files.

    Whole files are replaced by a rename, which gives another number. None where a document changed too shortly ago
    for its time stamp to tell two changes apart: then the contents must be looked at.
    """
    folder = project / "documents"
    documents = sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    sources = [_mark(path) for path in (project / "project.json", *documents)]
    latest = time.time_ns() - GRAIN_NS
    if any(mark is None or mark[3] > latest for mark in sources):
        return None
    index = [_mark(project / "index" / name) for name in ("bm25.bin", "chunks.json")]
    return store.tokenizer_file(project), tuple(sources), tuple(index)


def _mark(path: Path) -> tuple[str, int, int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return path.name, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _opened(
    project: Path, kind: str, rerank: bool, settings: Mapping[str, Any] | None, encoder: Encoder | None
) -> Retriever:
    chosen = of_project(project, {**(settings or {}), **stamp(of_project(project))})
    opened: Retriever = _lexical(project, chosen) if kind != "dense" else _dense(project, chosen, encoder)
    if kind == "hybrid":
        opened = HybridRetriever(opened, _dense(project, chosen, encoder), chosen.fusion, chosen.dense_weight)
    if rerank:
        opened = Reranked(opened, cross_encoder(chosen.rerank_model))
    return _whole(project, opened, chosen.whole_document_tokens) if chosen.whole_document_tokens else opened


def lexical(project: Path) -> BM25Retriever:
    """The project's BM25 over the index as it is now. NotFound if there are no documents."""
    opened = _opened(project, "bm25", False, {"whole_document_tokens": 0}, None)
    assert isinstance(opened, BM25Retriever)
    return opened


def _lexical(project: Path, settings: Settings) -> BM25Retriever:
    """Spans and postings are two files: while another process writes them, one may be newer than the other."""
    for _ in range(ATTEMPTS):
        spans = _spans(project)
        marks = {**store.made_with(project, settings), "documents": store.digest(spans)}
        index = BM25.load(store.index_file(project), marks, settings.k1, settings.b)
        if index is not None:
            return BM25Retriever(index, settings, _finder(project, spans))
    raise NotFound(f"the index of {project.name} changed while it was opened; search again")


def _spans(project: Path) -> store.Spans:
    """Of the index brought up to date. NotFound if there is nothing in it."""
    store.refresh(project)
    _, spans = store.read_spans(project)
    if not any(pairs for _, pairs in spans.values()):
        raise NotFound(f"{project.name} has no documents to search; ingest a file first")
    return spans


def _dense(project: Path, settings: Settings, encoder: Encoder | None) -> DenseRetriever:
    _spans(project)
    used = encoder or default_encoder()
    rows = store.held_chunks(project)
    vectors = embedded([row.text for row in rows], used, project / "index" / "dense.bin")
    return DenseRetriever(rows, vectors, used.embed, settings.minimum_cosine)


def _whole(project: Path, retriever: Retriever, most_tokens: int) -> Retriever:
    """Whole documents if they fit together, else the chunks as they are."""
    count = counter(store.tokenizer_file(project))
    texts = {row.name: row.text for row in store.documents(project)}
    total = sum(count(text) for text in texts.values())
    return WholeDocuments(retriever, texts) if total <= most_tokens else retriever


def _finder(project: Path, spans: store.Spans) -> Callable[[str, int], Chunk]:
    """(document, index) -> chunk; a document's text is read when its first chunk is wanted."""
    sources = {source.name: source for source in corpus.sources(project)}

    @functools.lru_cache(maxsize=256)
    def text_of(name: str) -> str:
        found = corpus.document(project, sources[name]) if name in sources else None
        if found is None or found.sha256 != spans[name][0]:
            raise NotFound(f"{name} has changed since the search began; search again")
        return found.text

    def find(name: str, index: int) -> Chunk:
        start, end = spans[name][1][index]
        return Chunk(name, index, text_of(name)[start:end], start, end)

    return find
