"""The machinery of a training: peft around the model, Trainer around both, and the checkpoint after a step."""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrag.models import Loaded
from ftrag.training import checkpoints, likelihood
from ftrag.training.attention import grouped_attention
from ftrag.training.encode import Pair, Row, collate, sequences
from ftrag.training.known import Known
from ftrag.training.settings import TrainSettings, check_modules
from ftrag.training.watch import Watch

Batch = Sequence[Row | Pair]


@contextlib.contextmanager
def lora(loaded: Loaded, settings: TrainSettings) -> Iterator[Any]:
    """A peft model around the loaded one: seeded LoRA weights in float32, whatever the base is in.

    Afterwards the LoRA is taken off again, for peft puts its layers into the loaded model itself.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    check_modules(settings, loaded.model)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.dropout,
        target_modules=list(settings.target_modules),
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks for an attribute that transformers renames
        torch.manual_seed(settings.seed)
        model = get_peft_model(loaded.model, config)
    try:
        with grouped_attention(loaded):
            yield model
    finally:
        model.unload()
        loaded.model.eval()
        for leftover in ("peft_config", "_hf_peft_config_loaded"):
            vars(loaded.model).pop(leftover, None)


def state(model: Any) -> dict[str, Any]:
    """The LoRA weights by peft's file names, copied."""
    from peft import get_peft_model_state_dict

    return {name: tensor.detach().clone() for name, tensor in get_peft_model_state_dict(model).items()}


@dataclass
class Run:
    """One training under way."""

    loaded: Loaded
    model: Any  # PeftModel
    settings: TrainSettings
    batches: Sequence[Batch]  # micro-batches in order, equally many for every optimizer step
    held_out: Sequence[Batch]
    checkpoints: Path
    watch: Watch
    should_stop: Callable[[], bool]
    reading: Sequence[Mapping[str, Any]] = ()  # questions with passages, asked at the end
    known: Known | None = None  # what base answered before
    best: dict[str, Any] = field(default_factory=dict)  # LoRA weights of the best held-out loss
    trainable: int = 0  # parameters
    saved: float = field(default_factory=time.monotonic)  # when the last checkpoint was written, or the run began
    step_losses: list[float] = field(default_factory=list)  # of this step's micro-batches; their sum is the step's
    references: dict[Pair, tuple[float, float]] = field(default_factory=dict)  # of pairs, as in likelihood.References

    def __post_init__(self) -> None:
        self.trainable = sum(weight.numel() for weight in self.model.parameters() if weight.requires_grad)

    @property
    def micro(self) -> int:
        return len(self.batches) // self.watch.steps

    def loss(self, batch: Batch) -> Any:
        """Mean loss over the learned tokens of a batch, or over its preference pairs."""
        if pairs := [row for row in batch if isinstance(row, Pair)]:
            with precision(self):
                return likelihood.preference_loss(self.model, pairs, self.references)
        inputs = {name: tensor.to(self.model.device) for name, tensor in collate(sequences(batch), 0).items()}
        labels = inputs.pop("labels")
        with precision(self):
            logits = self.model(**inputs, use_cache=False).logits
        return cross_entropy(logits, labels, len(labels))

    def resume(self) -> Path | None:
        """The newest whole checkpoint, if any; its history and its best weights are taken over."""
        checkpoints.sweep(self.checkpoints)
        found = checkpoints.newest(self.checkpoints)
        if found:
            from safetensors.torch import load_file

            self.watch.recall(json.loads((found / "watch.json").read_bytes()))
            self.best = load_file(found / "best.safetensors") if (found / "best.safetensors").exists() else {}
        return found

    def evaluate(self) -> float:
        """Loss per learned token over all held-out rows; per pair over held-out pairs."""
        import torch

        self.model.eval()
        with torch.no_grad():
            weights = [sum(len(row.answer) if isinstance(row, Row) else 1 for row in part) for part in self.held_out]
            losses = [float(self.loss(batch)) for batch in self.held_out]
        self.model.train()
        return sum(loss * n for loss, n in zip(losses, weights, strict=True)) / sum(weights)

    def change(self) -> float:
        """Mean absolute change, in nats, of the learned tokens' log-probability by the adapter, on a few rows."""
        import torch

        batch = sequences((self.held_out or self.batches)[0])[:4]
        inputs = {name: tensor.to(self.model.device) for name, tensor in collate(batch, 0).items()}
        labels = inputs.pop("labels")[:, None]
        self.model.eval()
        with torch.no_grad(), precision(self):
            after = self.model(**inputs).logits.float().log_softmax(-1).gather(1, labels)
            with self.model.disable_adapter():
                before = self.model(**inputs).logits.float().log_softmax(-1).gather(1, labels)
        return float((after - before).abs().mean())


def cross_entropy(logits: Any, labels: Any, tokens: Any) -> Any:
    """Sum over the kept positions, in float32, divided by the tokens of the whole optimizer step."""
    import torch

    return torch.nn.functional.cross_entropy(logits.float(), labels, reduction="sum") / tokens


@contextlib.contextmanager
def precision(run: Run) -> Iterator[None]:
    """bfloat16 arithmetic over float32 LoRA weights, for forward passes between which no weight changes.

    Autocast keeps its rounded copies of the weights until the outermost context ends: around a whole training it
    would go on with the first ones. There Trainer enters it anew for every step.
    """
    import torch

    if run.loaded.dtype != "bfloat16":
        yield
        return
    with no_lifting(run), torch.autocast(run.model.device.type, torch.bfloat16):
        yield


def no_lifting(run: Run) -> contextlib.AbstractContextManager[Any]:
    """In bfloat16 peft would lift every input to the LoRA's float32, only for autocast to lower it again."""
    from peft.helpers import disable_input_dtype_casting

    if run.loaded.dtype != "bfloat16":
        return contextlib.nullcontext()
    off: contextlib.AbstractContextManager[Any] = disable_input_dtype_casting(run.model)
    return off


def evaluation_steps(run: Run) -> set[int]:
    """Optimizer steps after which the held-out loss is taken: evenly, and always the last."""
    if not run.held_out:
        return set()
    count = max(1, round(run.settings.epochs * run.settings.evaluations))
    return {round(n * run.watch.steps / count) for n in range(1, count + 1)}


def restore_best(run: Run) -> None:
    """Put back the LoRA weights of the best held-out loss; the last ones where nothing was held out."""
    from peft import set_peft_model_state_dict

    if run.best:
        set_peft_model_state_dict(run.model, run.best)
