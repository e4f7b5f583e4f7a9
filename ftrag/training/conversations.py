"""Conversations in training rows: lists of messages in the spellings that people have, and texts that hold turns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ftrag.training import cells
from ftrag.training.cells import BadRow
from ftrag.training.files import as_list

ROLES = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}


SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")  # the marks of texts that hold a whole conversation


@dataclass(frozen=True)
class Turns:
    """One answer and what came before it; a conversation gives one per answer."""

    prompt: str
    response: str
    rejected: str | None = None
    system: str | None = None
    history: tuple[tuple[str, str], ...] = ()


def conversation(spoken: list[Any]) -> list[Turns]:
    """One Turns per assistant turn, so that every answer of a conversation is learned, each with what came before."""
    turns = [role(message) for message in spoken]
    system = turns.pop(0)[1] if turns and turns[0][0] == "system" else None
    if [role for role, _ in turns] != ["user", "assistant"] * (len(turns) // 2) or not turns:
        raise BadRow("has messages that do not alternate user, assistant and end with the assistant")
    pairs = [
        (cells.text({"message": user}, "message"), cells.answer({"message": assistant}, "message"))
        for (_, user), (_, assistant) in zip(turns[::2], turns[1::2], strict=True)
    ]
    return [Turns(user, answer, None, system, tuple(pairs[:n])) for n, (user, answer) in enumerate(pairs)]


def role(message: Any) -> tuple[str, Any]:
    if not isinstance(message, dict):
        raise BadRow("has a message that is not an object with role and content")
    named = message.get("role", message.get("from"))
    role = ROLES.get(str(named).lower())
    if role is None:
        raise BadRow(f'has a message with the role "{str(named)[:40]}"; known are system, user and assistant')
    content = message.get("content", message.get("value"))
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        content = "".join(str(part["text"]) for part in content)
    return role, content


def messages(value: Any) -> list[Any] | None:
    """A list of messages, also as JSON in a text; None where it is none, so that an answer may be a JSON list."""
    turns = as_list(value)
    return turns if isinstance(turns, list) and turns and all(map(_is_message, turns)) else None


def _is_message(turn: Any) -> bool:
    return (
        isinstance(turn, dict) and not {"role", "from"}.isdisjoint(turn) and not {"content", "value"}.isdisjoint(turn)
    )


def parted(row: dict[str, Any] | Any) -> tuple[list[Any], Any, Any]:
    """(messages before, chosen answer, rejected answer) of a pair without a prompt, as trl's implicit prompt has it.

    Both columns are whole conversations, as messages or as text with "Human:" and "Assistant:", that are the same up
    to the last turn. Of two other texts nobody can tell where the question ends: BadRow.
    """
    whole = [messages(row[column]) or _spoken(cells.text(row, column)) for column in ("chosen", "rejected")]
    if not all(whole):
        raise BadRow("has no prompt, nor conversations as chosen and rejected; add a column prompt with the question")
    (*before, chosen), (*other, rejected) = whole
    if [role(turn) for turn in before] != [role(turn) for turn in other]:
        raise BadRow("has no prompt, and chosen and rejected differ before their last turn; only that one may differ")
    if not before:
        raise BadRow("has no prompt, and no question in chosen and rejected; add a column prompt with the question")
    return before, role(chosen)[1], role(rejected)[1]


def _spoken(text: str) -> list[dict[str, str]]:
    """The turns of a text that begins with "Human:" and goes on with "Assistant:"; [] for any other text."""
    opening, *parts = SPEAKER.split(text)
    if opening.strip() or not parts:
        return []
    return [{"role": who, "content": said} for who, said in zip(parts[::2], parts[1::2], strict=True)]
