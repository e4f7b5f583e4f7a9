"""What a public app must clear away: jobs that run too long, workspaces that nobody uses, temporary files.

One `sweep` does it all; the app calls it every minute. A workspace with a job that waits or runs is never touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from ftrag import jobs, quotas
from ftrag.errors import FtragError

SWEEP_SECONDS = 60.0
SEEN = ".seen"  # in a workspace: touched when its visitor does something
SEEN_SECONDS = 300.0  # not more often than that
YOUNG_SECONDS = 3600.0  # what is younger is never cleared to make room


def touch(workspace: Path) -> None:
    """Note that the workspace's visitor is here."""
    stamp = workspace / SEEN
    with contextlib.suppress(FileNotFoundError):
        if time.time() - stamp.stat().st_mtime < SEEN_SECONDS:
            return
    stamp.touch()


def sweep(root: Path, temporary: Path, now: float | None = None) -> dict[str, list[str]]:
    """Clear what has had its time; the names of what was cleared: {stopped, expired, files}."""
    moment = time.time() if now is None else now
    listed = jobs.owned(root)
    stopped = []
    for job in listed:
        if quotas.too_long(job, moment):
            with contextlib.suppress(FtragError):  # it has just ended by itself
                jobs.cancel(root, job["id"], why=f"stopped after {quotas.limit('job_minutes')} minutes")
                stopped.append(job["id"])
    busy = {job["owner"] for job in listed if job["state"] in quotas.ACTIVE}
    expired = [_expire(root, folder) for folder in idle(root / "visitors", busy, moment)]
    files = [*_stale(temporary, moment), *_stale_scratch(moment)]
    for path in files:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return {"stopped": stopped, "expired": expired, "files": [path.name for path in files]}


def idle(visitors: Path, busy: set[str], now: float) -> list[Path]:
    """Workspaces to delete: idle too long, then the longest idle while there are too many or they hold too much."""
    seen = []
    for folder in visitors.glob("[0-9a-f]*"):
        with contextlib.suppress(FileNotFoundError):
            stamp = folder / SEEN
            seen.append(((stamp if stamp.exists() else folder).stat().st_mtime, folder))
    free = [(when, folder) for when, folder in sorted(seen) if folder.name not in busy]
    gone = [folder for when, folder in free if now - when > quotas.DAY * quotas.limit("idle_days")]
    spare = [folder for when, folder in free if folder not in gone and now - when > YOUNG_SECONDS]
    too_many = max(0, len(seen) - len(gone) - int(0.9 * quotas.limit("visitors")))
    gone += spare[:too_many]
    spare = spare[too_many:]
    held = quotas.bytes_of_all(visitors)
    while spare and held > 0.9 * quotas.limit("bytes_all"):
        held -= quotas.size(spare[0])
        gone.append(spare.pop(0))
    return gone


def _expire(root: Path, workspace: Path) -> str:
    """Delete a workspace and what its jobs left. Renamed first, so that it is gone at once or not at all."""
    for job in jobs.owned(root):
        if job["owner"] == workspace.name:
            with contextlib.suppress(FtragError):
                jobs.dismiss(root, job["id"])
    grave = workspace.with_name(f".deleted-{workspace.name}")
    with contextlib.suppress(FileNotFoundError):
        os.rename(workspace, grave)
    shutil.rmtree(grave, ignore_errors=True)
    return workspace.name


def _stale(folder: Path, now: float) -> Iterator[Path]:
    """Files that are an hour old, and the oldest while the folder holds more than its limit."""
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                found.append((path.stat().st_mtime, path.stat().st_size, path))
    held, most = sum(size for _, size, _ in found), quotas.limit("temporary_bytes")
    for when, size, path in sorted(found):
        if now - when > YOUNG_SECONDS or held > most:
            held -= size
            yield path


def _stale_scratch(now: float) -> Iterator[Path]:
    """Scratch folders of ours that a killed process left in the system's temporary folder."""
    for path in Path(tempfile.gettempdir()).glob("ftrag-*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_uid == os.getuid() and now - path.stat().st_mtime > 24 * YOUNG_SECONDS:
                yield path


def start(root: Path, temporary: Path) -> threading.Thread:
    """Sweep every minute, in a thread that ends with the app."""

    def work() -> None:
        while True:
            try:
                sweep(root, temporary)
            except Exception as error:  # a broken sweep must not end all later ones
                traceback.print_exception(error, file=sys.stderr)
            time.sleep(SWEEP_SECONDS)

    thread = threading.Thread(target=work, daemon=True, name="housekeeping")
    thread.start()
    return thread


def temporary_folder() -> Path:
    """Where uploads and downloads of the page live for an hour; apart from every project."""
    folder = Path(tempfile.gettempdir()) / f"ftrag_pages_{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
