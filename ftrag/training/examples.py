"""Training files in every shape people have -> Example rows, and the reason for each row that is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrag.errors import InputError
from ftrag.prompts import CONTEXT, MARKERS, split_context
from ftrag.training.files import kind, read_rows
from ftrag.types import Example

MAX_CHARACTERS = 200_000  # of one field; a longer one is a file in the wrong column
OPTIONAL = ("id", "system", "context", "evidence", "slice", "group")
ALIASES = {"completion": "response", "conversations": "messages"}


@dataclass(frozen=True)
class Turns:
    """One answer and what came before it; a conversation gives one per answer."""

    prompt: str
    response: str
    rejected: str | None = None
    system: str | None = None
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Shape:
    needs: tuple[str, ...]  # columns
    read: Callable[[Mapping[str, Any]], list[Turns]]
    template: str  # one row, for the download


class BadRow(ValueError):
    """Why one row is refused; the text goes to the user."""


def read_examples(
    path: Path, columns: Mapping[str, str] | None = None
) -> tuple[list[Example], list[dict[str, Any]], str]:
    """Examples of a file, refused rows as {file, row, reason} and the name of the detected shape.

    columns maps our column names to the file's ("prompt": "Frage"). A file that cannot be used at all is one refusal
    without a row, and its shape is "". Row numbers are those of files.read_rows.
    """
    numbered, refused, shape = read_numbered(path, columns)
    return [example for _, example in numbered], refused, shape


def read_numbered(
    path: Path, columns: Mapping[str, str] | None = None
) -> tuple[list[tuple[int, Example]], list[dict[str, Any]], str]:
    """As read_examples, each example with its row's number in the file."""
    try:
        rows = [(number, _rename(row, columns or {})) for number, row in read_rows(path)]
        shape = _detect(rows, path.name)
    except InputError as error:
        return [], [{"file": path.name, "reason": str(error)}], ""
    taken: list[tuple[int, Example]] = []
    refused: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for number, row in rows:
        try:
            examples = _examples(row, SHAPES[shape], f"{path.stem}-{number}")
            _once(examples, seen, number)
            taken += [(number, example) for example in examples]
        except BadRow as reason:
            refused.append({"file": path.name, "row": number, "reason": str(reason)})
    return taken, refused, shape


def _rename(row: dict[str, Any] | str, columns: Mapping[str, str]) -> dict[str, Any] | str:
    """Mapped columns first, then known other names where ours are free."""
    if isinstance(row, str):
        return row
    wanted = {theirs.strip().lower(): ours for ours, theirs in columns.items()}
    renamed = {wanted.get(name, name): cell for name, cell in row.items() if name in wanted or name not in columns}
    return {
        ALIASES[name] if name in ALIASES and ALIASES[name] not in renamed else name: cell
        for name, cell in renamed.items()
    }


def _detect(rows: list[tuple[int, dict[str, Any] | str]], name: str) -> str:
    """The shape most rows have. In a tie the earlier shape of SHAPES, which asks for more."""
    counts = Counter(dict.fromkeys(SHAPES, 0))
    seen: Counter[str] = Counter()
    for _, row in rows:
        if isinstance(row, dict):
            seen.update(list(row))
            fitting = (shape for shape, spec in SHAPES.items() if all(column in row for column in spec.needs))
            counts.update(list(fitting)[:1])
    shape, count = counts.most_common(1)[0] if rows else ("", 0)
    if count:
        return shape
    if not seen:
        raise InputError(f"{name} holds no row with named columns; expected one of: {'; '.join(SHAPES)}")
    names = ", ".join(column for column, _ in seen.most_common(8))
    raise InputError(
        f"{name} has the columns {names}; name the prompt and response columns or use: {'; '.join(SHAPES)}"
    )


def _examples(row: dict[str, Any] | str, shape: Shape, default_id: str) -> list[Example]:
    if isinstance(row, str):
        raise BadRow(row)
    missing = [column for column in shape.needs if column not in row]
    if missing:
        raise BadRow(f"lacks the column {', '.join(missing)} that the other rows have")
    id_ = str(row.get("id") or default_id)
    turns = shape.read(row)
    if len(turns) == 1:
        return [_example(turns[0], row, id_, "")]
    return [_example(turn, row, f"{id_}/{n}", id_) for n, turn in enumerate(turns, start=1)]


def _example(turns: Turns, row: Mapping[str, Any], id_: str, conversation: str) -> Example:
    passages, question = _lift_context(turns.prompt)
    return Example(
        prompt=question,
        response=turns.response,
        id=id_,
        rejected=turns.rejected,
        context=passages or _texts(row, "context"),
        evidence=_texts(row, "evidence"),
        system=turns.system or _optional(row, "system"),
        history=turns.history or _history(row),
        slice=_optional(row, "slice") or "",
        group=_optional(row, "group") or conversation,
    )


def _once(examples: list[Example], seen: dict[str, int], number: int) -> None:
    for example in examples:
        if example.id in seen:
            raise BadRow(f'repeats the id "{example.id}" of row {seen[example.id]}')
    seen.update({example.id: number for example in examples})


def _lift_context(prompt: str) -> tuple[tuple[str, ...], str]:
    """Passages of a literal <context> block anywhere in the prompt, and the question around it."""
    match = CONTEXT.search(prompt)
    if not match:
        if "<context>" in prompt or "</context>" in prompt:
            raise BadRow("opens or closes a <context> block without its other half")
        return (), prompt.strip()
    passages, after = split_context(prompt[match.start() :])
    question = f"{prompt[: match.start()]}\n{after}".strip()
    if not question:
        raise BadRow("has a <context> block but no question beside it")
    return passages, question


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row[column]
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadRow(f"has an empty {column}")
    if not isinstance(value, str):
        raise BadRow(f"has {kind(value)} as {column}; write it as text in quotes")
    return _clean(value, column)


def _clean(text: str, column: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise BadRow(f"has {len(text):,} characters in {column}; at most {MAX_CHARACTERS:,} are taken")
    if "\ufffd" in text:
        raise BadRow(f"has bytes in {column} that are not UTF-8; save the file as UTF-8")
    if "\x00" in text:
        raise BadRow(f"has a NUL character in {column}; the file is binary or damaged there")
    return text.strip()


def _answer(row: Mapping[str, Any], column: str) -> str:
    """An answer is learned word for word, so it must not hold the markers that end a turn."""
    text = _text(row, column)
    if marker := MARKERS.search(text):
        raise BadRow(f"has the chat marker {marker.group()} in {column}; remove it")
    return text


def _optional(row: Mapping[str, Any], column: str) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadRow(f"has {kind(value)} as {column}; write it as text")
    return _clean(str(value), column) or None


def _texts(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """A list of texts, or one text; in CSV a cell with a JSON list."""
    value = row.get(column)
    items = [value] if isinstance(value, str) else value or []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise BadRow(f"has something in {column} that is not a text or a list of texts")
    return tuple(_clean(item, column) for item in items if item.strip())


def _history(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Earlier turns as this app stores them: a list of [user, assistant] pairs."""
    pairs = row.get("history") or []
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise BadRow("has something in history that is not a list of [user, assistant] pairs")
    return tuple((_clean(str(user), "history"), _clean(str(answer), "history")) for user, answer in pairs)


def _from_pair(prompt: str, response: str) -> Callable[[Mapping[str, Any]], list[Turns]]:
    return lambda row: [Turns(_text(row, prompt), _answer(row, response))]


def _from_instruction(row: Mapping[str, Any]) -> list[Turns]:
    """Alpaca's columns: input, where there is one, is what the instruction is about and follows it."""
    given = _optional(row, "input")
    instruction = _text(row, "instruction")
    return [Turns(f"{instruction}\n\n{given}" if given else instruction, _answer(row, "output"))]


def _from_preference(row: Mapping[str, Any]) -> list[Turns]:
    chosen, rejected = (_answer(_last_turn(row, column), column) for column in ("chosen", "rejected"))
    if chosen == rejected:
        raise BadRow("has the same text as chosen and rejected; a pair needs a better and a worse answer")
    if not isinstance(row["prompt"], list):
        return [Turns(_text(row, "prompt"), chosen, rejected)]
    turns = _conversation([*row["prompt"], {"role": "assistant", "content": chosen}])[-1]
    return [Turns(turns.prompt, chosen, rejected, turns.system, turns.history)]


def _last_turn(row: Mapping[str, Any], column: str) -> Mapping[str, Any]:
    """chosen and rejected may be message lists, as in trl's conversational form: their last turn is the answer."""
    value = row[column]
    return {column: _role(value[-1])[1]} if isinstance(value, list) and value else row


def _from_messages(row: Mapping[str, Any]) -> list[Turns]:
    if not isinstance(row["messages"], list) or not row["messages"]:
        raise BadRow("has messages that are not a list of turns")
    return _conversation(row["messages"])


def _conversation(messages: list[Any]) -> list[Turns]:
    """One Turns per assistant turn, so that every answer of a conversation is learned, each with what came before."""
    turns = [_role(message) for message in messages]
    system = turns.pop(0)[1] if turns and turns[0][0] == "system" else None
    if [role for role, _ in turns] != ["user", "assistant"] * (len(turns) // 2) or not turns:
        raise BadRow("has messages that do not alternate user, assistant and end with the assistant")
    pairs = [
        (_text({"message": user}, "message"), _answer({"message": assistant}, "message"))
        for (_, user), (_, assistant) in zip(turns[::2], turns[1::2], strict=True)
    ]
    return [Turns(user, answer, None, system, tuple(pairs[:n])) for n, (user, answer) in enumerate(pairs)]


def _role(message: Any) -> tuple[str, Any]:
    if not isinstance(message, dict):
        raise BadRow("has a message that is not an object with role and content")
    role = {"human": "user", "gpt": "assistant"}.get(str(message.get("from")), message.get("role"))
    if role not in {"system", "user", "assistant"}:
        raise BadRow(f'has a message with the role "{role}"; known are system, user and assistant')
    content = message.get("content", message.get("value"))
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        content = "".join(str(part["text"]) for part in content)
    return str(role), content


SHAPES = {
    "prompt/chosen/rejected": Shape(
        ("prompt", "chosen", "rejected"),
        _from_preference,
        '{"prompt": "Can I cancel?", "chosen": "Yes, until the evening before.", "rejected": "Read the terms."}',
    ),
    "messages": Shape(
        ("messages",),
        _from_messages,
        '{"messages": [{"role": "user", "content": "Can I cancel?"}, {"role": "assistant", "content": "Yes."}]}',
    ),
    "instruction/input/output": Shape(
        ("instruction", "output"),
        _from_instruction,
        '{"instruction": "Answer the customer.", "input": "Can I cancel?", "output": "Yes, until the evening before."}',
    ),
    "prompt/response": Shape(
        ("prompt", "response"),
        _from_pair("prompt", "response"),
        '{"prompt": "Can I cancel?", "response": "Yes.", "evidence": ["cancelling.md"], "slice": "bookings"}',
    ),
    "question/answer": Shape(
        ("question", "answer"),
        _from_pair("question", "answer"),
        '{"question": "Can I cancel?", "answer": "Yes, until the evening before."}',
    ),
}
