"""Commands for what the page does by a click in Chat and its header: chat, vote, edit, link."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag.commands.arguments import add, existing, project_of
from ftrag.errors import InputError

PAGE = "http://127.0.0.1:7860/"
SIDES = "WEIGHTS,CONTEXT[,K]: none, newest or an adapter's id; none, retrieved or auto; passages"


def register(commands: Any) -> None:
    chat = add(commands, "chat", _chat, "questions in two columns, as the page exports them: Markdown, or --json")
    chat.add_argument("questions", nargs="+", metavar="QUESTION")
    chat.add_argument("--left", default="none,none", metavar="COLUMN", help=f"{SIDES} (default: %(default)s)")
    chat.add_argument("--right", default="none,retrieved", metavar="COLUMN", help="default: %(default)s")
    chat.add_argument("--temperature", type=float, default=0.0, help="0: always the likeliest (default); at most 1.5")
    vote = add(commands, "vote", _vote, "keep which answer of a conversation's last turn is better")
    vote.add_argument("file", metavar="CHAT.json", help="a conversation as `chat --json` or the page wrote it")
    vote.add_argument("choice", choices=("left", "right", "tie"))
    edit = add(commands, "edit", _edit, "put another text in a document's place and index it", "document")
    edit.add_argument("file", metavar="FILE", help="the new text, UTF-8; - reads standard input")
    link = add(commands, "link", _link, "the address that shows an example, or a job, to somebody else", project=False)
    link.add_argument("project", metavar="PROJECT", nargs="?")
    link.add_argument("--job", metavar="ID", help="whoever has this link may watch the job, and nothing else")
    link.add_argument("--page", metavar="ADDRESS", default=PAGE, help="where the page runs (default: %(default)s)")


def _chat(options: argparse.Namespace) -> Any:
    from ftrag import conversation

    project = project_of(options)
    columns = [conversation.column(project, text) for text in (options.left, options.right)]
    if not 0 <= options.temperature <= 1.5:
        raise InputError(f"--temperature is 0 to 1.5, not {options.temperature:g}")
    value = conversation.asked(project, options.questions, columns, options.temperature)
    return value if options.json else conversation.written(value["turns"], project.name, "md")


def _vote(options: argparse.Namespace) -> Any:
    from ftrag import conversation, votes

    project, turn = project_of(options), conversation.last_turn(existing(options.file))
    row = votes.vote(project, turn["question"], turn["answers"], options.choice)
    return {"kept": row, "agreement": votes.agreement(project)}


def _edit(options: argparse.Namespace) -> Any:
    from ftrag import freshness

    try:
        text = sys.stdin.read() if options.file == "-" else existing(options.file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{options.file} is not UTF-8 text; ingest the file instead") from None
    return freshness.edit(project_of(options), options.document, text)


def _link(options: argparse.Namespace) -> Any:
    from ftrag import jobs

    if bool(options.project) == bool(options.job):
        raise InputError("name a project that came from an example, or --job ID")
    page = options.page.rstrip("/") + "/"
    if options.job:
        return {"link": f"{page}?run={jobs.find(jobs.root(), options.job).name}"}
    project: Path = projects.find(options.project, projects.home())
    example = projects.settings(project).get("example")
    if not example:
        raise InputError(f"{project.name} is private, so it has no link; share its report: report --format html")
    return {"link": f"{page}?project={example}"}
