"""Near-equal texts in large sets: MinHash finds the candidates, the exact Jaccard similarity decides."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, product

from ftrag.text import words

NEAR = 0.8  # Jaccard similarity of word shingles, [0, 1], from which two texts count as near-duplicates
BANDS, ROWS = 32, 4  # a pair at 0.8 is missed with probability (1 - 0.8**4)**32 = 5e-8
PRIME = (1 << 31) - 1
CROWD, FEW = 200, 4  # texts in one bucket from which each is compared with the first few alone


def shingles(text: str) -> frozenset[str]:
    """Single words and word pairs: questions are short, and with triples one changed word would hide a copy."""
    tokens = words(text)
    return frozenset(tokens) | frozenset(f"{a} {b}" for a, b in zip(tokens, tokens[1:], strict=False))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Shared shingles over all shingles, [0, 1]; 0 where both are empty."""
    union = len(a | b)
    return len(a & b) / union if union else 0.0


def near_pairs(texts: Sequence[str], threshold: float = NEAR) -> list[tuple[int, int, float]]:
    """Pairs (i, j, similarity), i < j, of texts at least that similar, in order. Near-linear in the number of texts.

    Of more than CROWD texts that are all alike each is paired with the first FEW alone: every one of them is named,
    while all pairs of 50,000 rows from one template would be a thousand million.
    """
    sets = [shingles(text) for text in texts]
    found = ((i, j, jaccard(sets[i], sets[j])) for i, j in _candidates(sets))
    return sorted((i, j, similarity) for i, j, similarity in found if similarity >= threshold)


def near_across(left: Sequence[str], right: Sequence[str], threshold: float = NEAR) -> list[tuple[int, int, float]]:
    """Pairs (index in left, index in right, similarity) of texts at least that similar, in order."""
    sets = [shingles(text) for text in (*left, *right)]
    n = len(left)
    found = ((i, j, jaccard(sets[i], sets[j])) for i, j in _crossing(sets, n))
    return sorted((i, j - n, similarity) for i, j, similarity in found if similarity >= threshold)


def _candidates(sets: Sequence[frozenset[str]]) -> set[tuple[int, int]]:
    """Pairs that agree on at least one band of their signatures (Broder 1997; Leskovec et al., ch. 3)."""
    found: set[tuple[int, int]] = set()
    for members in _buckets(sets):
        if len(members) <= CROWD:
            found.update(combinations(members, 2))
        else:
            found.update((first, later) for first in members[:FEW] for later in members if first < later)
    return found


def _crossing(sets: Sequence[frozenset[str]], n: int) -> set[tuple[int, int]]:
    """The candidates whose first is before n and whose second is not; pairs on one side are never made."""
    found: set[tuple[int, int]] = set()
    for members in _buckets(sets):
        middle = bisect_left(members, n)
        found.update(product(members[:middle], members[middle:]))
    return found


def _buckets(sets: Sequence[frozenset[str]]) -> list[list[int]]:
    """Indices, rising, of the texts that agree on a band."""
    buckets: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, band, key in _bands(sets):
        buckets[band, key].append(index)
    return [members for members in buckets.values() if len(members) > 1]


def _bands(sets: Sequence[frozenset[str]]) -> Iterator[tuple[int, int, bytes]]:
    import numpy as np

    rng = np.random.default_rng(0)
    a, b = rng.integers(1, PRIME, size=(2, BANDS * ROWS, 1), dtype=np.int64)
    for index, members in enumerate(sets):
        if members:
            hashes = np.fromiter((zlib.crc32(member.encode()) & PRIME for member in members), dtype=np.int64)
            signature = ((a * hashes + b) % PRIME).min(axis=1).astype(np.int32).reshape(BANDS, ROWS)
            yield from ((index, band, row.tobytes()) for band, row in enumerate(signature))
