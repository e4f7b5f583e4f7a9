"""How long and how much memory a training takes, from a few measured steps on its own batches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from ftrag.training.encode import Row

FORWARD_SHARE = 0.4  # of forward and backward: what an evaluation costs per token; measured 0.35 to 0.4


def cost(batch: Sequence[Row]) -> int:
    """Positions computed for a micro-batch, padding included."""
    return len(batch) * max(map(len, batch))


def measure(run: Callable[[Sequence[Row]], None], batches: Sequence[Sequence[Row]], samples: int = 3) -> float:
    """Seconds per position, from forward and backward over `samples` batches of spread lengths, after one to warm up.

    The longest batch is among them, so that a training that will not fit in memory fails here. run must leave
    weights, optimizer and random state as they were.
    """
    order = sorted(range(len(batches)), key=lambda index: cost(batches[index]))
    picked = [batches[order[round(n * (len(order) - 1) / max(1, samples - 1))]] for n in range(samples)]
    run(picked[0])
    start = time.perf_counter()
    for batch in picked:
        run(batch)
    return (time.perf_counter() - start) / sum(map(cost, picked))


def seconds(
    per_position: float,
    batches: Sequence[Sequence[Row]],
    held_out: Sequence[Sequence[Row]],
    evaluations: int,
    asked: int = 0,
    times: float = 1.0,
) -> float:
    """Seconds of a whole training with that many passes over the held-out rows, and `asked` positions afterwards.

    times: what a row costs in the training, in plain rows; the questions afterwards are the same whatever is trained.
    """
    trained = sum(map(cost, batches))
    evaluated = sum(map(cost, held_out)) * evaluations
    return per_position * (times * (trained + FORWARD_SHARE * evaluated) + FORWARD_SHARE * asked)


def memory_mib() -> float:
    """The peak on the GPU where one trains; else resident memory of this process now, or its peak. In MiB."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return float(torch.cuda.max_memory_reserved()) / 2**20
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096 / 2**20
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def without_trace(model: Any, step: Callable[[Sequence[Row]], Any]) -> Callable[[Sequence[Row]], None]:
    """A forward and backward that leaves no gradient and no drawn random number behind."""
    import torch

    def run(batch: Sequence[Row]) -> None:
        with torch.random.fork_rng():
            step(batch).backward()
        model.zero_grad(set_to_none=True)

    return run
