"""The command line: a thin shell over workflows and experiments. `--json` prints one JSON value and nothing else."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from ftrag.commands.arguments import Parser
from ftrag.errors import FtragError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0, or 2 with one line on standard error for bad input, 130 when stopped."""
    from ftrag.reporting import Cancelled

    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        options = parser().parse_args(given)
        options.given = [argument for argument in given if argument != "--json"]
        value = options.handler(options)
    except FtragError as error:
        print(f"ftrag: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Cancelled):
        print("ftrag: stopped; what was finished is kept", file=sys.stderr)
        return 130
    _print(value, options)
    refused_all = isinstance(value, dict) and "taken" in value and not value["taken"]
    return 2 if refused_all else 0


def _print(value: Any, options: argparse.Namespace) -> None:
    """JSON for programs; for people the same value, short enough to read."""
    if isinstance(value, dict) and "taken" in value:
        for row in value["refused"]:
            where = f"{row['file']}, row {row['row']}" if row.get("row") is not None else row["file"]
            print(f"ftrag: refused {where}: {row['reason']}", file=sys.stderr)
    try:
        if isinstance(value, str) and not options.json:
            print(value)
        elif options.json:
            print(json.dumps(value, ensure_ascii=False, allow_nan=False))
        else:
            print("\n".join(_lines(value)))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(value: Any, indent: str = "") -> list[str]:
    """Nested values as indented text."""
    if isinstance(value, dict):
        items = [(f"{key}: ", item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [("- ", item) for item in value]
    else:
        return [f"{indent}{_short(value)}"]
    lines = []
    for label, item in items:
        if isinstance(item, (dict, list)) and item:
            lines += [f"{indent}{label}".rstrip(), *_lines(item, indent + "  ")]
        else:
            lines.append(f"{indent}{label}{_short(item)}")
    return lines


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if value is None or value == [] or value == {}:
        return "-"
    return str(value)


def parser() -> Parser:
    """All commands. Nothing heavy is imported here, so that --help answers at once."""
    from ftrag.commands import conversing, deciding, experiments, projects, results, tending

    top = Parser(prog="python -m ftrag", description="Retrieve, fine-tune, both or neither: measured on your own rows.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for module in (deciding, projects, experiments, results, tending, conversing):
        module.register(commands)
    return top
