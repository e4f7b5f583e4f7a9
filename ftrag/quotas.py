"""How much one visitor and all of them together may use. Generous on one's own machine, strict on a Space.

Each limit is a row; FTRAG_LIMIT_NAME (say FTRAG_LIMIT_QUESTIONS=500) replaces it.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrag.errors import InputError

HOUR, DAY = 3600.0, 86400.0  # seconds
ACTIVE = {"queued", "running"}


@dataclass(frozen=True)
class Limit:
    name: str
    local: int
    space: int
    unit: str


LIMITS = {
    limit.name: limit
    for limit in (
        Limit("bytes", 20_000_000_000, 300_000_000, "bytes of projects per visitor"),
        Limit("bytes_all", 200_000_000_000, 20_000_000_000, "bytes of projects of all visitors"),
        Limit("documents", 50_000, 500, "documents per project"),
        Limit("characters", 20_000_000, 3_000_000, "characters of one document"),
        Limit("projects", 1_000, 12, "projects per visitor"),
        Limit("visitors", 10_000, 2_000, "visitors with a workspace"),
        Limit("jobs", 50, 3, "jobs of one visitor that wait or run"),
        Limit("jobs_all", 200, 30, "jobs of all visitors that wait or run"),
        Limit("job_minutes", 1_440, 30, "minutes that one job may run"),
        Limit("minutes", 10_000, 90, "minutes of jobs per visitor and day"),
        Limit("questions", 100_000, 200, "questions per visitor and hour"),
        Limit("questions_all", 1_000_000, 2_000, "questions of all visitors per hour"),
        Limit("uploads", 100_000, 300, "uploads of all visitors per hour and visitor address"),
        Limit("upload_bytes", 200_000_000, 60_000_000, "bytes of one upload, all its files together"),
        Limit("upload_files", 200, 50, "files of one upload"),
        Limit("temporary_bytes", 20_000_000_000, 2_000_000_000, "bytes of uploads and downloads kept for a while"),
        Limit("idle_days", 3_650, 7, "days after which an unused workspace is deleted"),
    )
}


def on_space() -> bool:
    return os.environ.get("SYSTEM") == "spaces"


def limit(name: str) -> int:
    """The limit in force. InputError when its variable is not a whole number."""
    given = os.environ.get(f"FTRAG_LIMIT_{name.upper()}", "")
    if given and not given.isdigit():
        raise InputError(f"FTRAG_LIMIT_{name.upper()} must be a whole number, not {given!r}")
    row = LIMITS[name]
    return int(given) if given else row.space if on_space() else row.local


class Window:
    """Events of the last hour, per name and in all; kept in memory, so a restart forgives."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.events: dict[str, deque[float]] = {}

    def count(self, name: str, each: int, total: int, now: float | None = None) -> str:
        """Count one event: "" when it fits, else which limit it breaks, "each" or "total", and it is not counted."""
        moment = time.monotonic() if now is None else now
        with self.lock:
            for key in list(self.events):
                kept = self.events[key]
                while kept and kept[0] <= moment - HOUR:
                    kept.popleft()
                if not kept:
                    del self.events[key]
            if sum(map(len, self.events.values())) >= total:
                return "total"
            if len(self.events.get(name, ())) >= each:
                return "each"
            self.events.setdefault(name, deque()).append(moment)
            return ""


_questions, _uploads = Window(), Window()


def address(peer: str, forwarded: str) -> str:
    """Who sends a request, for counting alone: on a Space whom its proxy names. Forgeable, so all are counted too."""
    return (forwarded.split(",")[0].strip()[:100] if on_space() else "") or peer


def ask(name: str) -> None:
    """Count a question. InputError when this visitor, or all of them, have asked enough for this hour."""
    broken = _questions.count(name, limit("questions"), limit("questions_all"))
    if broken == "each":
        raise InputError(f"you have asked {limit('questions')} questions in the last hour; wait a while, then ask on")
    if broken:
        raise InputError("this app answers no more questions this hour; try later or run your own copy")


def upload(address: str) -> None:
    """Count an upload from an address. InputError when there were too many this hour."""
    if _uploads.count(address, limit("uploads"), 20 * limit("uploads")):
        raise InputError("too many uploads this hour; wait a while, then upload again")


def size(folder: Path) -> int:
    """Bytes of a folder's files; what disappears meanwhile counts nothing."""
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total


_all_bytes: dict[str, tuple[float, int]] = {}  # folder -> (when it was measured, bytes)


def bytes_of_all(visitors: Path) -> int:
    """Bytes of all workspaces, measured at most once in 30 s."""
    when, held = _all_bytes.get(str(visitors), (-1e9, 0))
    if time.monotonic() - when > 30:
        held = size(visitors)
        _all_bytes[str(visitors)] = (time.monotonic(), held)
    return held


def room(workspace: Path, incoming: Iterable[Path]) -> None:
    """InputError unless the workspace, and all workspaces beside it, have room for these files."""
    more = sum(path.stat().st_size for path in incoming if path.is_file())
    if size(workspace) + more > limit("bytes"):
        raise InputError(
            f"your projects would hold over {limit('bytes') // 1_000_000:,} MB; delete documents or a project first"
        )
    if bytes_of_all(workspace.parent) + more > limit("bytes_all"):
        raise InputError("this app's storage is full; try tomorrow or run your own copy")


def documents(project: Path, more: int) -> None:
    """InputError when a project would hold too many documents."""
    folder = project / "documents"
    held = sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
    if held + more > limit("documents"):
        raise InputError(f"a project may hold {limit('documents'):,} documents; delete some, or zip fewer")


def visitors(folder: Path) -> None:
    """InputError when there are as many workspaces as may be."""
    if folder.is_dir() and len(os.listdir(folder)) >= limit("visitors"):
        raise InputError("this app has as many visitors as it can keep apart; try tomorrow or run your own copy")


def projects(names: Iterable[str]) -> None:
    """InputError when there are as many projects as one visitor may have."""
    if len(list(names)) >= limit("projects"):
        raise InputError(f"you have {limit('projects')} projects, as many as one visitor may have; delete one first")


def jobs(listed: Iterable[Mapping[str, Any]], owner: str, now: float | None = None) -> None:
    """InputError when a visitor's next job does not fit. listed: every job as {owner, state, started?, ended?}."""
    moment = time.time() if now is None else now
    going, mine, used = 0, 0, 0.0
    for job in listed:
        active, his = job["state"] in ACTIVE, job["owner"] == owner
        going, mine = going + active, mine + (active and his)
        if his and job.get("started"):
            end = moment if active else job.get("ended") or job.get("updated") or moment
            used += max(0.0, end - max(job["started"], moment - DAY)) / 60
    if mine >= limit("jobs"):
        raise InputError(f"{mine} of your jobs wait or run already, as many as may; wait for one or cancel it")
    if going >= limit("jobs_all"):
        raise InputError("this machine's queue is full; try again later or run your own copy")
    if used >= limit("minutes"):
        raise InputError(f"your jobs have run {limit('minutes')} minutes today; go on tomorrow or run your own copy")


def too_long(job: Mapping[str, Any], now: float | None = None) -> bool:
    """Whether a running job has had its time."""
    started = job.get("started")
    return bool(
        job["state"] == "running"
        and started
        and (time.time() if now is None else now) - started > 60 * limit("job_minutes")
    )
