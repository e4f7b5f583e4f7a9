"""The arrays of an inverted index that do not change: who holds a term, and the same turned round."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]
Floats = NDArray[np.float64]
EMPTY = np.zeros(0, dtype=np.int32)


class Arrays(NamedTuple):
    """Postings by term: a term's rows are [pointers[term], pointers[term + 1]), slots ascending."""

    pointers: Ints  # (terms + 1,)
    slots: Ints  # (postings,) which chunk
    times: Ints  # (postings,) how often the term stands in it
    lengths: Ints  # (slots,) terms in a chunk, repeats counted
    of_pointers: Ints  # (slots + 1,) the same turned round: a chunk's distinct terms
    of_terms: Ints  # (postings,)


class Posting(NamedTuple):
    """One term, ready to score; made again when the statistics change."""

    slots: Ints
    weights: Floats  # idf times the saturated frequency, per slot
    top: float  # the largest of them


class Ranked(NamedTuple):
    document: str
    chunk: int  # its index in its document
    score: float


NOTHING = Arrays(np.zeros(1, dtype=np.int64), EMPTY, EMPTY, EMPTY, np.zeros(1, dtype=np.int64), EMPTY)


def from_triples(term: Ints, slot: Ints, counts: Ints, lengths: Ints, terms: int) -> Arrays:
    """Postings sorted by (term, slot) as arrays, and turned round."""
    pointers = np.zeros(terms + 1, dtype=np.int64)
    np.cumsum(np.bincount(term, minlength=terms), out=pointers[1:])
    of_pointers = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(np.bincount(slot, minlength=len(lengths)), out=of_pointers[1:])
    by_slot = np.argsort(slot, kind="stable")
    narrow = [array.astype(np.int32) for array in (slot, counts, term[by_slot])]
    return Arrays(pointers, narrow[0], narrow[1], lengths, of_pointers, narrow[2])
