"""Which of the passages found go into a prompt, and in which order; never a part of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ftrag.retrieval.settings import Settings
from ftrag.types import Hit, Retriever

Count = Callable[[str], int]


def fit(hits: Sequence[Hit], settings: Settings, count: Count) -> tuple[list[Hit], list[Hit]]:
    """(those in the order of the prompt, those left out): best first, every one that the budget still holds.

    The budget is `context_tokens`, or `whole_document_tokens` where documents are retrieved whole and it is larger.
    With `best_last` the best passage stands nearest to the question.
    """
    left = max(settings.context_tokens, settings.whole_document_tokens)
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
        return fit(self.retriever.search(query, k), self.settings, self.count)[0]
