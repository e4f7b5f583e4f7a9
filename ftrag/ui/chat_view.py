"""Chat in words and HTML: what a column is, what its answer took, which passages it read, and the conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ftrag import conversation, outcomes, workflows
from ftrag.errors import InputError
from ftrag.types import Gold
from ftrag.ui import texts
from ftrag.ui.view import Safe

Choice = tuple[str, str]  # label, value
UNSEEN = "\u2060"  # word joiner: has no width; the page takes it out of what is copied
TAG = re.compile(r"<(?=[A-Za-z/!?])")
IMAGE = re.compile(r"!(?=\[)")
DIAGRAM = re.compile(r"^(\W*)(?=mermaid\b)", re.MULTILINE)
SIGNS = re.compile(r"^\s*(?:[-*+>]\s+)+|\*\*|`")
BASE = "none"  # the value of "no adapter", as on the command line
CONTEXTS = dict(zip(("none", "retrieved", "auto"), texts.CONTEXTS, strict=True))
ENDED = {"": "", "stop": ""} | dict(zip(("length", "time"), texts.CUT, strict=True))
SUGGESTED = 6


def weights(project: Path) -> list[Choice]:
    """What can answer in this project: the base model, the promoted adapter, then the others, newest first."""
    release = outcomes.promoted(project)
    pinned = release["adapter"] if release else None
    cards = [card["id"] for card in reversed(workflows.adapters(project))]
    cards.sort(key=lambda adapter: adapter != pinned)
    return [(texts.BASE_MODEL, BASE), *((adapter_name(card, card == pinned), card) for card in cards)]


def adapter_name(adapter: str, promoted: bool = False) -> str:
    """An adapter's id as a person says it: its day and time."""
    day, _, rest = adapter.partition("-")
    when = f"{day[6:8]}.{day[4:6]}. {rest[:2]}:{rest[2:4]}" if day.isdigit() and len(day) == 8 else adapter
    return texts.LORA_OF.format(when=when) + (texts.PROMOTED if promoted else "")


def suggestions(project: Path) -> list[str]:
    """A few gold questions, one of each slice first, so that they differ."""
    try:
        rows = workflows.gold_rows(project)
    except InputError:
        return []
    return [row.question for row in _varied(rows)[:SUGGESTED]]


def _varied(rows: Sequence[Gold]) -> list[Gold]:
    seen: dict[str, int] = {}
    order = []
    for place, row in enumerate(rows):
        seen[row.slice] = seen.get(row.slice, 0) + 1
        order.append((seen[row.slice], place, row))
    return [row for _, _, row in sorted(order, key=lambda item: item[:2])]


def column_name(column: Mapping[str, Any]) -> str:
    """One line that tells a column from another: "base model, with retrieval (k 3)"."""
    who = adapter_name(column["adapter"]) if column["adapter"] else texts.BASE_MODEL
    passages = texts.K.format(k=column["k"]) if column["context"] != "none" else ""
    return f"{who}, {CONTEXTS[column['context']]}{passages}"


def shown(text: str) -> str:
    """What a model or a visitor wrote, as Markdown that runs and loads nothing: tags read as text, an image as a link.

    An unseen sign in each opening is enough, wherever it stands: in a code block too it reads as it was written.
    """
    inert = IMAGE.sub("!" + UNSEEN, TAG.sub("<" + UNSEEN, text))
    return DIAGRAM.sub(rf"\g<1>{UNSEEN}", inert)


def side(column: Mapping[str, Any] | None, place: str) -> Safe:
    """The heading of a column; None hides what it is."""
    if column is None:
        return Safe(f'<div class="ft-side">{place} <span class="ft-chip">{texts.HIDDEN}</span></div>')
    chips = "".join(f'<span class="ft-chip">{escape(part)}</span>' for part in column_name(column).split(", "))
    return Safe(f'<div class="ft-side">{chips}</div>')


def note(column: Mapping[str, Any], asked: Mapping[str, Any], stopped: bool = False) -> Safe:
    """Time to the first token, speed, length, passages, and how the answer ended."""
    read = len(column["passages"])
    form = texts.ONE_PASSAGE if read == 1 else texts.MANY_PASSAGES
    passages = form.format(count=read) if asked["context"] != "none" else texts.NO_PASSAGES
    passages += f", {len(column['dropped'])} {texts.LEFT_OUT}" if column["dropped"] else ""
    if column["first"] is None:
        return Safe(f"{texts.READING} · {passages}")
    first = texts.FIRST_TOKEN.format(seconds=column["first"])
    parts = [first, *_speed(column), texts.TOKENS.format(count=column["tokens"]), passages]
    parts += [asked["why"]] if asked.get("why") else []
    parts += [texts.STOPPED] if stopped and not column["done"] else [ENDED[column["done"]]]
    return Safe(" · ".join(escape(part) for part in parts if part))


def _speed(column: Mapping[str, Any]) -> list[str]:
    rate = conversation.speed(column)
    return [texts.RATE.format(rate=rate)] if rate else []


def cards(column: Mapping[str, Any]) -> Safe:
    """What of the answer is supported; below it every passage that was read, by number, what supports it marked."""
    if not column["done"]:
        return Safe("")
    found = [(passage, _spans(passage, column["sources"])) for passage in column["passages"]]
    found.sort(key=lambda row: not row[1])
    numbers = {_place(passage): number for number, (passage, _) in enumerate(found, 1)}
    read = [
        _card(passage, _where(passage, column["sources"]), spans, texts.SUPPORTS if spans else texts.ONLY_READ, number)
        for number, (passage, spans) in enumerate(found, 1)
    ]
    left_out = [_card(passage, _characters(passage), (), texts.LEFT_OUT) for passage in column["dropped"]]
    return Safe(_support(column, numbers) + "".join([*read, *left_out]))


def _support(column: Mapping[str, Any], numbers: Mapping[tuple[str, int], int]) -> str:
    """How many statements are supported, on a click by which passage; then the others, each in its own words."""
    rows = column["sentences"]
    if not rows:
        return ""
    supported = [_said(column, row) + _by(column["sources"], row, numbers) for row in rows if row["supported"]]
    others = [_said(column, row) for row in rows if not row["supported"]]
    count = texts.SUPPORTED.format(supported=len(supported), count=len(rows))
    head = f"<details><summary>✓ {count}</summary>{_list(supported)}</details>" if supported else f"<p>○ {count}</p>"
    rest = f"<p>○ {texts.UNSUPPORTED}</p>{_list(others)}" if others else ""
    return f'<div class="ft-support">{head}{rest}</div>'


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _said(column: Mapping[str, Any], row: Mapping[str, int]) -> str:
    """A sentence of the answer in quotes, without the signs of Markdown that the bubble does not show either."""
    return f"“{escape(SIGNS.sub('', column['text'][row['start'] : row['end']]))}”"


def _by(sources: Sequence[Mapping[str, Any]], row: Mapping[str, Any], numbers: Mapping[tuple[str, int], int]) -> str:
    number = None if row["source"] is None else numbers.get(_place(sources[row["source"]]))
    return f' <span class="ft-mute">{texts.BY_PASSAGE.format(number=number)}</span>' if number else ""


def _spans(passage: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Offsets into the passage's text that support the answer, in order and without overlap."""
    same = [row for row in sources if row["supports"] and _place(row) == _place(passage)]
    spans = sorted((row["start"] - passage["start"], row["end"] - passage["start"]) for row in same)
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _place(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["document"], row["chunk"]


def _where(passage: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> str:
    """Where it stands, as a reader of the document would say; its characters where nothing there has a name."""
    named = [row["where"] for row in sources if row["where"] and _place(row) == _place(passage)]
    return ", ".join(dict.fromkeys(named)) or _characters(passage)


def _characters(passage: Mapping[str, Any]) -> str:
    return texts.CHARACTERS.format(start=passage["start"], end=passage["end"])


def _card(
    passage: Mapping[str, Any], where: str, spans: Sequence[tuple[int, int]], label: str, number: int | None = None
) -> str:
    name = escape(passage["document"]) if number is None else f"{number} · {escape(passage['document'])}"
    head = f'<b>{name}</b> <span class="ft-mute">{escape(where)} · {label}</span>'
    body = f"<p>{marked(passage['text'], spans)}</p>"
    kind, opened = ("ft-source yes", " open") if spans else ("ft-source", "")
    return f'<details class="{kind}"{opened}><summary>{head}</summary>{body}</details>'


def marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text escaped, with <mark> around each span."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [escape(text[at:start]), f"<mark>{escape(text[start:end])}</mark>"]
        at = end
    return "".join([*pieces, escape(text[at:])])


def turn(
    question: str, columns: Sequence[Mapping[str, Any]], state: Sequence[Mapping[str, Any]], blind: bool = False
) -> dict[str, Any]:
    """One question with both answers, in plain values, the columns named as on the page."""
    return conversation.turn(question, [column_name(column) for column in columns], columns, state, blind)
