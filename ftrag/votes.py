"""Votes of a blind comparison: which of two hidden columns answered better, and whether the scorer agrees."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag import workflows
from ftrag.errors import InputError
from ftrag.types import Gold

CHOICES = ("left", "right", "tie")
FILE = "votes.jsonl"


def vote(project: Path, question: str, sides: Sequence[Mapping[str, Any]], choice: str) -> dict[str, Any]:
    """Keep a vote: sides are [{column, text}] left and right as they were shown. Returns the kept row.

    scorer: "left", "right" or "tie" by the verdicts of a gold question's answers, None for any other question.
    """
    if choice not in CHOICES:
        raise InputError(f"a vote is left, right or tie, not {choice!r}")
    row = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "question": question,
        "left": dict(sides[0]),
        "right": dict(sides[1]),
        "vote": choice,
        "scorer": scorer(project, question, sides[0]["text"], sides[1]["text"]),
    }
    projects.append_jsonl(project / FILE, [row])
    return row


def scorer(project: Path, question: str, left: str, right: str) -> str | None:
    """Which answer the scorer prefers: the one that is right where the other is wrong; None without a gold row."""
    gold = next((row for row in _gold(project) if row.question.strip() == question.strip()), None)
    if gold is None:
        return None
    checks = workflows.checks(project)
    verdicts = [_right(text, gold, checks) for text in (left, right)]
    if None in verdicts:
        return None
    return "tie" if verdicts[0] == verdicts[1] else "left" if verdicts[0] else "right"


def _gold(project: Path) -> list[Gold]:
    return workflows.gold_rows(project) if (project / "gold.jsonl").exists() else []


def _right(text: str, gold: Gold, checks: Sequence[Mapping[str, Any]]) -> bool | None:
    """Content and behaviour together where both can be judged, else the one that can."""
    from ftrag.evaluation.checks import behaviour
    from ftrag.evaluation.metrics import content, content_verdict

    _, acted = behaviour(text, [*checks, *gold.checks])
    said = [verdict for verdict in (content_verdict(content(text, gold)), acted) if verdict is not None]
    return all(said) if said else None


def agreement(project: Path) -> dict[str, Any]:
    """{votes, gold, agreed, decided, decided_agreed, wins: {column: n}, ties} over the project's votes.

    gold: votes on gold questions; agreed: those with the same choice as the scorer, ties included; decided: those where
    neither called it a tie.
    """
    rows = list(projects.read_jsonl(project / FILE))
    scored = [row for row in rows if row["scorer"]]
    decided = [row for row in scored if "tie" not in (row["vote"], row["scorer"])]
    wins: dict[str, int] = {}
    for row in rows:
        if row["vote"] != "tie":
            column = row[row["vote"]]["column"]
            wins[column] = wins.get(column, 0) + 1
    return {
        "votes": len(rows),
        "gold": len(scored),
        "agreed": sum(row["vote"] == row["scorer"] for row in scored),
        "decided": len(decided),
        "decided_agreed": sum(row["vote"] == row["scorer"] for row in decided),
        "wins": wins,
        "ties": sum(row["vote"] == "tie" for row in rows),
    }


def sentence(found: Mapping[str, Any]) -> str:
    """The agreement in words."""
    if not found["votes"]:
        return "No blind votes yet."
    wins = ", ".join(f"{column} {count}" for column, count in sorted(found["wins"].items(), key=lambda row: -row[1]))
    said = f"{found['votes']} blind votes: {wins or 'no winner'}, {found['ties']} ties."
    if not found["gold"]:
        return f"{said} None was on a gold question, so there is no scorer to agree with."
    return f"{said} On gold questions the scorer agrees with {found['agreed']} of {found['gold']}."
