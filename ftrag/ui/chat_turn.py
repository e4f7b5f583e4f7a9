"""One question in both columns: settings within their limits, and what the page shows while the answers come."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import answering, conversation, routing, workflows
from ftrag.types import Generation
from ftrag.ui import chat_view, texts, warm
from ftrag.ui.chat_view import BASE, CONTEXTS

UPDATE_SECONDS = 1 / 12  # of one conversation that is alone
UPDATES_IN_ALL = 24  # a second, over all conversations: from three at once on, each gets fewer than 12
MOST_K, MOST_TOKENS, MOST_HEAT, MOST_THRESHOLD = 10, workflows.LONGEST_ANSWER, 1.5, 0.9
LOADING_SECONDS = 120.0  # how long a question waits for the built-in model


def read(project: Path, settings: Sequence[Any]) -> tuple[list[dict[str, Any]], Generation, bool, list[Any], list[Any]]:
    """The page's settings within their limits, whatever was sent: columns, generation, blind, turns, chats."""
    adapters, contexts, ks = settings[0:2], settings[2:4], settings[4:6]
    tokens, heat, threshold, blind, turns, *chats = settings[6:]
    least = _within(threshold, 0, MOST_THRESHOLD)
    columns = [
        {
            "adapter": workflows.choose_adapter(project, adapter or BASE),
            "context": context if context in CONTEXTS else "none",
            "k": int(_within(k, 1, MOST_K)),
            "minimum_match": least,
        }
        for adapter, context, k in zip(adapters, contexts, ks, strict=True)
    ]
    limits = answering.generation(
        project,
        max_new_tokens=int(_within(tokens, 1, MOST_TOKENS)),
        temperature=_within(heat, 0, MOST_HEAT),
        seed=secrets.randbelow(2**31),
    )
    return columns, limits, bool(blind), list(turns or []), [list(chat or []) for chat in chats]


def _within(value: Any, least: float, most: float) -> float:
    return float(min(max(float(value or 0), least), most))


def streamed(
    project: Path,
    question: str,
    columns: list[dict[str, Any]],
    limits: Generation,
    blind: bool,
    turns: list[Any],
    chats: list[Any],
) -> Iterator[list[Any]]:
    """Both columns, at most 12 updates a second. Closing this generator ends the token loop.

    In a blind turn the sides are shuffled, and nothing that tells them apart is sent before the vote.
    """
    if blind and secrets.randbelow(2):
        columns = columns[::-1]
    columns = [column | _routed(project, question, column) for column in columns]
    before = [chat + [_said("user", question)] for chat in chats]
    yield from _waiting(before, columns, blind, turns, question)
    last, state = 0.0, []
    with _answering() as replaced:
        for state in answering.chat(project, question, columns, limits):
            if replaced():
                return
            if time.monotonic() - last >= pause():
                last = time.monotonic()
                yield _shown(before, state, columns, blind, turns, question)
    if state:
        warm.answered(max(map(conversation.speed, state)))
        yield _shown(before, state, columns, blind, turns, question)


_answered: set[object] = set()  # a mark for each conversation that is being answered, in the whole app


_newest: dict[str, object] = {}  # a page's session -> the mark of what it asked last


@contextmanager
def _answering() -> Iterator[Callable[[], bool]]:
    """Counts this answer; gives whether the same page has asked something newer, which ends this one."""
    session, mark = _session(), object()
    _answered.add(mark)
    _newest[session] = mark
    try:
        yield lambda: bool(session) and _newest.get(session) is not mark
    finally:
        _answered.discard(mark)
        if _newest.get(session) is mark:
            del _newest[session]


def _session() -> str:
    """The page that asks; "" where no page does, as in a program."""
    from gradio.context import LocalContext

    return str(getattr(LocalContext.request.get(None), "session_hash", None) or "")


def pause() -> float:
    """Seconds between two updates of one conversation: drawing must not take the time that answering needs."""
    return max(UPDATE_SECONDS, len(_answered) / UPDATES_IN_ALL)


def undone(turns: list[Any], chats: Sequence[Any]) -> list[Any]:
    """What is shown after a question that could not be answered: everything before it."""
    return [*chats, gr.skip(), gr.skip(), "", "", "", "", gr.update(visible=False), turns, {}]


def _routed(project: Path, question: str, column: Mapping[str, Any]) -> dict[str, str]:
    """Why the router looked a question up or did not, for columns that leave it to the router."""
    if column["context"] != "auto":
        return {}
    found = routing.routed(project, question)
    did = texts.LOOKED_UP if found["context"] == "retrieved" else texts.NOT_LOOKED_UP
    return {"why": texts.ROUTED.format(did=did, why=found["why"])}


def _waiting(
    before: list[Any], columns: Sequence[Mapping[str, Any]], blind: bool, turns: list[Any], question: str
) -> Iterator[list[Any]]:
    """The question at once; while the built-in model still loads, how far it is."""
    headings = heads(columns, blind)
    asked = _asked(question, columns, blind, None)
    deadline = time.monotonic() + LOADING_SECONDS
    while warm.loading() and time.monotonic() < deadline:
        yield [*before, *headings, warm.model_line(), "", "", "", gr.update(visible=False), turns, asked]
        time.sleep(0.5)
    yield [*before, *headings, texts.READING, texts.READING, "", "", gr.update(visible=False), turns, asked]


def _said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": chat_view.shown(text)}


def heads(columns: Sequence[Mapping[str, Any]], hidden: bool) -> list[str]:
    return [
        chat_view.side(None if hidden else column, place) for column, place in zip(columns, texts.SIDES, strict=True)
    ]


def _asked(question: str, columns: Sequence[Mapping[str, Any]], blind: bool, state: Any) -> dict[str, Any]:
    """What the buttons below need of the newest question; kept on the server, so that a blind turn stays blind."""
    return {"question": question, "columns": list(columns), "blind": blind, "state": state}


def _shown(
    before: list[Any],
    state: list[dict[str, Any]],
    columns: Sequence[Mapping[str, Any]],
    blind: bool,
    turns: list[Any],
    question: str,
) -> list[Any]:
    """What has changed, so that the page draws no more: the headings stand, cards and the vote come at the end."""
    chats = [chat + [_said("assistant", column["text"])] for chat, column in zip(before, state, strict=True)]
    kept = [*turns, chat_view.turn(question, columns, state, blind)]
    asked = _asked(question, columns, blind, state)
    if not all(column["done"] for column in state):
        notes = [texts.ANSWERING] * 2 if blind else details(columns, state)[:2]
        return [*chats, gr.skip(), gr.skip(), *notes, gr.skip(), gr.skip(), gr.skip(), kept, asked]
    said = [texts.VOTE_NOW, texts.VOTE_NOW, "", ""] if blind else details(columns, state)
    return [*chats, gr.skip(), gr.skip(), *said, gr.update(visible=blind), kept, asked]


def details(
    columns: Sequence[Mapping[str, Any]], state: Sequence[Mapping[str, Any]], stopped: bool = False
) -> list[str]:
    notes = [chat_view.note(column, asked, stopped) for column, asked in zip(state, columns, strict=True)]
    return [*notes, *(chat_view.cards(column) for column in state)]
