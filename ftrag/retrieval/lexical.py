"""BM25 as a retriever: terms of the query, optional expansion, a threshold on how much of the query a chunk covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ftrag.retrieval.bm25 import BM25
from ftrag.retrieval.postings import Ranked
from ftrag.retrieval.settings import Settings
from ftrag.retrieval.terms import terms
from ftrag.types import Chunk, Hit

DEPTH = 100  # chunks that are looked at for those that pass the threshold
FEEDBACK_CHUNKS = 3  # the best chunks that expansion takes its terms from


@dataclass(frozen=True)
class BM25Retriever:
    index: BM25
    settings: Settings
    chunk: Callable[[str, int], Chunk]  # (document, index) -> chunk

    def search(self, query: str, k: int) -> list[Hit]:
        """At most k chunks that share a term with the query, best first.

        With `minimum_match`, only those that hold at least this share of the query's terms, weighted by their idf.
        """
        asked = index_terms(query, self.settings)
        if self.settings.correct_spelling:
            asked = self.index.corrected(asked)
        weights = self._expanded(asked) if self.settings.expand_terms else asked
        if not self.settings.minimum_match:
            rows = self.index.search(weights, k)
        else:
            rows = [row for row in self.index.search(weights, max(k, DEPTH)) if self._covers(row, asked)][:k]
        return [Hit(self.chunk(row.document, row.chunk), row.score, rank) for rank, row in enumerate(rows, start=1)]

    def _covers(self, row: Ranked, asked: list[str]) -> bool:
        """Whether a chunk holds enough of the query. A term that no chunk holds weighs most."""
        weight = {term: self.index.idf(term) for term in asked}
        return sum(weight[term] for term in self.index.held(row, weight)) >= self.settings.minimum_match * sum(
            weight.values()
        )

    def _expanded(self, asked: list[str]) -> dict[str, float]:
        """The query plus the terms that mark its best chunks, which together weigh half as much (after RM3)."""
        weights = {term: float(times) for term, times in Counter(asked).items()}
        marks: Counter[str] = Counter()
        for row in self.index.search(asked, FEEDBACK_CHUNKS):
            marks.update(self._marks(row, weights))
        best = sorted(marks.items(), key=lambda item: (-item[1], item[0]))[: self.settings.expand_terms]
        total = sum(value for _, value in best)
        return weights | {term: 0.5 * len(asked) * value / total for term, value in best}

    def _marks(self, row: Ranked, asked: dict[str, float]) -> dict[str, float]:
        """How much each other term of a chunk marks it: its share of the chunk's tf-idf times the chunk's score."""
        found = Counter(index_terms(self.chunk(row.document, row.chunk).text, self.settings))
        weight = {term: times * self.index.idf(term) for term, times in found.items()}
        total = sum(weight.values())
        return {term: row.score * value / total for term, value in weight.items() if term not in asked}


def index_terms(text: str, settings: Settings) -> list[str]:
    """The terms of a text under the project's settings."""
    return terms(text, language=settings.language, stem=settings.stem, stop_words=settings.stop_words)
