"""rank-bm25 as the reference: the readable model of BM25 that the fast index must equal, on a project's own data.

rank_bm25.BM25Okapi walks every chunk in Python for every query, so it answers no user; but its dozen lines of formula
are what our scores mean. Its idf, zero or negative for common terms, is replaced by the index's own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrag.documents import locator
from ftrag.errors import NotFound
from ftrag.retrieval import opening
from ftrag.retrieval.lexical import index_terms
from ftrag.types import Chunk

if TYPE_CHECKING:
    from ftrag.retrieval.settings import Settings

EQUAL = 1e-9  # sums of floats in another order differ by less


def okapi(rows: Sequence[Sequence[str]], k1: float = 1.5, b: float = 0.75) -> Any:
    """rank-bm25's BM25Okapi over chunks of terms, with Lucene's idf, which is always positive."""
    from rank_bm25 import BM25Okapi

    model = BM25Okapi(rows, k1=k1, b=b)
    holding = Counter(term for held in model.doc_freqs for term in held)
    model.idf = {term: math.log(1 + (len(rows) - n + 0.5) / (n + 0.5)) for term, n in holding.items()}
    return model


def verify(project: Path, queries: Sequence[str]) -> dict[str, Any]:
    """{queries, chunks, largest_difference, equal}: the project's index against rank-bm25 on the same terms.

    Every chunk's score of every query is compared. NotFound if there is nothing to search.
    """
    from ftrag.retrieval import store

    retriever = opening.lexical(project)
    settings, rows = retriever.settings, store.chunks(project)
    if not rows:
        raise NotFound(f"{project.name} has no documents to search; ingest a file first")
    model = okapi(_terms(project, rows, settings), settings.k1, settings.b)
    places = {(row.document, row.index): number for number, row in enumerate(rows)}
    worst = 0.0
    for query in queries:
        terms = index_terms(query, settings)
        expected = model.get_scores(terms)
        for key, score in retriever.index.scores(terms).items():
            worst = max(worst, float(abs(expected[places[key]] - score)))
            expected[places[key]] = 0.0
        worst = max(worst, float(abs(expected).max()))  # what the index did not return must score nothing
    return {"queries": len(queries), "chunks": len(rows), "largest_difference": worst, "equal": worst < EQUAL}


def _terms(project: Path, rows: Sequence[Chunk], settings: Settings) -> list[list[str]]:
    """The terms of each chunk, with those of the headings above it, as the index takes them."""
    from ftrag.retrieval import store

    where = {document.name: locator(document) for document in store.documents(project)}
    return [index_terms(store.titled(row, where[row.document], settings), settings) for row in rows]
