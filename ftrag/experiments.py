"""The long commands: train, evaluate, compare, reroute, drill, and what becomes of their results.

Each takes the project's folder and a report(fraction, message, **numbers) that a job shows, and writes its manifest
(card.json, run.json) last, so that its existence means that the rest is there.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from ftrag import project as projects, prompts, workflows
from ftrag.errors import InputError, NotFound
from ftrag.jobs import Report
from ftrag.types import Example, Generation, Gold, Verdict

SOFTWARE = ("torch", "transformers", "peft", "accelerate")


def software() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in SOFTWARE}


def machine() -> str:
    """One line about this machine, for a run's record."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{torch.get_num_threads()} CPU threads ({platform.machine()}){gpu}"


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


# --- training


def training_data(project: Path, share: float, seed: int = 0) -> list[Example]:
    """The project's training rows, a share of those with evidence shown with passages of its own retriever."""
    from ftrag.retrieval import store
    from ftrag.training.context import with_context

    rows = workflows.training_rows(project)
    if not rows:
        raise InputError(
            f"{project.name} has no training rows; add them with: python -m ftrag examples {project.name} FILE"
        )
    if not store.chunks(project):
        return rows
    hidden = _gold_documents(project)
    k = workflows.setting(project, "k")
    return with_context(rows, workflows.retriever(project), k, share, seed, hidden)


def _gold_documents(project: Path) -> set[str]:
    """Documents that hold gold evidence and no training row's: they must not be read in training."""
    from ftrag.retrieval import store

    gold_file = project / "gold.jsonl"
    gold = workflows.gold_rows(project) if gold_file.exists() else []
    texts = {document.name: document.text for document in store.documents(project)}
    rows = workflows.training_rows(project)

    def holds(entries: Sequence[tuple[str, ...]]) -> set[str]:
        wanted = {entry for row in entries for entry in row}
        return {name for name, text in texts.items() if any(entry == name or entry in text for entry in wanted)}

    return holds([row.evidence for row in gold]) - holds([row.evidence for row in rows])


def inspect_data(project: Path) -> dict[str, Any]:
    """What Train shows before it can be pressed: rows, lengths, duplicates, conflicts, leaks, sufficiency."""
    from ftrag.retrieval import store
    from ftrag.training.inspection import inspect

    gold = workflows.gold_rows(project) if (project / "gold.jsonl").exists() else []
    return inspect(workflows.training_rows(project), gold, store.documents(project))


def train(project: Path, wanted: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Train a LoRA; the index is brought up to date as it ends (auto-RAG)."""
    from ftrag.retrieval import store
    from ftrag.training import lora

    share = wanted.get("context_share", workflows.setting(project, "context_share"))
    report(0.0, "reading the training rows")
    rows = training_data(project, share)
    if blocked := inspect_data(project)["blocked"]:
        raise InputError(f"training is blocked: {'; '.join(blocked)}")
    report(0.01, "loading the model")
    llm = workflows.model(projects.settings(project)["model"])
    settings = lora.TrainSettings(**{key: value for key, value in wanted.items() if key != "context_share"})
    value = lora.train(llm.loaded, rows, project / "adapters", settings, report, report.should_stop)
    store.refresh(project)
    return value


# --- evaluation


def oracle_passages(project: Path) -> Callable[[Gold], list[str]]:
    """A question's gold passages: its evidence, where an entry that names a document is that document's text."""
    from ftrag.retrieval import store

    texts = {document.name: document.text for document in store.documents(project)}
    return lambda gold: [texts.get(entry, entry) for entry in gold.evidence]


def fingerprints(project: Path, adapter: str | None) -> dict[str, str]:
    """Hashes of everything a run's answers depend on; a run whose hashes no longer match is stale."""
    from ftrag import models
    from ftrag.retrieval import store

    own = projects.settings(project)
    card = project / "adapters" / (adapter or "") / "card.json"
    loaded = models.prepare(own["model"])
    return {
        "data": _hash([asdict(row) for row in [*workflows.gold_rows(project), *workflows.training_rows(project)]]),
        "checks": _hash(own["checks"]),
        "model": models.fingerprint(loaded),
        "adapter": _hash(projects.read_json(card)) if adapter else "none",
        "index": str(store.index_fingerprint(project)),
        "prompts": prompts.fingerprint(),
        "settings": _hash(own["settings"]),
        "software": _hash(software()),
    }
