"""Near-equal texts in large sets: MinHash finds the candidates, the exact Jaccard similarity decides."""

from __future__ import annotations

import functools
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ftrag.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

NEAR = 0.8  # Jaccard similarity of word shingles, [0, 1], from which two texts count as near-duplicates
BANDS, ROWS = 32, 4  # a pair at 0.8 is missed with probability (1 - 0.8**4)**32 = 5e-8
PRIME = (1 << 31) - 1
COMPARED = 20_000  # pairs that are compared at once
CHUNK = 256  # texts whose hashes are computed at once: what fits into the processor's cache
CROWD, FEW = 200, 4  # texts in one bucket from which each is compared with the first few alone


def shingles(text: str) -> frozenset[str]:
    """Single words and word pairs: questions are short, and with triples one changed word would hide a copy."""
    tokens = words(text)
    return frozenset(tokens) | frozenset(f"{a} {b}" for a, b in zip(tokens, tokens[1:], strict=False))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Shared shingles over all shingles, [0, 1]; 0 where both are empty."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if a or b else 0.0


def near_pairs(texts: Sequence[str], threshold: float = NEAR) -> list[tuple[int, int, float]]:
    """Pairs (i, j, similarity), i < j, of texts at least that similar, in order. Near-linear in the number of texts.

    Of more than CROWD texts that are all alike each is paired with the first FEW alone: every one of them is named,
    while all pairs of 50,000 rows from one template would be a thousand million.
    """
    sets = [shingles(text) for text in texts]
    return _similar(sets, _pairs(sets, _candidates), threshold)


def near_across(left: Sequence[str], right: Sequence[str], threshold: float = NEAR) -> list[tuple[int, int, float]]:
    """Pairs (index in left, index in right, similarity) of texts at least that similar, in order."""
    sets = [shingles(text) for text in (*left, *right)]
    n = len(left)
    pairs = _pairs(sets, lambda members: _crossing(members, n))
    return [(i, j - n, similarity) for i, j, similarity in _similar(sets, pairs, threshold)]


def _pairs(sets: Sequence[frozenset[str]], of: Callable[[Ints], tuple[Ints, Ints]]) -> Ints:
    """Pairs (pairs, 2), in order, that agree on a band of their signatures (Broder 1997; Leskovec et al., ch. 3)."""
    import numpy as np

    n, known = max(1, len(sets)), np.empty(0, dtype=np.int64)
    for band in _buckets(sets):
        codes = [first * n + second for first, second in map(of, band)]
        known = np.sort(np.concatenate([known, *codes]))
        known = known[np.diff(known, prepend=-1) > 0]  # numpy's own unique hashes, which such numbers slow down
    return np.stack([known // n, known % n], axis=1)


def _candidates(members: Ints) -> tuple[Ints, Ints]:
    """Every pair of a bucket, the smaller index first; of a crowd each with the first few."""
    import numpy as np

    count = len(members)
    if count <= CROWD:
        first, second = _triangle(count)
    else:
        first, second = (part.ravel() for part in np.mgrid[:FEW, :count])
        first, second = first[first < second], second[first < second]
    return members[first], members[second]


@functools.lru_cache(maxsize=CROWD + 1)
def _triangle(count: int) -> tuple[Ints, Ints]:
    import numpy as np

    return np.triu_indices(count, 1)


def _crossing(members: Ints, n: int) -> tuple[Ints, Ints]:
    """The pairs of a bucket whose first is before n and whose second is not; pairs on one side are never made."""
    import numpy as np

    middle = int(np.searchsorted(members, n))
    left, right = members[:middle], members[middle:]
    return np.repeat(left, len(right)), np.tile(right, len(left))


def _similar(sets: Sequence[frozenset[str]], pairs: Ints, threshold: float) -> list[tuple[int, int, float]]:
    """Those of the pairs that are at least that similar, in order."""
    import numpy as np
    from scipy.sparse import csr_array

    if not len(pairs):
        return []
    known: defaultdict[str, int] = defaultdict(lambda: len(known))
    columns = np.fromiter((known[shingle] for members in sets for shingle in members), dtype=np.int64)
    sizes = np.array([len(members) for members in sets])
    rows = csr_array((np.ones(len(columns), np.int32), columns, np.cumsum([0, *sizes])), shape=(len(sets), len(known)))
    found = []
    for start in range(0, len(pairs), COMPARED):
        i, j = pairs[start : start + COMPARED].T
        shared = rows[i].multiply(rows[j]).sum(axis=1)
        similarity = shared / (sizes[i] + sizes[j] - shared)
        near = similarity >= threshold
        found += list(zip(i[near].tolist(), j[near].tolist(), similarity[near].tolist(), strict=True))
    return found


def _buckets(sets: Sequence[frozenset[str]]) -> Iterator[list[Ints]]:
    """For each band the indices, rising, of the texts that agree on it. Texts without words agree with none."""
    import numpy as np

    told = np.array([index for index, members in enumerate(sets) if members], dtype=np.int64)
    if not len(told):
        return
    signatures = _signatures([sets[index] for index in told])
    for band in range(BANDS):
        rows = signatures[:, band]
        order = np.lexsort(rows.T)  # stable, so that the indices of equal rows keep rising
        changes = (rows[order][1:] != rows[order][:-1]).any(axis=1).nonzero()[0] + 1
        edges = np.concatenate([[0], changes, [len(order)]])
        several = np.diff(edges).nonzero()[0][np.diff(edges) > 1]
        yield [told[order[edges[place] : edges[place + 1]]] for place in several]


def _signatures(sets: Sequence[frozenset[str]]) -> NDArray[np.int32]:
    """MinHash signatures (sets, BANDS, ROWS): under each of the random hashes a * x + b modulo PRIME the smallest."""
    import numpy as np

    rng = np.random.default_rng(0)
    a, b = rng.integers(1, PRIME, size=(2, BANDS * ROWS, 1), dtype=np.int64)
    found = np.empty((len(sets), BANDS * ROWS), dtype=np.int32)
    hashed = functools.cache(lambda shingle: zlib.crc32(shingle.encode()) & PRIME)
    for start in range(0, len(sets), CHUNK):
        part = sets[start : start + CHUNK]
        hashes = np.fromiter((hashed(shingle) for members in part for shingle in members), dtype=np.int64)
        places = np.cumsum([0, *map(len, part[:-1])])
        found[start : start + CHUNK] = np.minimum.reduceat(_modulo(a * hashes + b), places, axis=1).T
    return found.reshape(len(sets), BANDS, ROWS)


def _modulo(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """values % PRIME for values under 2**62, in place and without a division: 2**31 is 1 modulo PRIME."""
    for _ in range(2):
        high = values >> 31
        values &= PRIME
        values += high
    values[values == PRIME] = 0
    return values
