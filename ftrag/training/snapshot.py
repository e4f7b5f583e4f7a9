"""What a checkpoint holds: everything that Trainer and the watch need to go on as if nothing had happened."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftrag.training.engine import Run


def files(run: Run, trainer: Any, state: Mapping[str, Any]) -> dict[str, bytes]:
    """The files that Trainer resumes from, under its own names, and ours beside them."""
    import numpy as np
    import torch
    from safetensors.torch import save

    generators = {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.random.get_rng_state()}
    if torch.cuda.is_available():
        generators["cuda"] = torch.cuda.random.get_rng_state()
    config = run.model.peft_config["default"].to_dict()
    found = {
        "adapter_model.safetensors": save(dict(state)),
        "adapter_config.json": json.dumps(
            config, default=lambda v: sorted(v) if isinstance(v, set) else str(v)
        ).encode(),
        "optimizer.pt": _saved(trainer.optimizer.state_dict()),
        "scheduler.pt": _saved(trainer.lr_scheduler.state_dict()),
        "rng_state.pth": _saved(generators),
        "trainer_state.json": json.dumps(asdict(trainer.state), default=str).encode(),
        "watch.json": json.dumps(run.watch.record()).encode(),
    }
    return found | ({"best.safetensors": save(run.best)} if run.best else {})


def _saved(value: Any) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()
