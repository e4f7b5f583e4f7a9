"""A job is the command itself: a child process in its own session that writes its own state, output to a file.

A folder per job under ROOT/jobs/ID: job.json (what was asked, written once), status.json (written by the child),
output.log. Nothing is held in memory, so a reload, a second browser or a restarted app finds the same jobs.
Jobs that need the processor wait for every earlier one: the queue is the sorted list of folders.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrag import quotas
from ftrag.births import born
from ftrag.errors import FtragError, InputError, NotFound
from ftrag.project import home, new_id, read_json, read_jsonl, write_json
from ftrag.reporting import GOING, Cancelled, Report

WAITING, RUNNING, DONE, FAILED, CANCELLED, LOST = "queued", GOING, "done", "failed", "cancelled", "lost"
ENDED = {DONE, FAILED, CANCELLED, LOST}
START_SECONDS = 30.0  # a child that has not written its state by then is lost
PATIENCE_SECONDS = 10.0  # for a job that was asked to stop; then it is ended
BY_FORCE = "ended by force, as it did not stop; its last checkpoint stays"
SECRET = re.compile(
    r"TOKEN(?!IZ)|SECRET|PASSWORD|CREDENTIAL|API_?KEY|OPENID|COOKIE", re.IGNORECASE
)  # names of variables
KILLED_HELP = "the process was killed, most likely for memory; use a smaller batch or fewer tokens per row, then retry"
_starting = threading.Lock()  # counting the jobs and adding one is one step


def root() -> Path:
    """The folder whose jobs share this machine: that of the job this process is, else FTRAG_HOME."""
    given = os.environ.get("FTRAG_JOB")
    return Path(given).parent.parent if given else home()


def create(root: Path, arguments: Sequence[str], owner: str, project: str = "", runs_in: Path | None = None) -> Path:
    """The folder of a new job. arguments: what follows `python -m ftrag`; runs_in: the FTRAG_HOME it runs under."""
    folder = root / "jobs" / new_id()
    folder.mkdir(parents=True)
    write_json(
        folder / "job.json",
        {
            "id": folder.name,
            "arguments": list(arguments),
            "command": shlex.join(["python", "-m", "ftrag", *arguments]),
            "home": str(runs_in or root),
            "owner": owner,
            "project": project,
            "created": time.time(),
        },
    )
    return folder


def start(root: Path, arguments: Sequence[str], owner: str, project: str = "", runs_in: Path | None = None) -> str:
    """Start a command as a job; returns its id. The child outlives this process, and never sees its secrets.

    InputError where the owner, or all of them together, have as many jobs as may be.
    """
    with _starting:
        quotas.jobs(owned(root), owner)
        folder = create(root, arguments, owner, project, runs_in)
    environment = {key: value for key, value in os.environ.items() if not SECRET.search(key)}
    environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"  # nor the token that a login has stored
    source = str(Path(__file__).resolve().parent.parent)
    with (folder / "output.log").open("ab") as output:
        subprocess.Popen(
            [sys.executable, "-m", "ftrag", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=source,
            env=environment | {"FTRAG_HOME": str(runs_in or root), "FTRAG_JOB": str(folder), "PYTHONUNBUFFERED": "1"},
        )
    return folder.name


@contextlib.contextmanager
def running(root: Path, arguments: Sequence[str], project: str, queues: bool = True) -> Iterator[Report]:
    """Run a command under a job: the one that started this process, else a new one. Waits for its turn if it queues.

    The state ends as done, failed or cancelled whatever happens; errors pass through. Of several processes under
    `accelerate launch` the first one is the job.
    """
    if os.environ.get("RANK", "0") != "0":
        yield _helping()
        return
    given = os.environ.get("FTRAG_JOB")
    folder = Path(given) if given else create(root, arguments, owner="command line", project=project)
    report = Report(folder)
    handlers = {number: signal.signal(number, report.stop) for number in (signal.SIGTERM, signal.SIGINT)}
    report.write(WAITING, fraction=0.0, message="waiting for its turn")
    try:
        if queues:
            _wait_for_turn(folder, report)
        report.write(RUNNING, started=time.time(), message="starting")
        yield report
        state = CANCELLED if report.stopping else DONE
        report.write(state, ended=time.time(), fraction=1.0, message="stopped by you" if report.stopping else "done")
    except Cancelled:
        report.write(CANCELLED, ended=time.time(), message="stopped by you")
        raise
    except FtragError as error:
        report.write(FAILED, ended=time.time(), message=str(error))
        raise
    except MemoryError as error:
        report.write(FAILED, ended=time.time(), message=KILLED_HELP)
        raise InputError(KILLED_HELP) from error
    except Exception as error:
        report.write(FAILED, ended=time.time(), message=f"unexpected {type(error).__name__}: {str(error)[:300]}")
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _helping() -> Report:
    """The report of a process that helps another one's job: it writes nothing, and stops when it is asked to."""
    report = Report(None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, report.stop)
    return report


def _wait_for_turn(folder: Path, report: Report) -> None:
    while ahead := queue_position(folder):
        report.write(WAITING, fraction=0.0, message=f"waiting for {ahead} earlier {'job' if ahead == 1 else 'jobs'}")
        time.sleep(0.3)


def queue_position(folder: Path) -> int:
    """How many earlier jobs are queued or running; 0 means that it is this one's turn."""
    earlier = [path for path in folder.parent.iterdir() if path.name < folder.name and (path / "job.json").exists()]
    return sum(_status(path)["state"] in {WAITING, RUNNING} for path in earlier)


def _status(folder: Path) -> dict[str, Any]:
    """What the child wrote last; "lost" if it said that it was going but its process is gone."""
    try:
        status: dict[str, Any] = read_json(folder / "status.json")
    except NotFound:
        age = time.time() - (folder / "job.json").stat().st_mtime
        waiting = age < START_SECONDS
        return {
            "state": WAITING if waiting else LOST,
            "fraction": 0.0,
            "message": "starting" if waiting else "never started; retry it",
        }
    if status["state"] not in ENDED and born(status["pid"]) != status["born"]:
        status |= {"state": LOST, "message": _last_words(folder)}
    return status


def _last_words(folder: Path) -> str:
    log = read_log(folder)
    if any(sign in log for sign in ("Killed", "MemoryError", "out of memory")):
        return KILLED_HELP
    return "its process ended without a word (killed or the machine restarted); retry resumes from its last checkpoint"


def read_log(folder: Path, characters: int = 4000) -> str:
    """The end of a job's output."""
    path = folder / "output.log"
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - characters))
        return file.read().decode(errors="replace")


def metrics(root: Path, job: str) -> list[dict[str, Any]]:
    """The numbers that a job reported step by step, for its plot."""
    return list(read_jsonl(root / "jobs" / job / "metrics.jsonl"))


def find(root: Path, job: str, owner: str | None = None) -> Path:
    """A job's folder. NotFound for an unknown id and, in the same words, for somebody else's."""
    known = {path.name: path for path in (root / "jobs").glob("*") if (path / "job.json").exists()}
    if job in known and owner in (None, read_json(known[job] / "job.json")["owner"]):
        return known[job]
    raise NotFound(f"there is no job {job!r}; list yours with: python -m ftrag jobs")


def listing(root: Path, owner: str | None = None) -> list[dict[str, Any]]:
    """Jobs, oldest first: {id, command, state, fraction, message, project, …}; owner None means all."""
    return [{key: value for key, value in job.items() if key != "owner"} for job in owned(root, owner)]


def owned(root: Path, owner: str | None = None) -> list[dict[str, Any]]:
    """As `listing`, with each job's owner: for counting, never for showing."""
    rows = []
    for folder in sorted(path for path in (root / "jobs").glob("*") if (path / "job.json").exists()):
        with contextlib.suppress(NotFound):  # dismissed while they are listed
            job = read_json(folder / "job.json")
            if owner in (None, job["owner"]):
                shown = {key: job[key] for key in ("id", "command", "project", "created", "owner")}
                rows.append(shown | _public(_status(folder)))
    return rows


def watch(root: Path, job: str) -> dict[str, Any]:
    """One job by its id alone, to read: whoever was given the id, 128 bits of it secret, may see how it goes."""
    find(root, job)
    return next(row for row in listing(root) if row["id"] == job)


def _public(status: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in status.items() if key not in {"pid", "born"}}


def cancel(root: Path, job: str, owner: str | None = None, why: str = "") -> dict[str, Any]:
    """Ask a job to stop; one that does not within 10 s is ended. Its last checkpoint stays. why: its last message."""
    folder = find(root, job, owner)
    status = _status(folder)
    if status["state"] in ENDED:
        raise InputError(f"job {job} has ended already ({status['state']})")
    pid = status.get("pid")
    if pid is None:
        raise InputError(f"job {job} is still starting; try again in a second")
    deadline = time.monotonic() + PATIENCE_SECONDS
    os.kill(pid, signal.SIGTERM)
    while (status := _status(folder))["state"] not in ENDED and time.monotonic() < deadline:
        time.sleep(0.05)
    if status["state"] not in ENDED:
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            os.kill(pid, signal.SIGKILL)
        status |= {"state": CANCELLED, "message": why or BY_FORCE, "ended": time.time()}
        write_json(folder / "status.json", status)
    elif why and status["state"] == CANCELLED:
        status |= {"message": why}
        write_json(folder / "status.json", status)
    return {"id": job, "state": status["state"], "fraction": status["fraction"], "message": status["message"]}


def retry(root: Path, job: str, owner: str | None = None) -> str:
    """Start the same command again; a training resumes from its newest checkpoint. Returns the new id."""
    folder = find(root, job, owner)
    if _status(folder)["state"] not in ENDED:
        raise InputError(f"job {job} has not ended yet; cancel it first")
    asked = read_json(folder / "job.json")
    return start(root, asked["arguments"], asked["owner"], asked["project"], Path(asked["home"]))


def dismiss(root: Path, job: str, owner: str | None = None) -> None:
    """Forget an ended job; what it made stays."""
    folder = find(root, job, owner)
    if _status(folder)["state"] not in ENDED:
        raise InputError(f"job {job} has not ended yet; cancel it first")
    shutil.rmtree(folder)
