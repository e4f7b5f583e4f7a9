"""Training rows and held-out rows: seeded, whole groups on one side, every slice on both where it can be."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Sequence

from ftrag.errors import InputError
from ftrag.text import words
from ftrag.types import Example


def split(examples: Sequence[Example], seed: int = 0, share: float = 0.1) -> tuple[list[Example], list[Example]]:
    """(train, held out), each in the order of the file. share: the fraction of rows to hold out, [0, 0.5].

    Rows of one group, and rows that ask the same question, stay together, or the held-out loss would reward memory.
    Each slice gives its share in whole groups, rounded down, and never its last group; what the rounding leaves is
    taken from the largest slices that have more than one group. Groups too large for the share: the smallest is held
    out if it is no more than half of the rows. Nothing is held out where there is no such group.
    """
    if not 0 <= share <= 0.5:
        raise InputError(f"the held-out share is {share}; give a fraction from 0 to 0.5")
    pools = _pools(examples, random.Random(seed))
    wanted = round(share * len(examples))
    held: set[int] = set()
    for pool in pools:
        _take(pool, int(share * sum(map(len, pool))), held)
    _fill(pools, wanted, held)
    train = [example for index, example in enumerate(examples) if index not in held]
    return train, [example for index, example in enumerate(examples) if index in held]


def _pools(examples: Sequence[Example], rng: random.Random) -> list[list[list[int]]]:
    """Per slice its groups of row indices, shuffled. A group across slices belongs to the slice of its first row."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        key = ("group", example.group) if example.group else ("prompt", " ".join(words(example.prompt)))
        groups[key].append(index)
    pools: defaultdict[str, list[list[int]]] = defaultdict(list)
    for members in groups.values():
        pools[examples[members[0]].slice].append(members)
    for pool in pools.values():
        rng.shuffle(pool)
    return list(pools.values())


def _take(pool: list[list[int]], rows: int, held: set[int]) -> None:
    """Moves whole groups from the pool to the held-out rows while they fit, leaving at least one group."""
    while len(pool) > 1 and len(pool[-1]) <= rows:
        group = pool.pop()
        held.update(group)
        rows -= len(group)


def _fill(pools: list[list[list[int]]], wanted: int, held: set[int]) -> None:
    """Takes one group after another from the largest slices until the wanted rows are held out."""
    rows = {place: sum(map(len, pool)) for place, pool in enumerate(pools)}
    heap = [(-count, place) for place, count in rows.items() if len(pools[place]) > 1]
    heapq.heapify(heap)
    limit = (sum(rows.values()) + len(held)) / 2
    while heap and len(held) < wanted:
        count, place = heapq.heappop(heap)
        pool = pools[place]
        last = next((n for n in reversed(range(len(pool))) if len(pool[n]) <= wanted - len(held)), None)
        chosen = min(range(len(pool)), key=lambda n: len(pool[n])) if last is None else last
        if len(held) + len(pool[chosen]) > limit:
            continue
        group = pool.pop(chosen)
        held.update(group)
        if len(pool) > 1:
            heapq.heappush(heap, (count + len(group), place))
