"""Inputs of the cost model that a project answers itself: tokens in its index, and those that retrieval adds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ftrag.counting import counter
from ftrag.errors import InputError

CHARACTERS_PER_TOKEN = 4  # where the model's own tokenizer is not on this machine; usual for English


def measured_inputs(project: Path) -> dict[str, Any]:
    """{context_tokens, corpus_tokens} for `cost.estimate`, counted in the project's own index.

    Passages added are the mean chunk times the passages that the project reads. InputError without documents.
    """
    from ftrag import workflows
    from ftrag.retrieval import store

    chunks = store.held_chunks(project)
    if not chunks:
        raise InputError(f"Project {project.name} has no indexed documents to measure; ingest one first.")
    file = store.tokenizer_file(project)
    how = "the model's tokenizer" if file else f"{CHARACTERS_PER_TOKEN} characters a token"
    sizes = [counter(file)(c.text) if file else len(c.text) / CHARACTERS_PER_TOKEN for c in chunks]
    passages = min(int(workflows.setting(project, "k")), len(chunks))
    mean = sum(sizes) / len(sizes)
    passages_said = f"{passages} passages of {mean:.0f} tokens, {how}"
    return {
        "context_tokens": _row(passages * mean, f"{project.name}'s index: {passages_said}"),
        "corpus_tokens": _row(sum(sizes), f"{project.name}'s index: {len(sizes)} chunks, {how}"),
    }


def _row(value: float, source: str) -> dict[str, Any]:
    return {
        "value": round(value),
        "basis": "measured",
        "source": source,
        "date": datetime.now(UTC).date().isoformat(),
    }
