"""What becomes of a run: its report, gates and promotion, the retrieval-first sibling, exports."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag.comparison import compare
from ftrag.conclusions import gate_result
from ftrag.errors import InputError, NotFound
from ftrag.records import load_run
from ftrag.reporting import Report


def tree_hash(folder: Path) -> str:
    """One hash over the names and bytes of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def reroute(project: Path, report: Report) -> dict[str, Any]:
    """A retrieval-first sibling: base model and retrieval, no adapter; its comparison runs at once.

    The original is not touched, so the way from it to the sibling is found by looking at the siblings' lineage.
    """
    own = projects.settings(project)
    job = report.folder.name if report.folder else None
    if sibling := rerouted(project):
        return {"project": sibling.name, "parent": own["name"], "job": job, "existed": True}
    sibling = _clone(project, _free_name(project))
    report(0.05, f"comparing without and with retrieval in {sibling.name}")
    value = {"project": sibling.name, "parent": own["name"], "job": job, "path": str(sibling), "existed": False}
    if (sibling / "gold.jsonl").exists():
        value["comparison"] = compare(sibling, report, adapter="none")
    return value


def rerouted(project: Path) -> Path | None:
    """The retrieval-first sibling of a project, if it has been made."""
    created = projects.settings(project)["created"]
    for path in sorted(project.parent.glob("*/project.json")):
        lineage = projects.read_json(path).get("lineage") or {}
        if lineage.get("parent") == project.name and lineage.get("parent_created") == created:
            return path.parent
    return None


def _free_name(project: Path) -> str:
    name, number = f"{project.name}-rag", 2
    while (project.parent / name).exists():
        name, number = f"{project.name}-rag-{number}", number + 1
    return name


def _clone(project: Path, name: str) -> Path:
    """Documents, training and gold rows in a new folder beside the original, its index built anew; renamed last."""
    from ftrag.retrieval import store

    own = projects.settings(project)
    draft = project.parent / f".{name}-{projects.new_id()}"
    shutil.copytree(project / "documents", draft / "documents")
    for file in ("gold.jsonl", "examples.jsonl"):
        if (project / file).exists():
            shutil.copy2(project / file, draft / file)
    projects.write_json(
        draft / "project.json",
        own
        | {
            "name": name,
            "title": f"{own['title']} – retrieval first",
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "runtime_config": {"rag_first": True},
            "lineage": {"parent": project.name, "parent_created": own["created"], "reason": "reroute to RAG"},
        },
    )
    store.refresh(draft)
    return draft.rename(project.parent / name)


def report(project: Path, run: str, form: str = "md") -> str:
    """One page about a run, rebuilt from what it stored."""
    from ftrag.report import render

    value = load_run(project, run)
    value.pop("stale")
    return render(value, form)


def export(
    project: Path,
    adapter: str | None,
    merge: bool = False,
    whole: bool = False,
    report: Callable[[float, str], None] = lambda fraction, message: None,
) -> dict[str, Any]:
    """An adapter as files that peft loads anywhere, the model with it merged in, or the whole project as a zip."""
    from ftrag import publish

    if whole:
        (project / "exports").mkdir(exist_ok=True)
        target = project / "exports" / f"{project.name}.zip"
        return {"files": [str(publish.bundle(project, target, project.name, report))]}
    folder = publish.export_folder(project, adapter, merge, report)
    return {"files": sorted(str(path) for path in folder.iterdir())}


# --- gates and promotion

UNREPAIRED = ("fix retrieval", "larger model", "not enough evidence")  # routes that hold base for want of better


def releases(project: Path) -> list[dict[str, Any]]:
    """Every release of the project with its history, oldest first."""
    path = project / "releases.json"
    return list(projects.read_json(path)) if path.exists() else []


def promoted(project: Path) -> dict[str, Any] | None:
    """The release that is promoted now: {release, adapter, index, run, state, gates, history}; adapter None is base."""
    return next((one for one in reversed(releases(project)) if one["state"] == "promoted"), None)


def promote(project: Path, run: str, who: str, why: str = "") -> dict[str, Any]:
    """Promote what a run held, adapter and index together: only a fresh run whose gates all pass. Steps are kept."""
    from ftrag.decision import gates

    value = load_run(project, run)
    if value.get("recorded"):
        raise InputError("a recorded run came with the example; evaluate this project yourself to promote it")
    if (route := value["decision"]["route"]) in UNREPAIRED:
        raise InputError(f"the verdict of run {run} is {route}: it found no arm worth promoting")
    result = gate_result(project, value)
    step = {"who": who, "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "why": why or f"run {run}"}
    release, others = _evaluated(project, value, result, step)
    _keep_releases(project, [*others, release])  # also of a release that is refused below
    release = gates.advance(release, "promote", gates=result, stale=value["stale"], **step)
    retired = [
        gates.advance(old, "retire", who=who, when=step["when"], why=f"replaced by {release['release']}")
        if old["state"] == "promoted"
        else old
        for old in others
    ]
    _keep_releases(project, [*retired, release])
    return {"release": release["release"], "state": release["state"], "gates": result}


def _evaluated(
    project: Path, run: Mapping[str, Any], result: Mapping[str, Any], step: Mapping[str, str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(this run's release with its gates measured, all the others): a new one, or the one a refusal left."""
    from ftrag.decision import gates

    known = releases(project)
    waiting = next((one for one in known if one["run"] == run["run"] and one["state"] == "evaluated"), None)
    adapter = run["adapter"] if run["decision"]["held"].startswith("lora") else None
    draft = waiting or gates.draft(
        f"r{len(known) + 1}", adapter=adapter, index=run["hashes"]["index"], run=run["run"], **step
    )
    return gates.advance(draft, "evaluate", gates=result, **step), [one for one in known if one is not waiting]


def _keep_releases(project: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    projects.write_json(project / "releases.json", sorted(rows, key=lambda one: int(str(one["release"])[1:])))


def retire(project: Path, release: str, who: str, why: str) -> dict[str, Any]:
    """Take a release out of use; what it was and why it went is kept. NotFound for an unknown one."""
    from ftrag.decision import gates

    known = releases(project)
    found = next((one for one in known if one["release"] == release), None)
    if found is None:
        raise NotFound(f"{project.name} has no release {release!r}; it has {len(known)}")
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    gone = gates.advance(found, "retire", who=who, when=when, why=why)
    _keep_releases(project, [gone if one is found else one for one in known])
    return gone
