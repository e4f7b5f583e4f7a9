"""A blind turn's vote: kept beside what the scorer says, then the columns are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from ftrag import votes
from ftrag.errors import InputError
from ftrag.ui import chat_turn, chat_view, session, texts


def voter(choice: str) -> Any:
    """The handler of one of the three buttons: left, right or tie."""

    @session.guarded
    def vote(visitor: str, name: str | None, turns: list[Any], asked: Mapping[str, Any]) -> list[Any]:
        """Keep the vote, then show which column was which."""
        project = session.project(visitor, name)
        if not asked.get("blind") or not asked.get("state"):
            raise InputError(texts.NO_VOTE)
        columns, state = asked["columns"], asked["state"]
        sides = [
            {"column": chat_view.column_name(column), "text": said["text"].strip()}
            for column, said in zip(columns, state, strict=True)
        ]
        row = votes.vote(project, asked["question"], sides, choice)
        gr.Info(_voted(row), duration=8)
        kept = (
            [*turns[:-1], dict(turns[-1]) | {"blind": False, "vote": choice, "scorer": row["scorer"]}] if turns else []
        )
        seen = dict(asked) | {"blind": False}
        hidden = gr.update(visible=False)
        said = votes.sentence(votes.agreement(project))
        return [*chat_turn.heads(columns, False), *chat_turn.details(columns, state), hidden, kept, seen, said]

    return vote


def _voted(row: Mapping[str, Any]) -> str:
    """What a vote did, in a sentence: whose answer it chose, and what the scorer says."""
    chosen = texts.TIE if row["vote"] == "tie" else texts.CHOSE.format(column=row[row["vote"]]["column"])
    if row["scorer"] is None:
        return f"{chosen} {texts.NO_SCORER}"
    return f"{chosen} {texts.SCORER_AGREES if row['scorer'] == row['vote'] else texts.SCORER_DIFFERS[row['scorer']]}"
