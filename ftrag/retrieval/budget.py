"""Which of the passages found go into a prompt, and in which order; never a part of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ftrag.retrieval.fusion import WholeDocuments
from ftrag.retrieval.settings import Settings
from ftrag.types import Hit, Retriever

Count = Callable[[str], int]


def fit(hits: Sequence[Hit], settings: Settings, count: Count, whole: bool = False) -> tuple[list[Hit], list[Hit]]:
    """(those in the order of the prompt, those left out): best first, every one that the budget still holds.

    The budget is `context_tokens`; whole: the hits are whole documents, which have `whole_document_tokens` where that
    is larger. With `best_last` the best passage stands nearest to the question.
    """
    left = max(settings.context_tokens, settings.whole_document_tokens if whole else 0)
    kept: list[Hit] = []
    dropped: list[Hit] = []
    for hit in hits:
        tokens = count(hit.chunk.text)
        (kept if tokens <= left else dropped).append(hit)
        left -= tokens if tokens <= left else 0
    return kept[::-1] if settings.best_last else kept, dropped


@dataclass(frozen=True)
class ForPrompts:
    """A retriever whose hits are what a prompt shows, in its order; the ranks stay those of the search."""

    retriever: Retriever
    settings: Settings
    count: Count

    def search(self, query: str, k: int) -> list[Hit]:
        """At most k hits, within the budget."""
        return self.fitted(query, k)[0]

    def fitted(self, query: str, k: int) -> tuple[list[Hit], list[Hit]]:
        """(what `search` gives, what of the k best hits is left out)."""
        whole = isinstance(self.retriever, WholeDocuments)  # they are set, but may not fit: then these are chunks
        return fit(self.retriever.search(query, k), self.settings, self.count, whole)
