"""Training rows that read: some questions get the passages that the project's own retriever would show them."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ftrag.errors import InputError
from ftrag.text import normalise, words
from ftrag.types import Example, Hit, Retriever

SEARCHED = 50  # hits looked at for the passage that holds the answer


def with_context(
    examples: Sequence[Example],
    retriever: Retriever,
    k: int = 3,
    share: float = 0.5,
    seed: int = 0,
    hidden: Collection[str] = (),
    declines: Callable[[str], bool] = lambda answer: False,
    secret: Collection[str] = (),
) -> list[Example]:
    """A seeded share, [0, 1], of the rows with evidence gets up to k passages: the true one among real distractors.

    The passages stand in the order of the search; where the search missed the true one, it takes the place of a
    distractor at a rank that the found ones had, so that the model meets the positions it will meet later. hidden
    names documents never to be shown: with the gold questions' evidence there, no gold passage leaks into training.
    secret: passages never to be shown, from documents of which the rest may be.
    The same share of the rows without evidence whose answer declines is shown what the search finds, in which the
    answer is absent. Rows that bring their own context, and all others, stay as they are, and so does the order; the
    same inputs give the same rows. Raises InputError for a share or k out of range.
    """
    if not 0 <= share <= 1 or k < 1:
        raise InputError(f"context rows need a share from 0 to 1 and k of at least 1, not {share} and {k}")
    rng = random.Random(seed)
    retriever = _Discreet(retriever, frozenset(hidden), [_spoken(passage) for passage in secret])
    eligible = [i for i, example in enumerate(examples) if example.evidence and not example.context]
    chosen = sorted(rng.sample(eligible, round(share * len(eligible))))
    searched = {i: _search(examples[i], retriever) for i in chosen}
    ranks = [rank for hits, found in searched.values() if (rank := _rank(hits[:k], found)) is not None] or [0]
    rows = list(examples)
    for i in chosen:
        hits, found = searched[i]
        passages = _passages(hits, found, k, rng.choice(ranks))
        rows[i] = replace(rows[i], context=passages) if passages else rows[i]
    refusals = [i for i, row in enumerate(examples) if not row.evidence and not row.context and declines(row.response)]
    for i in sorted(rng.sample(refusals, round(share * len(refusals)))):
        hits, _ = _search(examples[i], retriever)
        rows[i] = replace(rows[i], context=tuple(hit.chunk.text for hit in hits[:k]))
    return rows


class _Discreet:
    """A retriever that gives no chunk of a hidden document, and none that holds a secret passage or lies inside one."""

    def __init__(self, inner: Retriever, hidden: frozenset[str], secret: Sequence[str]) -> None:
        self.inner, self.hidden, self.secret = inner, hidden, secret
        self.judged: dict[tuple[str, int], bool] = {}

    def search(self, query: str, k: int) -> list[Hit]:
        return [hit for hit in self.inner.search(query, k) if self._shown(hit)]

    def _shown(self, hit: Hit) -> bool:
        key = hit.chunk.document, hit.chunk.start
        if key not in self.judged:
            text = _spoken(hit.chunk.text)
            told = any(passage in text or text in passage for passage in self.secret)
            self.judged[key] = not told and hit.chunk.document not in self.hidden
        return self.judged[key]


def _spoken(text: str) -> str:
    """The words alone, so that a line break or another dash hides nothing."""
    return f" {' '.join(words(text))} "


def _search(example: Example, retriever: _Discreet) -> tuple[list[Hit], str | None]:
    """Hits for the question, and the text of the passage that holds the answer, if any can be shown."""
    hits = retriever.search(example.prompt, SEARCHED)
    candidates = [hit.chunk.text for hit in hits if _is_evidence(hit, example)]
    if not candidates:
        wider = retriever.search(f"{example.prompt} {example.response}", SEARCHED)
        candidates = [hit.chunk.text for hit in wider if _is_evidence(hit, example)]
    if candidates:
        answer = set(words(example.response))
        return hits, max(candidates, key=lambda text: len(answer & set(words(text))))
    # Evidence that is no chunk: a passage of its own is shown as it is, the name of an absent document is not.
    passages = [entry for entry in example.evidence if len(words(entry)) > 3 and entry not in retriever.hidden]
    return hits, passages[0] if passages else None


def _is_evidence(hit: Hit, example: Example) -> bool:
    text = _normalised(hit.chunk.text)
    return any(hit.chunk.document == entry or _normalised(entry) in text for entry in example.evidence)


@functools.lru_cache(maxsize=20_000)
def _normalised(text: str) -> str:
    """The same chunks are found again and again."""
    return normalise(text)


def _rank(hits: Sequence[Hit], found: str | None) -> int | None:
    """Place of the true passage among the hits, from 0."""
    return next((rank for rank, hit in enumerate(hits) if hit.chunk.text == found), None)


def _passages(hits: Sequence[Hit], found: str | None, k: int, rank: int) -> tuple[str, ...]:
    """k passages with the true one among them; () where there is none, for such a row would teach invention."""
    if found is None:
        return ()
    shown = [hit.chunk.text for hit in hits[:k]]
    if found not in shown:
        shown = shown[: k - 1]
        shown.insert(min(rank, len(shown)), found)
    return tuple(shown)
