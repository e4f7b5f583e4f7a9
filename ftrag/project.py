"""A project is a folder that can be copied. This module names its parts and writes them atomically.

project.json    name, model, settings, checks, runtime_config {rag_first}, lineage {parent}
documents/      the files as uploaded            extracted/   their text, by content hash
index/          retrieval                        examples.jsonl, gold.jsonl
adapters/ID/    LoRA weights and card.json       runs/ID/     answers.jsonl, run.json
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ftrag.errors import InputError, NotFound

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ENTRIES: dict[str, Any] = {"description": "", "model": "smollm2-135m", "checks": [], "settings": {}}  # where not given


def home() -> Path:
    """Where state lives: FTRAG_HOME, else /data/ftrag on a Space with storage, else ~/.ftrag; created when missing."""
    if value := os.environ.get("FTRAG_HOME"):
        path = Path(value)
    elif os.environ.get("SYSTEM") == "spaces":
        path = Path("/data/ftrag") if os.access("/data", os.W_OK) else Path(tempfile.gettempdir()) / "ftrag"
    else:
        path = Path.home() / ".ftrag"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{path} cannot be the folder for state ({reason}); set FTRAG_HOME to a folder") from None
    return path.resolve()


def survives_restart(folder: Path) -> bool:
    """False where the folder is a temporary one, as on a Space without storage."""
    return not folder.resolve().is_relative_to(Path(tempfile.gettempdir()).resolve())


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file as a whole: temporary file beside it, fsync, rename. OSError leaves the old content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The value of a JSON file; NotFound when there is none, InputError when it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"{path.name} is missing in {path.parent.name}") from None
    except ValueError as error:
        raise InputError(f"{path.name} in {path.parent.name} is damaged ({error}); restore it from a copy") from None


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    write_bytes(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())


def read_jsonl(path: Path) -> Iterator[Any]:
    """Rows of a JSONL file, none if it is absent; a half-written last line, as a killed process leaves it, ends it."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield json.loads(line)


def append_jsonl(path: Path, rows: Iterable[Any]) -> None:
    """Append whole lines and flush them to disk; a broken last line of a killed process is dropped first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        whole = file.read()
        file.truncate(whole.rfind(b"\n") + 1)
        file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
        file.flush()
        os.fsync(file.fileno())


def new_id(prefix: str = "") -> str:
    """A sortable, unguessable id: UTC time to the nanosecond, since the queue is their order, and 128 random bits."""
    now = time.time_ns()
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now // 10**9))
    return f"{prefix}{moment}-{now % 10**9:09d}-{secrets.token_hex(16)}"


def create(name: str, root: Path, example: str | None = None, fill: Callable[[Path], None] | None = None) -> Path:
    """A new project folder under root/projects, empty or a copy of an example's documents, examples and gold.

    `fill` is given the folder while nobody sees it: a project is there with all of it or not at all.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"{name!r} is not a project name; use up to 64 letters, digits, '.', '_' or '-'")
    path = root / "projects" / name
    taken = InputError(f"a project named {name!r} exists already; choose another name or delete that one first")
    if path.exists():
        raise taken
    source = example_folder(example) if example else None
    draft = Path(tempfile.mkdtemp(dir=_made(path.parent), prefix=".new-"))
    try:
        _begin(draft, name, example, source)
        if fill:
            fill(draft)
        os.rename(draft, path)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if path.exists() and isinstance(error, OSError):  # somebody was faster
            raise taken from None
        raise
    return path


def _begin(folder: Path, name: str, example: str | None, source: Path | None) -> None:
    """The example's files, if there is one, and project.json."""
    given = read_json(source / "project.json") if source else {}
    if source:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("recorded"))
    write_json(
        folder / "project.json",
        {"title": name}
        | ENTRIES
        | given
        | {
            "name": name,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "example": example,
            "runtime_config": {"rag_first": False},
            "lineage": {"parent": None},
        },
    )
    (folder / "documents").mkdir(exist_ok=True)
    folder.chmod(0o755)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def examples() -> list[str]:
    """Names of the example projects that ship with ftrag."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/project.json"))


def first_example() -> str:
    """The example that a first visit opens: the one that is marked so, as in a published Space, else support."""
    marked = [name for name in examples() if read_json(EXAMPLES / name / "project.json").get("first")]
    return (marked or ["support"])[0]


def example_folder(name: str) -> Path:
    if name not in examples():
        raise NotFound(f"there is no example named {name!r}; choose one of {', '.join(examples())}")
    return EXAMPLES / name


def find(name_or_path: str, root: Path) -> Path:
    """A project by its name under root, or by the path of its folder."""
    named = root / "projects" / name_or_path
    if NAME.fullmatch(name_or_path) and (named / "project.json").is_file():
        return named
    folder = Path(name_or_path).expanduser()
    if os.sep in name_or_path and (folder / "project.json").is_file():
        return folder.resolve()
    known = ", ".join(names(root)) or "none yet"
    raise NotFound(f"there is no project {name_or_path!r} (known: {known}); make one with: python -m ftrag new NAME")


def names(root: Path) -> list[str]:
    """Projects under root, newest last; one that is still being made is none."""
    folders = [path.parent for path in (root / "projects").glob("[!.]*/project.json")]
    return [path.name for path in sorted(folders, key=lambda path: (_created(path), path))]


def _created(project: Path) -> str:
    """When a project was made; "" for a damaged one, which is listed all the same and says so when it is opened."""
    try:
        return str(settings(project)["created"])
    except (InputError, NotFound):
        return ""


def settings(project: Path) -> dict[str, Any]:
    """The project's project.json; entries that it lacks as in a new project. InputError where it is damaged."""
    value = read_json(project / "project.json")
    if not isinstance(value, dict):
        raise InputError(f"project.json in {project.name} must be an object; restore it from a copy")
    return {"name": project.name, "title": project.name, "created": "", **ENTRIES} | value


def update(project: Path, **changes: Any) -> dict[str, Any]:
    """Replace top-level entries of project.json."""
    value = settings(project) | changes
    write_json(project / "project.json", value)
    return value


def newest(folder: Path, manifest: str) -> Path | None:
    """The newest sub-folder whose manifest was written, so that it is whole."""
    whole = sorted(path.parent for path in folder.glob(f"*/{manifest}"))
    return whole[-1] if whole else None


def delete(project: Path) -> None:
    """Remove a project folder: renamed first, so that it is gone at once or not at all."""
    grave = project.with_name(f".deleted-{secrets.token_hex(8)}")
    os.rename(project, grave)
    shutil.rmtree(grave, ignore_errors=True)
