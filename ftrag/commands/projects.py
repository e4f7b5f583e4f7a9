"""Commands on a project's files and passages: new, ingest, rows, search, settings, retrieval, ask, router."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag.commands.arguments import add, columns, existing, positive, project_of
from ftrag.errors import InputError


def register(commands: Any) -> None:
    new = add(commands, "new", _new, "make a project", project=False)
    new.add_argument("name", metavar="NAME")
    new.add_argument("--example", help=f"start from {', '.join(projects.examples())}")
    ingest = add(commands, "ingest", _ingest, "add documents")
    ingest.add_argument("files", nargs="+", metavar="FILE")
    for name, text in (("examples", "replace the training rows"), ("gold", "replace the gold questions")):
        command = add(commands, name, _rows, text)
        command.add_argument("file", metavar="FILE")
        if name == "examples":
            command.add_argument("--map", action="append", default=[], metavar="OURS=THEIRS", help="name a column")
    search = add(commands, "search", _search, "the passages a question finds", "query")
    search.add_argument("-k", type=positive, default=5)
    search.add_argument("--retriever", choices=("bm25", "dense", "hybrid"), default="bm25")
    search.add_argument("--rerank", action="store_true")
    change = add(commands, "settings", _settings, "how documents are cut and found: show the settings, or change some")
    change.add_argument("changes", nargs="*", metavar="NAME=VALUE", help="chunk_tokens=256 stem=false k=5 …")
    measured = add(commands, "retrieval", _retrieval, "measure the retrievers on the gold evidence")
    measured.add_argument("--verify", action="store_true", help="instead, check the index against rank-bm25's scores")
    ask = add(commands, "ask", _ask, "ask the model", "question")
    ask.add_argument("--context", choices=("none", "retrieved"), default="retrieved")
    ask.add_argument("--adapter", help="an adapter's id, or none (default: the newest)")
    ask.add_argument("-k", type=positive, help="passages to retrieve")
    ask.add_argument("--retriever", choices=("bm25", "dense", "hybrid"), help="(default: the project's own)")
    router = add(commands, "router", _router, "retrieval or not for a question; without one, how often that is right")
    router.add_argument("question", nargs="?")
    router.add_argument("--run", help="the run to compare with (default: the newest)")


def _new(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    return workflows.new(projects.home(), options.name, options.example)


def _ingest(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    project, missing, files = project_of(options), [], []
    for name in options.files:
        if Path(name).is_file():
            files.append(Path(name))
        else:
            folder = Path(name).is_dir()
            reason = "is a folder; name the files in it" if folder else "there is no such file; check the path"
            missing.append({"file": name, "reason": reason})
    value = workflows.ingest(project, files) if files else {"taken": [], "refused": []}
    return value | {"refused": value["refused"] + missing}


def _rows(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    project, file = project_of(options), existing(options.file)
    if options.command == "gold":
        return workflows.add_gold(project, file)
    return workflows.add_examples(project, file, columns(options.map))


def _search(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    return workflows.search(project_of(options), options.query, options.k, options.retriever, options.rerank)


def _settings(options: argparse.Namespace) -> Any:
    from dataclasses import asdict

    from ftrag import knowledge, workflows

    project, result = project_of(options), {}
    if bad := [pair for pair in options.changes if "=" not in pair]:
        raise InputError(f"settings takes NAME=VALUE, not {bad[0]!r}")
    if options.changes:
        result = knowledge.change(project, {name: _value(text) for name, text in map(_halves, options.changes)})
    return {"settings": asdict(knowledge.settings(project)) | {"k": workflows.setting(project, "k")}} | result


def _halves(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name, value


def _value(text: str) -> Any:
    """A number, true or false where it is one, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _retrieval(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    if options.verify:
        from ftrag.retrieval.reference import verify

        project = project_of(options)
        return verify(project, [row.question for row in workflows.gold_rows(project)])
    return workflows.retrieval_quality(project_of(options))


def _ask(options: argparse.Namespace) -> Any:
    from ftrag import answering

    project, question = project_of(options), options.question
    return answering.ask(project, question, options.context, options.adapter, options.k, options.retriever)


def _router(options: argparse.Namespace) -> Any:
    from ftrag import routing

    project = project_of(options)
    return routing.routed(project, options.question) if options.question else routing.report(project, options.run)
