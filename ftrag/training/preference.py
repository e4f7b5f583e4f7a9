"""Preference pairs: direct preference optimisation through trl's DPOTrainer, on a processor too."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ftrag.errors import InputError, TrainingError
from ftrag.training import engine, estimate, processes
from ftrag.training.encode import texts
from ftrag.training.settings import TrainSettings
from ftrag.training.split import split
from ftrag.types import Example

RATE = 0.1  # of the learning rate for plain rows: a pair moves two likelihoods at once and overshoots at full rate
HEAVIER = 3.2  # times our own step a position costs in trl's: 131 s taken where 41 s were said, on one core, 30 pairs
INSTALL = "preference pairs need trl; install it with: pip install 'trl>=1.16,<2'"


def is_pairs(examples: Sequence[Example]) -> bool:
    """Whether these rows are preference pairs. A mixture is refused: one loss cannot learn both."""
    paired = sum(example.rejected is not None for example in examples)
    if 0 < paired < len(examples):
        raise InputError(f"{paired} of {len(examples)} rows have a rejected answer; train pairs and plain rows apart")
    return bool(paired)


def cost_of_pairs(settings: TrainSettings) -> float:
    """How many times a plain row's cost a pair takes: two answers, and once the reference's view of both."""
    return HEAVIER * 2 * (1 + estimate.FORWARD_SHARE / max(1.0, settings.epochs))


def optimise(run: engine.Run, examples: Sequence[Example]) -> dict[str, Any]:
    """Train the LoRA of a run on pairs; gives {pairs_right}: the share of held-out pairs ranked right, [0, 1].

    The prompt is the one of inference; the reference is the model without the LoRA, computed once before the start.
    There are no checkpoints: a stopped training of pairs begins anew. TrainingError without trl.
    """
    train, held_out = split(examples, run.settings.seed, run.settings.eval_share)
    watch = run.watch
    trainer = _trainer(run, train, held_out)
    positions = sum(map(estimate.cost, run.batches)) // watch.steps
    tokens = sum(len(row) for batch in run.batches for row in batch) // watch.steps
    watch.start(positions * watch.steps)
    trainer.add_callback(_watching(run, 2 * tokens, positions))
    with engine.no_lifting(run):
        trainer.train()
        found = trainer.evaluate() if held_out and not watch.stopped else {}
    shutil.rmtree(trainer.args.output_dir, ignore_errors=True)
    if found:
        watch.evaluated(float(found["eval_loss"]))
    return {"pairs_right": found.get("eval_rewards/accuracies")}


def pair(tokenizer: Any, example: Example) -> dict[str, str]:
    """A row for trl: the rendered prompt and both answers with the end of turn."""
    prompt, chosen = texts(tokenizer, example)
    _, rejected = texts(tokenizer, replace(example, response=str(example.rejected)))
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def _trainer(run: engine.Run, train: Sequence[Example], held_out: Sequence[Example]) -> Any:
    settings, loaded = run.settings, run.loaded
    try:
        from trl import DPOConfig, DPOTrainer
    except ImportError as error:
        raise TrainingError(INSTALL) from error
    from datasets import Dataset
    from transformers import PrinterCallback, ProgressCallback

    arguments = DPOConfig(
        output_dir=str(run.checkpoints.parent / "trl"),
        max_steps=run.watch.steps,
        per_device_train_batch_size=max(1, settings.batch_rows // processes.count()),
        per_device_eval_batch_size=settings.batch_rows,
        learning_rate=settings.learning_rate * RATE,
        lr_scheduler_type="cosine",
        warmup_steps=round(settings.warmup * run.watch.steps),
        max_length=settings.max_tokens,
        precompute_ref_log_probs=True,
        bf16=loaded.dtype == "bfloat16",
        use_cpu=run.model.device.type == "cpu",
        gradient_checkpointing=False,
        seed=settings.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        eval_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    tables = [Dataset.from_list([pair(loaded.tokenizer, row) for row in rows]) for rows in (train, held_out) if rows]
    trainer = DPOTrainer(
        model=run.model,
        args=arguments,
        train_dataset=tables[0],
        eval_dataset=tables[1] if held_out else None,
        processing_class=loaded.tokenizer,
    )
    for printing in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(printing)
    return trainer


def _watching(run: engine.Run, tokens: int, positions: int) -> Any:
    from transformers import TrainerCallback

    watch = run.watch

    def on_log(args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        if "loss" in logs and state.global_step > len(watch.losses):
            watch.step(float(logs["loss"]), tokens, positions, float(logs["learning_rate"]))

    def on_step_end(args: Any, state: Any, control: Any, **_: Any) -> None:
        if run.should_stop() and state.global_step < watch.steps:
            watch.stopped = control.should_training_stop = True

    callback = TrainerCallback()
    callback.on_log, callback.on_step_end = on_log, on_step_end
    return callback
