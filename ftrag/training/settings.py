"""The settings of one training, with the reason for each default beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ftrag.errors import InputError
from ftrag.training.rehearsal import MOST

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class TrainSettings:
    rank: int = 16  # of the two LoRA matrices
    alpha: int | None = None  # scaling is alpha / rank; None: twice the rank
    dropout: float = 0.0  # [0, 1); random numbers for 210 modules cost a fifth of a CPU step and helped nothing here
    target_modules: tuple[str, ...] = LINEAR  # names of linear layers
    epochs: float = 3.0  # passes over the training rows; the best held-out loss is kept
    learning_rate: float = 1e-3  # peak; held-out loss 1.20 against 1.35 at 5e-4 (CONTRIBUTING.md)
    warmup: float = 0.1  # fraction of the steps
    weight_decay: float = 0.0
    batch_rows: int = 8  # rows of one optimizer step
    micro_batches: int = 2  # pieces a step is computed in: each of like lengths, so little is padded; a row at least
    rehearsal: int = 0  # general rows mixed in against forgetting; a project's trainings take 64 (CONTRIBUTING.md)
    max_tokens: int = 2048  # longer rows are left out, with a warning
    eval_share: float = 0.1  # of the rows, held out; 0: none, and no early stopping
    evaluations: int = 1  # per epoch
    patience: int = 2  # evaluations without a better held-out loss before the training ends
    save_steps: int = 10  # optimizer steps between checkpoints: what a killed training loses at most
    save_seconds: float = (
        30.0  # after a step that ends this long after the last one, a checkpoint too: steps may be slow
    )
    forgetting: bool = True  # measure general questions, safety and plain text against base when the training ends
    seed: int = 0

    @property
    def lora_alpha(self) -> int:
        return 2 * self.rank if self.alpha is None else self.alpha


def suited(rows: int, parameters: int) -> dict[str, float]:
    """Epochs and learning rate by the size of the data and of the model, where the user names none.

    The measured point is 3 epochs at 1e-3 for 133 rows and 64 of rehearsal on 135M parameters (CONTRIBUTING.md). Larger
    models move further at the same rate (Hu et al. 2021, table 11 on).
    """
    epochs = 3.0 if rows < 2000 else 2.0
    rate = 1e-3 if parameters < 500e6 else 5e-4 if parameters < 2e9 else 2e-4
    return {"epochs": epochs, "learning_rate": rate}


def check(settings: TrainSettings) -> None:
    """Raises InputError for a setting out of range, naming it and its range."""
    ranges = {
        "rank": (1, 1024),
        "dropout": (0, 0.95),
        "epochs": (0, 1000),
        "learning_rate": (0, 1),
        "warmup": (0, 1),
        "batch_rows": (1, 4096),
        "micro_batches": (1, max(settings.batch_rows, TrainSettings.micro_batches)),
        "rehearsal": (0, MOST),
        "max_tokens": (8, 1_000_000),
        "eval_share": (0, 0.5),
        "evaluations": (1, 100),
        "patience": (1, 1000),
        "save_steps": (1, 1_000_000),
        "save_seconds": (0, 1e9),
        "seed": (0, 2**32 - 1),
    }
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise InputError(f"{name.replace('_', ' ')} is {value}; give a value from {low} to {high}")


def check_modules(settings: TrainSettings, model: Any) -> None:
    """Raises InputError for a target module that is no linear layer of the model, naming those that are."""
    import torch

    linear = {name.rpartition(".")[2] for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)}
    wrong = [name for name in settings.target_modules if name not in linear]
    if wrong or not settings.target_modules:
        found = f"the model has no linear layer {', '.join(wrong)}" if wrong else "none is named"
        raise InputError(f"target modules: {found}; choose from {', '.join(sorted(linear - {'lm_head'}))}")
