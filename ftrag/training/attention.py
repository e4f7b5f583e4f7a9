"""Attention for bfloat16 on processors: torch's fused kernel there is slower than plain matrix products."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ftrag.models import Loaded

NAME = "ftrag_grouped"


def attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float = 1.0, **_: Any
) -> tuple[Any, None]:
    """Attention with the query heads of one key head in one product.

    query (batch, heads, length, width), key and value (batch, key heads, length, width) -> (batch, length, heads,
    width). attention_mask: boolean (batch, 1, length, length), true where a position is seen; None is
    causal, and (batch, length) is causal over the true ones.
    The softmax adds up in float32 inside its kernel. Per layer at 8 x 250: 17 ms forward and backward, where
    scaled_dot_product_attention takes 43.
    """
    import torch

    batch, heads, length, width = query.shape
    groups = key.shape[1]
    rows = (query * scaling).reshape(batch, groups, -1, width)
    scores = (rows @ key.transpose(-1, -2)).view(batch, heads, length, length)
    seen = torch.ones(length, length, dtype=torch.bool, device=scores.device).tril()
    if attention_mask is not None and attention_mask.dim() == 4:
        seen = attention_mask
    elif attention_mask is not None:
        itself = torch.eye(length, dtype=torch.bool, device=scores.device)  # a pad sees itself, or it would be NaN
        seen = seen & (attention_mask[:, None, None, :].bool() | itself)
    weights = scores.masked_fill(~seen, float("-inf")).softmax(-1)
    out = weights.view(batch, groups, -1, length) @ value
    return out.view(batch, heads, length, width).transpose(1, 2).contiguous(), None


@contextlib.contextmanager
def grouped_attention(loaded: Loaded) -> Iterator[None]:
    """Train with `attend` where it is faster and means the same: bfloat16, on a processor, full causal attention."""
    from transformers import AttentionInterface

    config = loaded.model.config
    windowed = bool(getattr(config, "sliding_window", None)) or bool(getattr(config, "attn_logit_softcapping", None))
    if loaded.dtype != "bfloat16" or loaded.model.device.type != "cpu" or windowed:
        yield
        return
    AttentionInterface.register(NAME, attend)
    before = config._attn_implementation
    loaded.model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        loaded.model.set_attn_implementation(before)
