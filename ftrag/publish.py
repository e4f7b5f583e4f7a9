"""What leaves a project and comes back: cards, zips, and the Hub, always with the caller's own token.

A token is an argument here and nothing else: it goes into no file, variable, log or message. A push is one commit, so
a repository has all of it or nothing; a pull is checked and then renamed into the project, so that is whole too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag import workflows
from ftrag.errors import InputError, NotFound
from ftrag.training import adapters, checkpoints

Progress = Callable[[float, str], None]  # fraction in [0, 1], message
REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
PULLED = (adapters.WEIGHTS, adapters.CONFIG, adapters.CARD, "README.md")  # the only files that are ever fetched
MAX_WEIGHTS = 500_000_000  # bytes of an adapter that is pulled
MAX_CARD = 1_000_000  # bytes of any other file of it
ROOT = Path(__file__).resolve().parent.parent
APP = ("app.py", "ftrag", "examples", "requirements.txt", "LICENSE", "README.md")  # what a Space needs
PRIVATE = ("examples.jsonl", "jobs", "comparisons", "exports", ".*")  # of a project: never in a Space
WHAT = ("adapter", "merged", "space")


def quiet(fraction: float, message: str) -> None:
    """The progress callback that shows nothing."""


# --- cards


def measured(project: Path, adapter: str) -> dict[str, Any] | None:
    """The newest finished run that measured this adapter."""
    for path in sorted(project.glob("runs/*/run.json"), reverse=True):
        run: dict[str, Any] = projects.read_json(path)
        if run["adapter"] == adapter:
            return run
    return None


def model_card(project: Path, adapter: str, merged: bool = False) -> str:
    """README.md for the Hub: base model, data, settings, and the measured results as its model-index."""
    from huggingface_hub import ModelCardData

    card = projects.read_json(project / "adapters" / adapter / adapters.CARD)
    run, title = measured(project, adapter), projects.settings(project)["title"]
    data = ModelCardData(
        base_model=card["base"]["repo"] or None,
        library_name="transformers" if merged else "peft",
        pipeline_tag="text-generation",
        tags=["ftrag", "lora", *(["merged"] if merged else [])],
        model_name=f"{title}: {'merged model' if merged else 'LoRA'}",
        eval_results=list(_results(run)) if run else None,
    )
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(_sections(card, run, str(title))) + "\n"


def _results(run: Mapping[str, Any]) -> Iterator[Any]:
    """One row per arm with the adapter and axis that was scored."""
    from huggingface_hub import EvalResult

    for arm, numbers in run["arms"].items():
        for axis in ("content", "behaviour", "both"):
            if arm.startswith("lora") and numbers[axis] is not None:
                yield EvalResult(
                    task_type="text-generation",
                    dataset_type="private",
                    dataset_name=f"{run['title']}: {run['n']} held-out questions",
                    metric_type="accuracy",
                    metric_name=f"{axis} ({arm})",
                    metric_value=round(float(numbers[axis]), 4),
                )


def _sections(card: Mapping[str, Any], run: Mapping[str, Any] | None, title: str) -> list[str]:
    base, data, settings = card["base"], card["data"], card["settings"]
    held_out = "not measured" if card.get("eval_loss") is None else f"{card['eval_loss']:.3f}"
    numbers = {key: value for key, value in settings.items() if isinstance(value, int | float | str)}
    parts = [
        f"# {_plain(title)}",
        f"A LoRA for `{base['name']}` ([{base['repo']}](https://huggingface.co/{base['repo']})), trained with ftrag.",
        f"## Data\n\n{data['rows']} training rows (SHA-256 `{data['sha256']}`), not part of this repository. "
        f"{card.get('held_out', 0)} of them were held out; held-out loss {held_out}.",
        "## Settings\n\n| setting | value |\n|---|---|\n" + "\n".join(f"| {k} | {v} |" for k, v in numbers.items()),
    ]
    fits = f"It fits only weights with the fingerprint `{base['fingerprint']}`."
    return [*parts, _evaluation(run), fits, "Take it into a project: `python -m ftrag pull PROJECT NAME/REPOSITORY`."]


def _evaluation(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "## Evaluation\n\nNot measured yet."
    shares = [[numbers[axis] for axis in ("content", "behaviour", "both")] for numbers in run["arms"].values()]
    rows = [
        f"| {arm} | " + " | ".join("–" if share is None else f"{share:.2f}" for share in row) + " |"
        for arm, row in zip(run["arms"], shares, strict=True)
    ]
    table = "\n".join(["| arm | content | behaviour | both |", "|---|---|---|---|", *rows])
    said = f"{run['n']} held-out questions, {run['machine']}, {run['created'][:10]}. {run['decision']['sentence']}"
    return f"## Evaluation\n\n{_plain(said)}\n\n{table}"


def _plain(text: str) -> str:
    """A user's words in Markdown: no markup, no link, no HTML."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


# --- files


def export_folder(project: Path, adapter: str | None, merged: bool = False) -> Path:
    """The exported adapter or merged model with its card, under project/exports."""
    chosen = workflows.choose_adapter(project, adapter)
    if chosen is None:
        raise InputError("there is no adapter to export; train one first")
    loaded = workflows.model(projects.settings(project)["model"]).loaded if merged else None
    folder = adapters.export(project, chosen, merged, loaded)[0].parent
    readme = model_card(project, chosen, merged).encode()
    if merged:
        projects.write_bytes(folder / "README.md", readme)
        return folder
    card, config = (projects.read_json(folder / name) for name in (adapters.CARD, adapters.CONFIG))
    config["base_model_name_or_path"] = card["base"]["repo"] or card["base"]["name"]
    files = {name: (folder / name).read_bytes() for name in (adapters.WEIGHTS, adapters.CARD)}
    plain = json.dumps(config, indent=1, sort_keys=True).encode()
    checkpoints.commit(folder, files | {adapters.CONFIG: plain, "README.md": readme})
    return folder


def bundle(source: Path, target: Path, top: str) -> Path:
    """A folder as a zip, its files under the folder `top`; hidden files, indexes and exports stay out."""
    draft = target.with_name(f".{target.name}")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.rglob("*")):
            inside = path.relative_to(source)
            if path.is_file() and inside.parts[0] not in ("exports", "index") and not _hidden(inside):
                archive.write(path, Path(top) / inside)
    os.replace(draft, target)
    return target


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


@contextlib.contextmanager
def _hub(token: str | None, repo: str) -> Iterator[Any]:
    """huggingface_hub's client; what it raises becomes one sentence without the token."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    checked_repo(repo)
    disable_progress_bars()
    try:
        yield HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token or False)
    except RepositoryNotFoundError:
        raise NotFound(f"the Hub has no repository {repo}, or this token may not see it") from None
    except HfHubHTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", "no")
        raise InputError(f"the Hub refused ({status}) for {repo}: {REASONS.get(status, 'try again later')}") from None
    except (HFValidationError, ValueError) as error:
        raise InputError(f"the Hub did not take {repo}: {_without(token, str(error))}") from None
    except (httpx2.HTTPError, OSError) as error:
        raise InputError(
            f"the connection to the Hub broke ({type(error).__name__}); nothing half is left, try again"
        ) from None


def checked_repo(repo: str) -> None:
    """InputError unless it is NAME/REPOSITORY."""
    if not REPO.fullmatch(repo):
        raise InputError(f"{repo[:100]!r} is not a repository; write it as NAME/REPOSITORY")


REASONS: dict[Any, str] = {  # of a status
    401: "the token is missing or wrong; make one with write access and try again",
    403: "this token may not write there; use your own name, and a token with write access",
    404: "there is nothing of that name",
    409: "it exists already; choose another name",
    413: "it is too large",
    429: "too many requests; wait a while",
}


def _without(token: str | None, text: str) -> str:
    return (text.replace(token, "…") if token else text)[:300]


def checked_token(token: str | None) -> str:
    """A token as the Hub gives them. InputError when it cannot be one."""
    text = (token or "").strip()
    if not re.fullmatch(r"[\x21-\x7e]{8,500}", text):
        raise InputError("a token with write access is needed; make one under Settings, Access Tokens on the Hub")
    return text


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
        report(0.05, "preparing the files")
        if what == "space":
            folder = space_folder(project, chosen, Path(scratch), str(projects.settings(project)["title"]))
        else:
            folder = export_folder(project, chosen, what == "merged")
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        report(0.2, f"sending {len(files)} files to {repo}")
        with _hub(given, repo) as api:
            sdk = "gradio" if kind == "space" else None
            api.create_repo(repo, repo_type=kind, private=private, exist_ok=True, space_sdk=sdk)
            message = f"ftrag: {what} of {project.name}"
            done = api.upload_folder(repo_id=repo, folder_path=folder, repo_type=kind, commit_message=message)
    report(1.0, "published")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    url = f"{endpoint}/{'spaces/' if kind == 'space' else ''}{repo}"
    return {"repo": repo, "what": what, "url": url, "files": files, "commit": str(done.oid)}


def pull(
    project: Path, repo: str, token: str | None = None, revision: str = "main", report: Progress = quiet
) -> dict[str, Any]:
    """Take an adapter from the Hub into the project, after the same checks as any other: {adapter, repo, commit}.

    Only safetensors, its configuration and its cards are fetched, so that no pickle ever arrives.
    """
    if not re.fullmatch(r"[\w.-]{1,100}", revision):
        raise InputError(f"{revision[:100]!r} is not a revision; give a branch, a tag or a commit")
    llm = workflows.model(projects.settings(project)["model"])
    for old in project.glob("adapters/.pull-*"):
        shutil.rmtree(old, ignore_errors=True)  # what a killed pull left
    (project / "adapters").mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=project / "adapters", prefix=".pull-"))
    try:
        with _hub(token, repo) as api:
            info = api.repo_info(repo, revision=revision, files_metadata=True)
            names = _wanted(repo, {row.rfilename: row.size or 0 for row in info.siblings or []})
            for place, name in enumerate(names):
                report(0.1 + 0.7 * place / len(names), f"fetching {name}")
                api.hf_hub_download(repo, name, revision=info.sha, local_dir=scratch / "got")
        report(0.85, "checking it")
        got = scratch / "got"
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
