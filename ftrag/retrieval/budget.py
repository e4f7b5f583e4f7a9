"""Which of the passages found go into a prompt, and in which order; never a part of one."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ftrag import prompts
from ftrag.counting import counter
from ftrag.retrieval import store
from ftrag.retrieval.fusion import WholeDocuments
from ftrag.retrieval.settings import Settings, of_project
from ftrag.types import Example, Hit, Retriever

Count = Callable[[str], int]
# Tokens of a chat template around its messages, around each one, and between two passages: rather too many.
PER_PROMPT, PER_MESSAGE, PER_PASSAGE = 64, 8, 4


def fit(
    hits: Sequence[Hit], settings: Settings, count: Count, whole: bool = False, most: float = math.inf
) -> tuple[list[Hit], list[Hit]]:
    """(those in the order of the prompt, those left out): best first, every one that the budget still holds.

    The budget is `context_tokens`; whole: the hits are whole documents, which have `whole_document_tokens` where that
    is larger; and never more than `most`. With `best_last` the best passage stands nearest to the question.
    """
    left = min(most, max(settings.context_tokens, settings.whole_document_tokens if whole else 0))
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
    window: float = math.inf  # tokens of a whole prompt that the model reads, its answer not counted
    few_shot: Sequence[Example] = ()  # what else such a prompt may show

    def search(self, query: str, k: int) -> list[Hit]:
        """At most k hits, within the budget."""
        return self.fitted(query, k)[0]

    def fitted(self, query: str, k: int) -> tuple[list[Hit], list[Hit]]:
        """(what `search` gives, what of the k best hits is left out)."""
        whole = isinstance(self.retriever, WholeDocuments)  # they are set, but may not fit: then these are chunks
        hits = self.retriever.search(query, k)
        return fit(hits, self.settings, self.count, whole, self._room(query, len(hits)))

    def _room(self, query: str, passages: int) -> float:
        """Tokens that the passages may have together, so that the model reads the prompt to its end."""
        said = [message["content"] for message in prompts.chat(query, (), self.few_shot)]
        rest = PER_PROMPT + PER_PASSAGE * passages + sum(self.count(text) + PER_MESSAGE for text in said)
        return self.window - rest


def for_prompts(project: Path, retriever: Retriever, answer: int, few_shot: Sequence[Example] = ()) -> ForPrompts:
    """The retriever as prompts of the project are made with it. answer: tokens of the longest answer."""
    file = store.tokenizer_file(project)
    count = counter(file)
    return ForPrompts(retriever, of_project(project), count, window(file) - answer, few_shot)


@functools.cache
def window(tokenizer_file: str) -> float:
    """Tokens that the model beside this tokenizer reads at once; no limit where its configuration names none."""
    try:
        held = json.loads(Path(tokenizer_file).with_name("config.json").read_text(encoding="utf-8"))
        return float(held["max_position_embeddings"] or math.inf)
    except (OSError, ValueError, LookupError, TypeError):
        return math.inf
