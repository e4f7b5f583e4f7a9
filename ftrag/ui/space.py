"""What a Space adds to the page: a button that duplicates it, and plain words about its limits and its processor."""

from __future__ import annotations

from html import escape

import gradio as gr

from ftrag import quotas, zero
from ftrag.ui import texts


def build() -> None:
    """A line below the header; nothing where this is no Space."""
    if not quotas.on_space():
        return
    with gr.Row(elem_id="space"):
        gr.HTML("".join(f'<p class="ft-note" role="note">{escape(said)}</p>' for said in notices()), padding=False)
        gr.DuplicateButton(texts.DUPLICATE, size="sm", scale=0, min_width=150, elem_id="duplicate")


def notices() -> list[str]:
    """What a visitor should know before working here; the header says whether results survive a restart."""
    said = [texts.ZERO_TRAINING] if zero.on_zero() else []
    return [*said, texts.SPACE_LIMITS.format(days=quotas.limit("idle_days"), minutes=quotas.limit("job_minutes"))]
