"""How long and how much memory a training takes, from a few measured steps on its own batches."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrag.training import checkpoints
from ftrag.training.encode import Pair, Row, sequences


@dataclass(frozen=True)
class Costs:
    """What was measured here, in seconds."""

    batch: float  # forward and backward of a micro-batch, however short
    position: float  # and of each of its positions
    forward: float  # of a position, without gradients
    step: float = 0.0  # of the optimizer


def cost(batch: Sequence[Row | Pair]) -> int:
    """Positions computed for a micro-batch, padding included; a pair is two sequences."""
    rows = sequences(batch)
    return len(rows) * max(map(len, rows))


def measure(
    run: Callable[[Any], None], batches: Sequence[Sequence[Row | Pair]], samples: int = 3
) -> tuple[float, float]:
    """(seconds per batch, per position), from forward and backward over `samples` batches of spread lengths.

    The longest batch is among them, so that a training that will not fit in memory fails here. run must leave
    weights, optimizer and random state as they were.
    """
    order = sorted(range(len(batches)), key=lambda index: cost(batches[index]))
    picked = [batches[order[round(n * (len(order) - 1) / max(1, samples - 1))]] for n in range(samples)]
    run(picked[0])  # to warm up
    return line([cost(batch) for batch in picked], [timed(run, batch) for batch in picked])


def line(sizes: Sequence[float], taken: Sequence[float]) -> tuple[float, float]:
    """(a, b) of the least squares a + b size, neither below 0; through the origin where the sizes do not tell."""
    if len(set(sizes)) > 1:
        b, a = statistics.linear_regression(sizes, taken)
        if a >= 0 and b >= 0:
            return a, b
    return 0.0, sum(taken) / sum(sizes)


def timed(run: Callable[..., Any], *given: Any) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    run(*given)
    return time.perf_counter() - start


def seconds(
    costs: Costs,
    batches: Sequence[Sequence[Row | Pair]],
    steps: int,
    read: Sequence[Sequence[Row | Pair]] = (),
) -> float:
    """Seconds of a training's batches and optimizer steps, and of the batches that are only read."""
    trained = costs.batch * len(batches) + costs.position * sum(map(cost, batches)) + costs.step * steps
    return trained + costs.forward * sum(map(cost, read))


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


def without_trace(model: Any, step: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A forward and backward that leaves no gradient and no drawn random number behind."""
    import torch

    def run(batch: Any) -> None:
        with torch.random.fork_rng():
            step(batch).backward()
        model.zero_grad(set_to_none=True)

    return run


def optimizer_step(model: Any) -> float:
    """Seconds of one step of the optimizer with its clipping, on copies of the trained weights."""
    import torch

    copies = [torch.zeros_like(weight).requires_grad_() for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(copies, fused=True)

    def step() -> None:
        for copy in copies:
            copy.grad = torch.zeros_like(copy)
        torch.nn.utils.clip_grad_norm_(copies, 1.0)
        optimizer.step()

    step()  # makes the moments
    return timed(step)


def save(parameters: int, folder: Path | None) -> float:
    """Seconds to hash and write what a checkpoint holds: weights, both moments and the best weights, in float32."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        return timed(checkpoints.commit, Path(made) / "step", {"weights": bytes(4 * 4 * parameters)})
