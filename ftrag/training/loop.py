"""transformers' Trainer over planned micro-batches, and what happens after each of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ftrag.training import checkpoints, processes, snapshot
from ftrag.training.encode import collate, sequences
from ftrag.training.engine import Run, cross_entropy, evaluation_steps, no_lifting, state
from ftrag.training.estimate import cost


def fit(run: Run, resume: Path | None, build: Callable[[Run], Any] | None = None) -> None:
    """Run a Trainer over the planned micro-batches, from a checkpoint if one is given."""
    done = len(run.watch.losses)
    if done == run.watch.steps or run.watch.exhausted():
        return
    trainer = (build or _plain)(run)
    _watch(run, trainer)
    run.watch.start(sum(map(cost, run.batches[done * run.micro :])))
    with no_lifting(run):
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)


def arguments(run: Run) -> dict[str, Any]:
    """What Trainer is told: an item of the data set is a micro-batch, so a DataLoader batch holds a single item."""
    settings = run.settings
    return {
        "output_dir": str(run.checkpoints.parent),
        "max_steps": run.watch.steps,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": run.micro // processes.count(),
        "ddp_find_unused_parameters": False,
        "train_sampling_strategy": "sequential",
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": round(settings.warmup * run.watch.steps),
        "weight_decay": settings.weight_decay,
        "bf16": run.loaded.dtype == "bfloat16",
        "use_cpu": run.model.device.type == "cpu",
        "seed": settings.seed,
        "remove_unused_columns": False,
        "logging_strategy": "no",
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def _plain(run: Run) -> Any:
    """Trainer with the loss at the learned positions alone."""
    from transformers import Trainer, TrainingArguments

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        value = cross_entropy(outputs.logits, labels, num_items_in_batch)
        run.step_losses.append(float(value.detach()))
        return value

    return Trainer(
        model=run.model,
        args=TrainingArguments(**arguments(run), label_names=["labels"]),
        train_dataset=list(run.batches),
        data_collator=lambda items: collate(items[0], 0),
        compute_loss_func=loss,
    )


def _watch(run: Run, trainer: Any) -> None:
    """Call _after_step after each step, and print nothing."""
    from transformers import PrinterCallback, ProgressCallback, TrainerCallback

    watching = TrainerCallback()
    watching.on_step_end = lambda args, state, control, **kwargs: _after_step(run, trainer, control)
    trainer.add_callback(watching)
    for printing in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(printing)


def _after_step(run: Run, trainer: Any, control: Any) -> None:
    """Record the step, evaluate and save when it is time, and end the training when asked to or when it gets worse."""
    watch, done = run.watch, len(run.watch.losses)
    batches = run.batches[done * run.micro : (done + 1) * run.micro]
    tokens = sum(len(row) for batch in batches for row in sequences(batch))
    losses, run.step_losses = run.step_losses, []
    loss, stop = processes.together(trainer, sum(losses), run.should_stop())
    watch.step(loss, tokens, sum(map(cost, batches)), trainer.lr_scheduler.get_last_lr()[0])
    step = done + 1
    if step in evaluation_steps(run) and watch.evaluated(run.evaluate()):
        run.best = state(run.model)
    if stop and step < watch.steps:
        watch.stopped = True
    if watch.stopped or watch.exhausted():
        control.should_training_stop = True
    slow = time.monotonic() - run.saved >= run.settings.save_seconds
    due = watch.stopped or slow or step % run.settings.save_steps == 0 or step == watch.steps
    if due and trainer.args.should_save:
        checkpoints.commit(run.checkpoints / checkpoints.name(step), snapshot.files(run, trainer, state(run.model)))
        checkpoints.sweep(run.checkpoints)
        run.saved = time.monotonic()
