"""What the base model answered the last time, so that only the adapter has to answer again: it never changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftrag.errors import NotFound
from ftrag.models import Loaded
from ftrag.project import read_json, write_json


class Known:
    """Base's right and wrong answers by weights, precision, machine and questions; folder None keeps nothing."""

    def __init__(self, folder: Path | None, loaded: Loaded) -> None:
        self.folder = folder
        self.base = [loaded.fingerprint, loaded.dtype, str(loaded.model.device), *_machine()]

    def _path(self, rows: Sequence[Any]) -> Path | None:
        """rows: hashable by repr, so that another order, batching or wording is another file."""
        key = hashlib.sha256(repr((self.base, rows)).encode()).hexdigest()[:32]
        return self.folder / f"{key}.json" if self.folder else None

    def recall(self, rows: Sequence[Any]) -> list[bool] | None:
        """Whether base was right, question by question; None where it has not been asked here."""
        path = self._path(rows)
        try:
            found = read_json(path) if path else None
        except (NotFound, json.JSONDecodeError):
            return None
        whole = isinstance(found, list) and len(found) == len(rows) and all(isinstance(right, bool) for right in found)
        return found if whole else None

    def keep(self, rows: Sequence[Any], right: Sequence[bool]) -> None:
        if path := self._path(rows):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, list(right))


def _machine() -> list[str]:
    """What decides the last bits of a sum: library, threads and the processor's instructions."""
    import torch

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    said = [line for line in lines if line.startswith(("model name", "flags", "Features"))][:2]
    return [torch.__version__, str(torch.get_num_threads()), *said]
