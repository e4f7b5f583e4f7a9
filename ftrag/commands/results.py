"""Commands on what came out: promote, report, export, publish, pull, jobs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from ftrag.commands.arguments import add, as_job, project_of
from ftrag.errors import InputError
from ftrag.pace import Pace, Progress

JOB_ACTIONS = {
    "cancel": "stop it; what was finished is kept",
    "log": "print its output",
    "retry": "start its command again; a training resumes from its newest checkpoint",
    "dismiss": "forget an ended job; what it made stays",
}


def register(commands: Any) -> None:
    promote = add(commands, "promote", _promote, "promote a fresh, passing run's adapter and index", "run")
    promote.add_argument("--why", default="", help="kept with the release")
    report = add(commands, "report", _report, "one page about a run", "run")
    report.add_argument("--format", choices=("html", "md", "json"), default="md")
    export = add(commands, "export", _export, "an adapter, or the whole project, as files that others can load")
    export.add_argument("adapter", metavar="ADAPTER", nargs="?", help="default: the newest")
    export.add_argument("--whole", action="store_true", help="the whole project as a zip")
    export.add_argument("--merge", action="store_true", help="the whole model with the adapter merged in")
    publish = add(commands, "publish", _publish, "push an adapter, or a Space of the project, to the Hub", "adapter")
    publish.add_argument("--to", required=True, metavar="NAME/REPOSITORY")
    publish.add_argument("--merge", action="store_true", help="the whole model with the adapter merged in")
    publish.add_argument("--space", action="store_true", help="a Space: the app, the documents, the adapter, its run")
    publish.add_argument("--public", action="store_true", help="default: private")
    pull = add(commands, "pull", _pull, "take an adapter from the Hub into the project", "repository")
    pull.add_argument("--revision", default="main")
    listed = add(commands, "jobs", _jobs, "what is queued, running and ended", project=False)
    for name, text in JOB_ACTIONS.items():
        listed.add_argument(f"--{name}", metavar="ID", help=text)


def _promote(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    return outcomes.promote(project_of(options), options.run, who="command line", why=options.why)


def _report(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    text = outcomes.report(project_of(options), options.run, options.format)
    return json.loads(text) if options.json and options.format == "json" else text


def _export(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    def work(project: Path, report: Any) -> Any:
        report(0.0, "writing the files")
        return outcomes.export(project, options.adapter, options.merge, options.whole, report)

    return as_job(options, work, queues=False)  # nobody waits for a training with a few files


def _token() -> str | None:
    """HF_TOKEN, or what `hf auth login` has stored; never a flag, which every user of the machine could read."""
    from huggingface_hub import get_token

    return get_token()


def _publish(options: argparse.Namespace) -> Any:
    from ftrag import publish

    what = "space" if options.space else "merged" if options.merge else "adapter"
    private = not options.public
    return publish.push(project_of(options), options.adapter, options.to, _token(), what, private, _teller())


def _pull(options: argparse.Namespace) -> Any:
    from ftrag import publish

    return publish.pull(project_of(options), options.repository, _token(), options.revision, _teller())


def _teller() -> Progress:
    """Progress on standard error, a line for every new message or two seconds, with the time that is left."""
    pace, last = Pace(), dict[str, Any](said="", moment=0.0)

    def tell(fraction: float, message: str) -> None:
        left = pace.left(fraction)
        if message == last["said"] and time.monotonic() - last["moment"] < 2:
            return
        last.update(said=message, moment=time.monotonic())
        print(f"{fraction:4.0%} {message}{f', about {left:.0f} s left' if left else ''}", file=sys.stderr)

    return tell


def _jobs(options: argparse.Namespace) -> Any:
    from ftrag import jobs

    wanted = [(name, job) for name in JOB_ACTIONS if (job := getattr(options, name))]
    if len(wanted) > 1:
        raise InputError(f"give one of {', '.join(f'--{name}' for name in JOB_ACTIONS)}, not several")
    root, (action, job) = jobs.root(), wanted[0] if wanted else ("", "")
    if action == "cancel":
        return [jobs.cancel(root, job)]
    if action == "log":
        return jobs.read_log(jobs.find(root, job), characters=1_000_000)
    if action == "retry":
        job = jobs.retry(root, job)
    elif action == "dismiss":
        jobs.dismiss(root, job)
    return [row for row in jobs.listing(root) if action != "retry" or row["id"] == job]
