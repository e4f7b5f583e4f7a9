"""The training rows as the model will see them, and what there is to say of them before a training begins."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag import workflows
from ftrag.errors import InputError
from ftrag.types import Example


def training_data(project: Path, share: float, seed: int = 0) -> list[Example]:
    """The project's training rows, a share of those with evidence shown with passages of its own retriever."""
    from ftrag.evaluation.refusals import declines
    from ftrag.retrieval import store
    from ftrag.training.context import with_context

    rows = workflows.training_rows(project)
    if not rows:
        raise InputError(
            f"{project.name} has no training rows; add them with: python -m ftrag examples {project.name} FILE"
        )
    if not store.chunks(project):
        return rows
    hidden, secret = _gold_places(project, rows)
    k = workflows.setting(project, "k")
    return with_context(rows, workflows.retriever(project), k, share, seed, hidden, declines, secret)


def _gold_places(project: Path, rows: Sequence[Example]) -> tuple[set[str], set[str]]:
    """What must not be read in training: documents that hold gold evidence and no training row's, and gold passages.

    A passage that is a training row's evidence too is no secret; the report before the training names it.
    """
    from ftrag.retrieval import store

    gold = workflows.gold_rows(project) if (project / "gold.jsonl").exists() else []
    texts = {document.name: document.text for document in store.documents(project)}
    asked, trained = ({entry for row in part for entry in row.evidence} for part in (gold, rows))

    def holds(wanted: set[str]) -> set[str]:
        passages = wanted - texts.keys()
        return (wanted & texts.keys()) | {n for n, text in texts.items() if any(entry in text for entry in passages)}

    secret = {entry for entry in asked - texts.keys() if not any(entry in other or other in entry for other in trained)}
    return holds(asked) - holds(trained), secret


def inspect_data(project: Path) -> dict[str, Any]:
    """What Train shows before it can be pressed: rows, lengths, duplicates, conflicts, leaks, sufficiency.

    `rendered` holds the first three rows as (prompt, learned part), exactly as the model will see them; `upload` says
    which file the rows came from, their numbers in it, and which of its rows were refused. Looked at anew only when
    the rows, the gold, the documents or the settings have changed.
    """
    from ftrag.retrieval import store
    from ftrag.training import uploads

    files = [project / name for name in (uploads.ROWS, uploads.UPLOAD, "gold.jsonl", "project.json")]
    stamps = [(path.stat().st_mtime_ns, path.stat().st_size) if path.exists() else (0, 0) for path in files]
    return dict(_inspected(project, (*stamps, store.index_fingerprint(project))))


@functools.lru_cache(maxsize=8)
def _inspected(project: Path, state: tuple[object, ...]) -> Mapping[str, Any]:
    from ftrag import models
    from ftrag.retrieval import store
    from ftrag.training import encode, uploads
    from ftrag.training.inspection import inspect

    gold = workflows.gold_rows(project) if (project / "gold.jsonl").exists() else []
    rows = training_data(project, workflows.setting(project, "context_share"))
    tokenizer = models.tokenizer(projects.settings(project)["model"])
    value = inspect(rows, gold, store.documents(project), encode.counter(tokenizer))
    rendered = [encode.texts(tokenizer, row) for row in rows[:3]]
    return value | {"gold": len(gold), "rendered": rendered, "upload": uploads.upload(project)}
