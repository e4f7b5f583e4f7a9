"""How long a training will take, from a few real steps, questions and writes before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftrag.training import estimate, forgetting
from ftrag.training.encode import Pair
from ftrag.training.engine import Batch, Run, evaluation_steps, precision


def forecast(run: Run, afterwards: float = 0.0) -> float:
    """Seconds until the training's end with its questions, and `afterwards` that the caller needs; leaves no trace."""
    done = len(run.watch.losses)
    left, steps = run.batches[done * run.micro :], run.watch.steps - done
    trained = _trained(run, left, steps, done) if left else 0.0
    folder = run.checkpoints.parent if run.checkpoints.parent.name else None
    saves = max(steps / run.settings.save_steps, trained / max(1.0, run.settings.save_seconds))
    return trained + (saves + 2) * estimate.save(run.trainable, folder) + _questions(run) + afterwards


def _trained(run: Run, left: Sequence[Batch], steps: int, done: int) -> float:
    """Seconds of the steps, of the held-out losses between them, and of the reference that pairs are compared with."""
    run.model.train()
    batch, position = estimate.measure(estimate.without_trace(run.model, run.loss), left)
    costs = estimate.Costs(batch, position, _forward(run, left), estimate.optimizer_step(run.model))
    read = list(run.held_out) * sum(step > done for step in evaluation_steps(run))
    if any(isinstance(row, Pair) for row in left[0]):
        epoch = round(len(run.batches) / max(1.0, run.settings.epochs))
        read += [*run.batches[:epoch], *run.held_out, *run.held_out]  # once without the LoRA; held-out pairs at the end
    return estimate.seconds(costs, left, steps, read)


def _forward(run: Run, left: Sequence[Batch]) -> float:
    """Seconds per position of a batch of middle length, without gradients."""
    import torch

    batch = sorted(run.held_out or left, key=estimate.cost)[len(run.held_out or left) // 2]
    run.model.eval()
    with torch.no_grad():
        found = estimate.timed(run.loss, batch) / estimate.cost(batch)
    run.model.train()
    return found


def _questions(run: Run) -> float:
    """Seconds of the questions about forgetting."""
    if not run.settings.forgetting:
        return 0.0
    tokenizer: Any = run.loaded.tokenizer
    with precision(run):
        return forgetting.forecast(run.model, tokenizer, run.reading, run.known)
