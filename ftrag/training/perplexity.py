"""How well a model expects plain text, with and without its LoRA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TEXT = Path(__file__).parent / "data" / "general.txt"
Z = 1.959964  # two-sided 95 %


def paragraphs(tokenizer: Any) -> list[tuple[int, ...]]:
    """Token ids of the paragraphs of data/general.txt."""
    texts = [part for part in TEXT.read_text(encoding="utf-8").split("\n\n") if part.strip()]
    return [tuple(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def measure(model: Any, rows: Sequence[tuple[int, ...]]) -> dict[str, float]:
    """Perplexity per token of plain text, and the ratio adapter / base with its 95 % interval over paragraphs."""
    import torch

    model.eval()
    losses: list[tuple[float, float]] = []
    with torch.no_grad():
        for row in rows:
            ids = torch.tensor([row], device=model.device)
            tuned = mean_loss(model, ids)
            with model.disable_adapter():
                losses.append((mean_loss(model, ids), tuned))
    weights = [len(row) - 1 for row in rows]
    base, tuned = (
        sum(pair[side] * weight for pair, weight in zip(losses, weights, strict=True)) / sum(weights) for side in (0, 1)
    )
    shifts = [new - old for old, new in losses]
    spread = math.sqrt(sum((shift - sum(shifts) / len(shifts)) ** 2 for shift in shifts) / max(1, len(shifts) - 1))
    width = Z * spread / math.sqrt(len(shifts))
    return {
        "base": math.exp(base),
        "adapter": math.exp(min(tuned, 700)),
        "ratio": math.exp(min(tuned - base, 700)),
        "low": math.exp(min(tuned - base - width, 700)),
        "high": math.exp(min(tuned - base + width, 700)),
        "paragraphs": len(rows),
    }


def mean_loss(model: Any, ids: Any) -> float:
    """Nats per token of a text (1, length)."""
    import torch

    logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
    return float(torch.nn.functional.cross_entropy(logits, ids[0, 1:]))
