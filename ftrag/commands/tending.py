"""Commands that tidy a project: remove, clean, gates, retire, delete."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag.commands.arguments import add, existing, project_of
from ftrag.errors import InputError


def register(commands: Any) -> None:
    add(commands, "remove", _remove, "delete a document, or all that a zip brought", "document")
    clean = add(commands, "clean", _clean, "the training rows without faults, and a list of those left out")
    clean.add_argument("--to", required=True, metavar="FOLDER")
    gates = add(commands, "gates", _gates, "what a run must reach to be promoted: show the gates, or set them")
    gates.add_argument("--set", metavar="GATES.json", help="the project's own: a list of rows as `gates --json` prints")
    gates.add_argument("--defaults", action="store_true", help="back to the defaults")
    retire = add(commands, "retire", _retire, "take the promoted release out of use")
    retire.add_argument("--why", required=True, help="kept with the release")
    delete = add(commands, "delete", _delete, "delete a project with everything in it")
    delete.add_argument("--yes", action="store_true", help="without it nothing is deleted")


def _remove(options: argparse.Namespace) -> Any:
    from ftrag.retrieval import store

    return store.remove(project_of(options), options.document)


def _clean(options: argparse.Namespace) -> Any:
    from ftrag import experiments, workflows
    from ftrag.training import uploads

    project, folder = project_of(options), Path(options.to)
    rows = workflows.training_rows(project)
    if not rows:
        raise InputError(f"{project.name} has no training rows to clean; add some with `examples`")
    report = experiments.inspect_data(project)
    files = {"cleaned": folder / f"{project.name}-cleaned.jsonl", "left_out": folder / f"{project.name}-left-out.csv"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files["cleaned"].write_text(uploads.cleaned(rows, report), encoding="utf-8")
        files["left_out"].write_text(uploads.refused_csv(report["upload"], report), encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); name another folder") from None
    return {name: str(file) for name, file in files.items()}


def _gates(options: argparse.Namespace) -> Any:
    from ftrag import conclusions
    from ftrag.decision import gates

    project = project_of(options)
    if options.set and options.defaults:
        raise InputError("give --set or --defaults, not both")
    if options.set:
        conclusions.set_gates(project, _gate_rows(options.set))
    elif options.defaults:
        conclusions.set_gates(project, None)
    own = conclusions.own_gates(project)
    return gates.to_rows(gates.DEFAULTS if own is None else own)


def _gate_rows(name: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(existing(name).read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        raise InputError(f"{name} is not JSON; write it as `gates PROJECT --json` prints") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{name} must hold a list of gates; write it as `gates PROJECT --json` prints")
    return rows


def _retire(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    project = project_of(options)
    if (current := outcomes.promoted(project)) is None:
        raise InputError(f"no release of {project.name} is promoted, so there is none to retire")
    return outcomes.retire(project, current["release"], "command line", options.why)


def _delete(options: argparse.Namespace) -> Any:
    from ftrag import jobs

    project = project_of(options)
    if any(job["project"] == project.name and job["state"] not in jobs.ENDED for job in jobs.listing(jobs.root())):
        raise InputError(f"a job is working in {project.name}; cancel it first, then delete the project")
    if not options.yes:
        raise InputError(f"this deletes {project.name} with everything in it; say --yes if you mean it")
    projects.delete(project)
    return {"deleted": project.name}
