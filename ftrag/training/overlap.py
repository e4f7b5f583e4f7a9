"""Near-equal texts in large sets: MinHash finds the candidates, the exact Jaccard similarity decides."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from ftrag.text import words

NEAR = 0.8  # Jaccard similarity of word shingles, [0, 1], from which two texts count as near-duplicates
BANDS, ROWS = 32, 4  # a pair at 0.8 is missed with probability (1 - 0.8**4)**32 = 5e-8
PRIME = (1 << 31) - 1


def shingles(text: str) -> frozenset[str]:
    """Single words and word pairs: questions are short, and with triples one changed word would hide a copy."""
    tokens = words(text)
    return frozenset(tokens) | frozenset(f"{a} {b}" for a, b in zip(tokens, tokens[1:], strict=False))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Shared shingles over all shingles, [0, 1]; 0 where both are empty."""
    union = len(a | b)
    return len(a & b) / union if union else 0.0


def near_pairs(texts: Sequence[str], threshold: float = NEAR) -> list[tuple[int, int, float]]:
    """Pairs (i, j, similarity), i < j, of texts at least that similar, in order. Near-linear in the number of texts."""
    sets = [shingles(text) for text in texts]
    found = ((i, j, jaccard(sets[i], sets[j])) for i, j in _candidates(sets))
    return sorted((i, j, similarity) for i, j, similarity in found if similarity >= threshold)


def near_across(left: Sequence[str], right: Sequence[str], threshold: float = NEAR) -> list[tuple[int, int, float]]:
    """Pairs (index in left, index in right, similarity) of texts at least that similar, in order."""
    pairs = near_pairs([*left, *right], threshold)
    n = len(left)
    return [(i, j - n, similarity) for i, j, similarity in pairs if i < n <= j]


def _candidates(sets: Sequence[frozenset[str]]) -> set[tuple[int, int]]:
    """Pairs that agree on at least one band of their signatures (Broder 1997; Leskovec et al., ch. 3)."""
    buckets: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, band, key in _bands(sets):
        buckets[band, key].append(index)
    return {pair for members in buckets.values() for pair in combinations(members, 2)}


def _bands(sets: Sequence[frozenset[str]]) -> Iterator[tuple[int, int, bytes]]:
    import numpy as np

    rng = np.random.default_rng(0)
    a, b = rng.integers(1, PRIME, size=(2, BANDS * ROWS, 1), dtype=np.int64)
    for index, members in enumerate(sets):
        if members:
            hashes = np.fromiter((zlib.crc32(member.encode()) & PRIME for member in members), dtype=np.int64)
            signature = ((a * hashes + b) % PRIME).min(axis=1).astype(np.int32).reshape(BANDS, ROWS)
            yield from ((index, band, row.tobytes()) for band, row in enumerate(signature))
