"""Stored runs: what they rest on, in hashes, and which of them are stale because something has changed since."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag import prompts, workflows
from ftrag.errors import InputError, NotFound

SOFTWARE = ("torch", "transformers", "peft", "accelerate")
SCORING = (
    *("metrics", "containment", "values", "moments", "spelled", "phrases", "units", "refusals"),
    *("checks", "form", "style"),
)


def software() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in SOFTWARE}


@functools.cache
def scoring() -> str:
    """One hash over the modules that turn answers into verdicts: two runs compare only where these are the same."""
    from ftrag import evaluation

    folder = Path(evaluation.__path__[0])
    return _hash([(folder / f"{name}.py").read_text(encoding="utf-8") for name in SCORING])


def machine() -> str:
    """One line about this machine, for a run's record."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{torch.get_num_threads()} CPU threads ({platform.machine()}){gpu}"


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def fingerprints(project: Path, adapter: str | None) -> dict[str, str]:
    """Hashes of everything a run's answers depend on; a run whose hashes no longer match is stale."""
    from ftrag import models
    from ftrag.retrieval import store

    own = projects.settings(project)
    loaded = models.prepare(own["model"])
    return {
        "data": _hash(
            [list(map(asdict, rows)) for rows in (workflows.gold_rows(project), workflows.training_rows(project))]
        ),
        "checks": _hash(own["checks"]),
        "scoring": scoring(),
        "model": models.fingerprint(loaded),
        "adapter": adapter_fingerprint(project / "adapters" / adapter) if adapter else "none",
        "index": str(store.index_fingerprint(project)),
        "prompts": prompts.fingerprint(),
        "settings": _hash(own["settings"]),
        "software": _hash(software()),
    }


def adapter_fingerprint(folder: Path) -> str:
    """One hash over an adapter's card, configuration and weights, so that replaced weights are another adapter."""
    digest = hashlib.sha256()
    for name in ("card.json", "adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise NotFound(f"the adapter {folder.name} has no {name}; train again or restore it from a copy")
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()[:16]


def listing(project: Path) -> list[dict[str, Any]]:
    """Finished runs, newest first: {id, created, route, n, adapter, recorded}."""
    paths = sorted(project.glob("runs/*/run.json"), reverse=True)
    return [dict(_listed(path, path.stat().st_mtime_ns)) for path in paths]


@functools.lru_cache(maxsize=512)
def _listed(path: Path, changed: int) -> Mapping[str, Any]:
    """One run in a list. The page asks again every second and a half, and a run's file is large: read when changed."""
    run = projects.read_json(path)
    found = {key: run[key] for key in ("created", "n", "adapter")} | {"recorded": run.get("recorded", False)}
    return found | {"id": path.parent.name, "route": run["decision"]["route"]}


def load_run(project: Path, run: str) -> dict[str, Any]:
    """A finished run with the reasons for which it is stale, if any. NotFound for an unknown one."""
    known = [path.parent.name for path in project.glob("runs/*/run.json")]
    if run not in known:
        raise NotFound(
            f"{project.name} has no run {run!r}; it has {', '.join(sorted(known)) or 'none yet: evaluate it'}"
        )
    value: dict[str, Any] = projects.read_json(project / "runs" / run / "run.json")
    return value | {"stale": [] if value.get("recorded") else stale(project, value)}


def stale(project: Path, run: Mapping[str, Any]) -> list[str]:
    """What has changed since the run: names of its hashes that no longer match."""
    try:
        now = fingerprints(project, run["adapter"])
    except (NotFound, InputError) as error:
        return [str(error)]
    return [name for name, value in run["hashes"].items() if now.get(name) != value]


def stale_runs(project: Path) -> set[str]:
    """Ids of the finished runs of one's own that are stale; every adapter is hashed once."""
    now: dict[str | None, dict[str, str]] = {}
    found = set()
    for path in project.glob("runs/*/run.json"):
        run = projects.read_json(path)
        if run.get("recorded"):
            continue
        try:
            if run["adapter"] not in now:
                now[run["adapter"]] = fingerprints(project, run["adapter"])
        except (NotFound, InputError):
            now[run["adapter"]] = {}
        if any(now[run["adapter"]].get(name) != value for name, value in run["hashes"].items()):
            found.add(path.parent.name)
    return found


def rests_on(project: Path) -> str:
    """Changes with the documents, the gold questions and the settings: what a comparison or a drill rests on.

    Cheap, since the page asks for it again and again: no weights are read. A default that is kept is no change.
    """
    from ftrag.retrieval import store
    from ftrag.retrieval.settings import Settings

    own = projects.settings(project)["settings"]
    gold = project / "gold.jsonl"
    asked = hashlib.sha256(gold.read_bytes()).hexdigest() if gold.is_file() else ""
    return _hash([store.index_fingerprint(project), {**workflows.DEFAULTS, **asdict(Settings()), **own}, asked])


def newest_result(project: Path, kind: str, manifest: str) -> dict[str, Any] | None:
    """The newest finished one of such results with {made, outdated}: when it began, and whether it still holds."""
    folder = projects.newest(project / kind, manifest)
    if folder is None:
        return None
    value: dict[str, Any] = projects.read_json(folder / manifest)
    return value | {"made": _moment(folder.name), "outdated": _outdated(project, value, folder / manifest)}


def _moment(name: str) -> str:
    """2026-11-22 03:31 UTC, as an id tells it; "" for a folder of another name."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.strptime(name[:15], "%Y%m%d-%H%M%S"))
    except ValueError:
        return ""


def _outdated(project: Path, value: Mapping[str, Any], manifest: Path) -> bool:
    """An older result does not say what it rests on: then a document or an index that is newer speaks against it."""
    if "rests_on" in value:
        return bool(value["rests_on"] != rests_on(project))
    changing = [project / "index" / "chunks.json", project / "documents", *(project / "documents").glob("*")]
    return any(path.stat().st_mtime > manifest.stat().st_mtime for path in changing if path.exists())
