"""Preference pairs: direct preference optimisation through trl's DPOTrainer, on a processor too."""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrag.errors import InputError, TrainingError
from ftrag.training import loop
from ftrag.training.encode import Pair, sequences
from ftrag.training.engine import Run, precision, restore_best
from ftrag.training.likelihood import BETA, answers, learned_only, margins
from ftrag.types import Example

RATE = 0.1  # of the learning rate for plain rows: a pair moves two likelihoods at once and overshoots at full rate
REFERENCE_ROWS = 8  # pairs read at once without the LoRA, before the start
INSTALL = "preference pairs need trl; install it with: pip install 'trl>=1.16,<2'"


def is_pairs(examples: Sequence[Example]) -> bool:
    """Whether these rows are preference pairs. A mixture is refused: one loss cannot learn both."""
    paired = sum(example.rejected is not None for example in examples)
    if 0 < paired < len(examples):
        raise InputError(f"{paired} of {len(examples)} rows have a rejected answer; train pairs and plain rows apart")
    return bool(paired)


def optimise(run: Run, resume: Path | None) -> dict[str, Any]:
    """Train the LoRA of a run on pairs; gives {pairs_right}: the share of held-out pairs ranked right, [0, 1].

    Batches, checkpoints, held-out loss and early stopping are those of plain rows; loss and loop are trl's. The
    reference is the model without the LoRA, read once before the start. TrainingError without trl.
    """
    _require()
    if not _refer(run):
        run.watch.stopped = True
        return {}
    with _scored(run):
        loop.fit(run, resume, _trainer)
    if run.watch.stopped:
        return {}
    restore_best(run)
    return {"pairs_right": _right(run)}


def _require() -> None:
    if importlib.util.find_spec("trl") is None:
        raise TrainingError(INSTALL)


def _refer(run: Run) -> bool:
    """Read every pair once without the LoRA, those of like length together. Gives whether it was let finish."""
    import torch

    pairs = sorted(_pairs([*run.batches, *run.held_out]), key=len)
    run.model.eval()
    for start in range(0, len(pairs), REFERENCE_ROWS):
        if run.should_stop():
            return False
        part = pairs[start : start + REFERENCE_ROWS]
        with torch.no_grad(), precision(run), run.model.disable_adapter():
            chosen, rejected = answers(run.model, sequences(part)).chunk(2)
        run.references |= dict(zip(part, zip(chosen.tolist(), rejected.tolist(), strict=True), strict=True))
        run.watch.reading("reading the pairs without the LoRA", (start + len(part)) / len(pairs))
    return True


def _pairs(batches: Sequence[Sequence[Any]]) -> list[Pair]:
    """Every pair once, in the order of the batches."""
    return list(dict.fromkeys(pair for batch in batches for pair in batch if isinstance(pair, Pair)))


@contextlib.contextmanager
def _scored(run: Run) -> Iterator[None]:
    """Afterwards the model has its own forward again: trl puts another in its place."""
    base = run.model.get_base_model()
    try:
        yield
    finally:
        vars(base).pop("forward", None)


def _right(run: Run) -> float | None:
    """The share of held-out pairs whose chosen answer has gained more than the rejected one."""
    import torch

    if not run.held_out:
        return None
    run.model.eval()
    with torch.no_grad(), precision(run):
        parts = [margins(run.model, _pairs([batch]), run.references) for batch in run.held_out]
    found = [bool(margin > 0) for part in parts for margin in part]
    return sum(found) / len(found)


def _trainer(run: Run) -> Any:
    """DPOTrainer over our micro-batches of token ids, each with the reference's view of it."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    told = loop.arguments(run) | {"learning_rate": run.settings.learning_rate * RATE}
    one = Dataset.from_list([{"prompt": "a", "chosen": " b", "rejected": " c"}])  # it tokenises text: ours is tokenised
    collate = DataCollatorForPreference(pad_token_id=0, max_length=None)
    with _quiet():
        trainer = DPOTrainer(
            model=run.model,
            args=DPOConfig(**told, beta=BETA, max_length=None, gradient_checkpointing=False),
            train_dataset=one,
            processing_class=run.loaded.tokenizer,
            data_collator=lambda items: collate(items[0]),
        )
    trainer.train_dataset = [_items(run, batch) for batch in run.batches]
    trainer.precompute_ref_logps = True  # they are in the items
    base = run.model.get_base_model()
    base.forward = learned_only(base)
    counted = trainer.compute_loss

    def loss(*given: Any, **named: Any) -> Any:
        value = counted(*given, **named)
        run.step_losses.append(float(value.detach()) / run.micro)
        return value

    trainer.compute_loss = loss
    return trainer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the bar of datasets, and without what transformers says of a name that trl still uses."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        if shown:
            enable_progress_bars()


def _items(run: Run, batch: Sequence[Any]) -> list[dict[str, Any]]:
    """A micro-batch in trl's words."""
    return [
        {
            "prompt_ids": list(pair.chosen.prompt),
            "chosen_ids": list(pair.chosen.answer),
            "rejected_ids": list(pair.rejected.answer),
            "ref_chosen_logps": run.references[pair][0],
            "ref_rejected_logps": run.references[pair][1],
        }
        for pair in batch
    ]
