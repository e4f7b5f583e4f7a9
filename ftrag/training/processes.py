"""Several processes that train together, as `accelerate launch` starts them."""

from __future__ import annotations

import os
from typing import Any


def together(trainer: Any, loss: float, stop: bool) -> tuple[float, bool]:
    """The step's loss over all processes, and whether any of them was asked to stop."""
    if count() == 1:
        return loss, stop
    import torch

    both = torch.tensor([loss, float(stop)], device=trainer.args.device)
    total = trainer.accelerator.reduce(both, "sum")
    return float(total[0]), bool(total[1])


def count() -> int:
    """How many processes train together; `accelerate launch` says so."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process writes files: the only one, or the first of several."""
    return int(os.environ.get("RANK", "0")) == 0
