"""What every command shares: its flags' types, the project that it names, and the job that a long one is."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag.errors import InputError

Handler = Callable[[argparse.Namespace], Any]


class Parser(argparse.ArgumentParser):
    """Bad flags are one line like all other bad input."""

    def error(self, message: str) -> Any:
        raise InputError(f"{message}; see: {self.prog} --help")


def add(commands: Any, name: str, handler: Handler, text: str, *arguments: str, project: bool = True) -> Any:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="print one JSON value and nothing else")
    if project:
        command.add_argument("project", metavar="PROJECT", help="a project's name, or a path to its folder")
    for argument in arguments:
        command.add_argument(argument, metavar=argument.upper())
    command.set_defaults(handler=handler)
    return command


def project_of(options: argparse.Namespace) -> Path:
    return projects.find(options.project, projects.home())


def existing(name: str) -> Path:
    path = Path(name)
    if path.is_dir():
        raise InputError(f"{name} is a folder; name a file in it")
    if not path.is_file():
        raise InputError(f"there is no file {name}; check the path")
    return path


def text_lines(name: str) -> list[str]:
    try:
        return existing(name).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{name} is not UTF-8 text; save it as a text file with one capability per line") from None


def columns(pairs: Sequence[str]) -> dict[str, str]:
    """`--map response=Antwort` names the file's column for ours."""
    if bad := [pair for pair in pairs if "=" not in pair]:
        raise InputError(f"--map takes OURS=THEIRS, not {bad[0]!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def some_names(text: str) -> tuple[str, ...]:
    if not names(text):
        raise argparse.ArgumentTypeError(f"{text!r} names nothing")
    return names(text)


def passages(text: str) -> tuple[int, ...]:
    """1,3,5: whole numbers; how many passages there may be is the command's to say."""
    if bad := [one for one in some_names(text) if not (one.isascii() and one.isdigit())]:
        raise argparse.ArgumentTypeError(f"{bad[0]!r} is not a whole number from 1")
    return tuple(map(int, names(text)))


def number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def as_job(options: argparse.Namespace, work: Callable[[Path, Any], Any], queues: bool = True) -> Any:
    """Run work(project, report) as the job that this process is; see jobs.running."""
    from ftrag import jobs

    project = project_of(options)
    with jobs.running(jobs.root(), options.given, project.name, queues) as report:
        return work(project, report)


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(options, name)) is not None}
