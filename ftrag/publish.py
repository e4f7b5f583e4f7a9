"""What leaves a project and comes back: cards, zips, and the Hub, always with the caller's own token.

A token is an argument here and nothing else: it goes into no file, variable, log or message. A push is one commit, so
a repository has all of it or nothing; a pull is checked and then renamed into the project, so that is whole too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftrag import hub, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.hub import checked_repo, checked_token
from ftrag.model_cards import measured, model_card
from ftrag.pace import Progress, expected
from ftrag.training import adapters, checkpoints

PULLED = (adapters.WEIGHTS, adapters.CONFIG, adapters.CARD, "README.md")  # the only files that are ever fetched
MAX_WEIGHTS = 500_000_000  # bytes of an adapter that is pulled
MAX_CARD = 1_000_000  # bytes of any other file of it
ROOT = Path(__file__).resolve().parent.parent
APP = ("app.py", "ftrag", "examples", "requirements.txt", "LICENSE", "README.md")  # what a Space needs
PRIVATE = ("examples.jsonl", "jobs", "comparisons", "exports", ".*")  # of a project: never in a Space
WHAT = ("adapter", "merged", "space")
LOAD_SECONDS, MERGED_PER_SECOND = 6.0, 20_000_000  # usual figures of two CPU cores, for bars alone
PREPARED = 0.3  # of a push is preparing its files


def quiet(fraction: float, message: str) -> None:
    """The progress callback that shows nothing."""


# --- files


def export_folder(project: Path, adapter: str | None, merged: bool = False, report: Progress = quiet) -> Path:
    """The exported adapter or merged model with its card, under project/exports."""
    chosen = workflows.choose_adapter(project, adapter)
    if chosen is None:
        raise InputError("there is no adapter to export; train one first")
    if merged:
        return _merged_folder(project, chosen, report)
    folder = adapters.export(project, chosen)[0].parent
    readme = model_card(project, chosen).encode()
    card, config = (projects.read_json(folder / name) for name in (adapters.CARD, adapters.CONFIG))
    config["base_model_name_or_path"] = card["base"]["repo"] or card["base"]["name"]
    files = {name: (folder / name).read_bytes() for name in (adapters.WEIGHTS, adapters.CARD)}
    plain = json.dumps(config, indent=1, sort_keys=True).encode()
    checkpoints.commit(folder, files | {adapters.CONFIG: plain, "README.md": readme})
    return folder


def _merged_folder(project: Path, adapter: str, report: Progress) -> Path:
    with expected(report, 0.02, 0.4, "loading the model", LOAD_SECONDS):
        loaded = workflows.model(projects.settings(project)["model"]).loaded
    size = sum(value.numel() for value in loaded.model.parameters())
    with expected(report, 0.4, 0.98, f"merging and writing {size:,} weights", size / MERGED_PER_SECOND):
        folder = adapters.export(project, adapter, True, loaded)[0].parent
    projects.write_bytes(folder / "README.md", model_card(project, adapter, True).encode())
    return folder


def bundle(source: Path, target: Path, top: str, report: Progress = quiet) -> Path:
    """A folder as a zip, its files under the folder `top`; hidden files, indexes and exports stay out."""
    draft, written = target.with_name(f".{target.name}"), 0
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and _bundled(path.relative_to(source))]
    total = max(1, sum(path.stat().st_size for path in files))
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            report(written / total, f"packing {len(files)} files")
            archive.write(path, Path(top) / path.relative_to(source))
            written += path.stat().st_size
    os.replace(draft, target)
    return target


def _bundled(inside: Path) -> bool:
    return inside.parts[0] not in ("exports", "index") and not _hidden(inside)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def space_folder(project: Path, adapter: str, target: Path, title: str) -> Path:
    """The app with this project as its first example: documents, gold questions, the adapter and its run.

    Training rows stay out. `recorded/` is the layout of the examples that ship.
    """
    for name in APP:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif source.exists():
            shutil.copy2(source, target / name)
    example = target / "examples" / project.name
    shutil.rmtree(example, ignore_errors=True)
    (example / "recorded" / "adapters").mkdir(parents=True)
    shutil.copytree(project / "documents", example / "documents", ignore=shutil.ignore_patterns(".*"))
    own = projects.settings(project)
    keep = {key: own[key] for key in ("title", "description", "model", "checks", "settings") if key in own}
    projects.write_json(example / "project.json", keep | {"title": title, "first": True})
    if (project / "gold.jsonl").exists():
        shutil.copy2(project / "gold.jsonl", example)
    shutil.copytree(project / "adapters" / adapter, example / "recorded" / "adapters" / adapter)
    if run := measured(project, adapter):
        projects.write_json(example / "recorded" / "run.json", run)
    projects.write_bytes(target / "README.md", front_matter(target / "README.md", title).encode())
    return target


def front_matter(readme: Path, title: str) -> str:
    """README.md with the Space's own title."""
    from huggingface_hub import SpaceCard

    card = SpaceCard.load(readme)
    card.data.title = title[:60]
    return str(card)


# --- the Hub


def push(
    project: Path,
    adapter: str,
    repo: str,
    token: str | None,
    what: str = "adapter",
    private: bool = True,
    report: Progress = quiet,
) -> dict[str, Any]:
    """Publish an adapter, a merged model or a Space with the caller's own token: {repo, what, url, files, commit}."""
    if what not in WHAT:
        raise InputError(f"one of {', '.join(WHAT)} can be published, not {what!r}")
    given, chosen = checked_token(token), workflows.choose_adapter(project, adapter)
    if chosen is None:
        raise InputError("there is no adapter to publish; train one first")
    kind = "space" if what == "space" else "model"
    checked_repo(repo)
    with tempfile.TemporaryDirectory(prefix="ftrag-push-") as scratch:
        report(0.0, "preparing the files")
        folder = _pushed_folder(project, chosen, what, Path(scratch), report)
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        sending = f"sending {len(files)} files to {repo}"
        report(PREPARED, sending)
        with hub.client(given, repo) as api:
            sdk = "gradio" if kind == "space" else None
            api.create_repo(repo, repo_type=kind, private=private, exist_ok=True, space_sdk=sdk)

            def told(share: float) -> None:
                report(PREPARED + (0.98 - PREPARED) * share, sending)

            done = hub.upload(api, folder, repo, kind, f"ftrag: {what} of {project.name}", told)
    report(1.0, "published")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    url = f"{endpoint}/{'spaces/' if kind == 'space' else ''}{repo}"
    return {"repo": repo, "what": what, "url": url, "files": files, "commit": str(done.oid)}


def _pushed_folder(project: Path, adapter: str, what: str, scratch: Path, report: Progress) -> Path:
    """The files of a push; preparing them is the first part of its bar."""
    if what == "space":
        return space_folder(project, adapter, scratch, str(projects.settings(project)["title"]))
    return export_folder(project, adapter, what == "merged", lambda share, said: report(PREPARED * share, said))


def pull(
    project: Path, repo: str, token: str | None = None, revision: str = "main", report: Progress = quiet
) -> dict[str, Any]:
    """Take an adapter from the Hub into the project, after the same checks as any other: {adapter, repo, commit}.

    Only safetensors, its configuration and its cards are fetched, so that no pickle ever arrives.
    """
    if not re.fullmatch(r"[\w.-]{1,100}", revision):
        raise InputError(f"{revision[:100]!r} is not a revision; give a branch, a tag or a commit")
    with expected(report, 0.0, 0.05, "loading the model", LOAD_SECONDS):
        llm = workflows.model(projects.settings(project)["model"])
    for old in project.glob("adapters/.pull-*"):
        shutil.rmtree(old, ignore_errors=True)  # what a killed pull left
    (project / "adapters").mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=project / "adapters", prefix=".pull-"))
    try:
        got = scratch / "got"
        with hub.client(token, repo) as api:
            info = api.repo_info(repo, revision=revision, files_metadata=True)
            sizes = {row.rfilename: row.size or 0 for row in info.siblings or []}
            names = _wanted(repo, sizes)
            fetching = f"fetching {len(names)} files of {repo}"
            wanted = {name: sizes[name] for name in names}
            hub.download(api, repo, wanted, info.sha, got, lambda share: report(0.05 + 0.85 * share, fetching))
        report(0.92, "checking it")
        if not _is_card(got / adapters.CARD):  # a stranger's file: used only where it is what we would write
            (got / adapters.CARD).unlink(missing_ok=True)
            names = [name for name in names if name != adapters.CARD]
        adapters.check(got, llm.loaded)
        card = _card(got, llm.loaded) | {"pulled": {"repo": repo, "commit": info.sha}}
        files = {name: (got / name).read_bytes() for name in names} | {adapters.CARD: json.dumps(card).encode()}
        taken = adapters.save(files, project / "adapters", scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report(1.0, f"{repo} is here")
    return {"adapter": taken, "repo": repo, "commit": info.sha}


def _wanted(repo: str, sizes: Mapping[str, int]) -> list[str]:
    """The files to fetch. InputError for a repository without a LoRA in safetensors, or with a huge one."""
    missing = [name for name in (adapters.WEIGHTS, adapters.CONFIG) if name not in sizes]
    if missing:
        raise InputError(f"{repo} has no {missing[0]}; only LoRA adapters in safetensors can be taken")
    if sizes[adapters.WEIGHTS] > MAX_WEIGHTS:
        raise InputError(f"{repo} holds {sizes[adapters.WEIGHTS]:,} bytes, over {MAX_WEIGHTS:,}; it is too large")
    small = [name for name in PULLED if name != adapters.WEIGHTS and sizes.get(name, MAX_CARD + 1) <= MAX_CARD]
    return [adapters.WEIGHTS, *small]


def _is_card(path: Path) -> bool:
    """Whether a file has the shape of an adapter's card."""
    try:
        card = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    shape = {"base": ("name", "repo", "fingerprint"), "data": ("sha256",), "settings": ()}
    return isinstance(card, dict) and all(
        isinstance(card.get(key), dict) and all(isinstance(card[key].get(name), str) for name in names)
        for key, names in shape.items()
    )


def _card(folder: Path, loaded: Any) -> dict[str, Any]:
    """The adapter's own card, or one for an adapter that was made elsewhere."""
    if (folder / adapters.CARD).is_file():
        card: dict[str, Any] = projects.read_json(folder / adapters.CARD)
        return card
    config = projects.read_json(folder / adapters.CONFIG)
    base = {"name": loaded.name, "repo": str(config.get("base_model_name_or_path") or ""), "dtype": loaded.dtype}
    return {
        "base": base | {"fingerprint": loaded.fingerprint},
        "data": {"rows": 0, "sha256": ""},
        "settings": {"rank": config["r"]},
        "train_loss": None,
        "eval_loss": None,
        "steps": 0,
    }
