"""BM25 on rank-bm25's model over an inverted index in numpy arrays, exact under adding and deleting documents.

score(q, d) = sum over t in q of idf(t) * f (k1 + 1) / (f + k1 (1 - b + b |d| / avgdl)), rank_bm25.BM25Okapi's formula,
with Lucene's always positive idf(t) = ln(1 + (N - n + 0.5) / (n + 0.5)) at query time. f: how often t stands in d.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ftrag.retrieval import arrays
from ftrag.retrieval.postings import EMPTY, NOTHING, Arrays, Floats, Ints, Posting, Ranked, from_triples
from ftrag.retrieval.terms import is_near

Query = Sequence[str] | Mapping[str, float]  # terms, repeats counted, or terms with weights
Rows = Iterable[tuple[str, Sequence[Sequence[str]]]]  # (document, the terms of each of its chunks)
CORRECTED = 16  # unknown terms of a query that are looked for under other spellings
SPELLED = 6  # letters from which on a term that is nowhere may be another one misspelt
VERSION = 3  # of the file, of the tokens in it and of where sentences end; another one is rebuilt
SLACK = 1 - 1e-9  # sums of floats in different orders differ by less


class BM25:
    """Documents in, ranked chunks out. A chunk lives in a slot; a deleted one leaves it empty until the next save."""

    def __init__(self, k1: float = 1.5, b: float = 0.75) -> None:
        self.k1, self.b = k1, b
        self._set(NOTHING, [], [])

    def _set(self, base: Arrays, vocabulary: Iterable[str], documents: Iterable[tuple[str, int]]) -> None:
        """Start from `base`, whose slots belong to `documents` (name, chunks) in order."""
        self._base = base
        self._ids = {term: i for i, term in enumerate(vocabulary)}
        self._frequency: list[int] = np.diff(base.pointers).tolist()  # chunks that hold a term
        self._lengths = np.array(base.lengths, dtype=np.int32)  # grows by doubling; -1: an empty slot
        self._used = len(base.lengths)
        self._total = int(base.lengths.sum())
        self._added: dict[int, tuple[list[int], list[int]]] = {}  # term -> slots, counts after the base
        self._added_terms: list[list[int]] = []  # per slot after the base
        self._documents: dict[str, range] = {}
        self._owners: list[str] = []  # slot -> document
        for name, chunks in documents:
            self._own(name, chunks)
        self._live = self._used
        self._postings: dict[int, Posting] = {}
        self._norms: Floats | None = None

    def _own(self, document: str, chunks: int) -> None:
        start = len(self._owners)
        self._documents[document] = range(start, start + chunks)
        self._owners += [document] * chunks

    @classmethod
    def build(cls, rows: Rows, k1: float = 1.5, b: float = 0.75) -> BM25:
        """An index of many documents at once."""
        index = cls(k1, b)
        ids: dict[str, int] = {}
        lengths: list[int] = []
        flat: list[int] = []
        documents = []
        for name, chunks in rows:
            documents.append((name, len(chunks)))
            for terms in chunks:
                lengths.append(len(terms))
                flat += [ids.setdefault(term, len(ids)) for term in terms]
        slots = np.repeat(np.arange(len(lengths)), lengths)
        keys, counts = np.unique(np.array(flat, dtype=np.int64) * max(1, len(lengths)) + slots, return_counts=True)
        term, slot = np.divmod(keys, max(1, len(lengths)))
        index._set(from_triples(term, slot, counts, np.array(lengths, dtype=np.int32), len(ids)), ids, documents)
        return index

    def save(self, path: Path, stamp: Mapping[str, Any]) -> None:
        """Write the index atomically, without empty slots, marked with the settings it was made with."""
        base, vocabulary = self._compacted()
        documents = sorted(self._documents.items(), key=lambda row: row[1].start)
        header = {
            "version": VERSION,
            "stamp": dict(stamp),
            "k1": self.k1,
            "b": self.b,
            "documents": [[name, len(slots)] for name, slots in documents],
        }
        words = np.frombuffer("\n".join(vocabulary).encode(), dtype=np.uint8)
        arrays.write(path, header, {"vocabulary": words, **base._asdict()})

    @classmethod
    def load(cls, path: Path, stamp: Mapping[str, Any], k1: float = 1.5, b: float = 0.75) -> BM25 | None:
        """The saved index, memory-mapped; None if there is none, it is damaged, or made with other settings."""
        try:
            header, held = arrays.read(path)
            if header["version"] != VERSION or header["stamp"] != dict(stamp):
                return None
            vocabulary = bytes(held.pop("vocabulary")).decode().split("\n")
            index = cls(k1, b)
            index._set(Arrays(**held), vocabulary if vocabulary != [""] else [], header["documents"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return index

    @property
    def documents(self) -> dict[str, int]:
        """How many chunks each document has."""
        return {name: len(slots) for name, slots in self._documents.items()}

    def __len__(self) -> int:
        return self._live

    def add(self, document: str, chunks: Sequence[Sequence[str]]) -> None:
        """Add a document, in the place of the one of that name if there is one."""
        self.delete(document)
        self._own(document, len(chunks))
        self._grow(len(chunks))
        for terms in chunks:
            slot = self._used
            counts = Counter(terms)
            self._added_terms.append(held := [])
            for term, count in counts.items():
                number = self._ids.setdefault(term, len(self._ids))
                if number == len(self._frequency):
                    self._frequency.append(0)
                self._frequency[number] += 1
                slots, times = self._added.setdefault(number, ([], []))
                slots.append(slot)
                times.append(count)
                held.append(number)
            self._lengths[slot] = len(terms)
            self._total += len(terms)
            self._used += 1
        self._live += len(chunks)
        self._changed()

    def delete(self, document: str) -> bool:
        """Take a document out; False if it was not there."""
        slots = self._documents.pop(document, None)
        if slots is None:
            return False
        for slot in slots:
            for number in self._terms_of(slot):
                self._frequency[number] -= 1
            self._total -= int(self._lengths[slot])
            self._lengths[slot] = -1
        self._live -= len(slots)
        self._changed()
        return True

    def _grow(self, more: int) -> None:
        if self._used + more > len(self._lengths):
            larger = np.full(2 * (self._used + more), -1, dtype=np.int32)
            larger[: self._used] = self._lengths[: self._used]
            self._lengths = larger

    def _compacted(self) -> tuple[Arrays, list[str]]:
        """The postings without empty slots, and the terms that are left. A term that no chunk holds is forgotten."""
        term = np.repeat(np.arange(len(self._base.pointers) - 1), np.diff(self._base.pointers))
        slot, count = np.asarray(self._base.slots), np.asarray(self._base.times)
        if self._added:
            sizes = [len(slots) for slots, _ in self._added.values()]
            term = np.concatenate([term, np.repeat(np.array(list(self._added), dtype=np.int64), sizes)])
            slot = np.concatenate([slot, *(np.array(slots, dtype=np.int32) for slots, _ in self._added.values())])
            count = np.concatenate([count, *(np.array(counts, dtype=np.int32) for _, counts in self._added.values())])
            order = np.argsort(term, kind="stable")
            term, slot, count = term[order], slot[order], count[order]
        lengths = self._lengths[: self._used]
        live = lengths >= 0
        keep = live[slot]
        new_slot, used = np.cumsum(live) - 1, np.array(self._frequency, dtype=np.int64) > 0
        new_term = np.cumsum(used) - 1
        vocabulary = [word for word, number in self._ids.items() if used[number]]
        return from_triples(
            new_term[term[keep]], new_slot[slot[keep]], count[keep], lengths[live], len(vocabulary)
        ), vocabulary

    def _terms_of(self, slot: int) -> list[int]:
        pointers = self._base.of_pointers
        if slot < len(pointers) - 1:
            held: list[int] = self._base.of_terms[pointers[slot] : pointers[slot + 1]].tolist()
            return held
        return self._added_terms[slot - len(pointers) + 1]

    def _changed(self) -> None:
        self._postings.clear()
        self._norms = None

    def search(self, terms: Query, k: int) -> list[Ranked]:
        """At most k chunks that share a term with the query, best first; ties by document name, then chunk index."""
        slots, scores = self._best(terms, k) if k > 0 else (EMPTY, np.zeros(0))
        rows = [
            Ranked(name := self._owners[slot], slot - self._documents[name].start, score)
            for slot, score in zip(slots.tolist(), scores.tolist(), strict=True)
        ]
        rows.sort(key=lambda row: (-row.score, row.document, row.chunk))
        return rows[:k]

    def held(self, row: Ranked, terms: Iterable[str]) -> set[str]:
        """Which of the terms a chunk is indexed with."""
        numbers = set(self._terms_of(self._documents[row.document].start + row.chunk))
        return {term for term in terms if self._ids.get(term) in numbers}

    def scores(self, terms: Query) -> dict[tuple[str, int], float]:
        """The score of every chunk that shares a term with the query."""
        return {(row.document, row.chunk): row.score for row in self.search(terms, max(1, self._live))}

    def _best(self, terms: Query, k: int) -> tuple[Ints, Floats]:
        """Slots and scores of the k best and of all that tie with the last of them.

        Terms go from heaviest to lightest. Once the terms left cannot lift a new chunk over the k-th best, only chunks
        that still can get there are scored on (Turtle & Flood 1995, MaxScore): exact, and it skips the long postings.
        """
        queue = self._queue(terms)
        room = sum(times * posting.top for times, posting in queue)  # what the terms left can add to a chunk
        scores = np.zeros(self._used)
        bar = 0.0  # no chunk below it can be among the k best
        for position, (times, posting) in enumerate(queue):
            if room < bar:
                return self._finish(queue[position:], scores, bar, k)
            scores[posting.slots] += posting.weights if times == 1 else times * posting.weights
            room -= times * posting.top
            if position + 1 < len(queue) and len(posting.slots) >= k:
                here = scores[posting.slots]
                bar = max(bar, float(np.partition(here, len(here) - k)[-k]) * SLACK)
        return _top(np.flatnonzero(scores), scores, k)

    def _queue(self, terms: Query) -> list[tuple[float, Posting]]:
        """(weight in the query, posting) of each known term, heaviest first; the order does not depend on history."""
        queue = []
        for term, times in _weights(terms):
            number = self._ids.get(term)
            if number is not None and self._frequency[number]:
                queue.append((times, self._postings.get(number) or self._posting(number, term)))
        queue.sort(key=lambda row: -row[0] * row[1].top)
        return queue

    def _finish(self, queue: list[tuple[float, Posting]], scores: Floats, bar: float, k: int) -> tuple[Ints, Floats]:
        """Score the chunks that can still reach `bar` on the terms left."""
        room = sum(times * posting.top for times, posting in queue)
        slots = np.flatnonzero(scores >= bar - room)
        for times, posting in queue:
            at = np.searchsorted(posting.slots, slots)
            at[at == len(posting.slots)] = 0
            scores[slots] += np.where(posting.slots[at] == slots, times * posting.weights[at], 0.0)
            room -= times * posting.top
            slots = slots[scores[slots] >= bar - room]
        return _top(slots, scores, k)

    def idf(self, term: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)), n of N chunks holding the term; always positive."""
        holding = self._holding(term)
        return math.log(1 + (self._live - holding + 0.5) / (holding + 0.5))

    def nearest(self, term: str) -> str:
        """The term itself if a chunk holds it or it is short or no word; else the commonest one that is near it."""
        if len(term) < SPELLED or not term.isalpha() or self._holding(term):
            return term
        near = [word for word in self._ids if word[:1] == term[0] and len(word) >= SPELLED and is_near(term, word)]
        held = [word for word in near if self._holding(word)]
        return min(held, key=lambda word: (-self._holding(word), word)) if held else term

    def corrected(self, terms: Sequence[str]) -> list[str]:
        """The terms, unknown ones as `nearest` has them: the first CORRECTED, since each is a walk over all words."""
        unknown = [term for term in dict.fromkeys(terms) if not self._holding(term)]
        near = {term: self.nearest(term) for term in unknown[:CORRECTED]}
        return [near.get(term, term) for term in terms]

    def _holding(self, term: str) -> int:
        """How many chunks hold a term."""
        number = self._ids.get(term)
        return self._frequency[number] if number is not None else 0

    def _posting(self, number: int, term: str) -> Posting:
        pointers, slots, counts = self._base[:3]
        rows = slice(pointers[number], pointers[number + 1]) if number < len(pointers) - 1 else slice(0, 0)
        where, times = slots[rows].astype(np.intp), counts[rows].astype(np.float64)
        if number in self._added:
            new_slots, new_times = self._added[number]
            where, times = np.append(where, new_slots), np.append(times, new_times)
        if self._norms is None:
            self._norms = self._make_norms()
        weights = self.idf(term) * (times * (self.k1 + 1) / (times + self._norms[where]))
        posting = Posting(where, weights, float(weights.max()))
        self._postings[number] = posting
        return posting

    def _make_norms(self) -> Floats:
        """k1 (1 - b + b |d| / avgdl) of every slot; infinite for an empty one, which makes its scores zero."""
        lengths = self._lengths[: self._used]
        average = self._total / self._live if self._total else 1.0
        norms: Floats = np.where(lengths < 0, np.inf, self.k1 * (1 - self.b + self.b * lengths / average))
        return norms


def _weights(terms: Query) -> Iterable[tuple[str, float]]:
    return terms.items() if isinstance(terms, Mapping) else Counter(terms).items()


def _top(slots: Ints, scores: Floats, k: int) -> tuple[Ints, Floats]:
    """The k best of `slots` with a positive score, and all that tie with the last of them."""
    here = scores[slots]
    if len(here) > k:
        keep = here >= np.partition(here, len(here) - k)[-k]
        slots, here = slots[keep], here[keep]
    return slots[here > 0], here[here > 0]
