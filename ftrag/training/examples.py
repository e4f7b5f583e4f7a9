"""Training files in every shape people have -> Example rows, and the reason for each row that is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ftrag.errors import InputError
from ftrag.prompts import CONTEXT, split_context
from ftrag.training import cells
from ftrag.training.cells import BadRow
from ftrag.training.conversations import Turns, conversation, messages, parted, role
from ftrag.training.files import as_list, read_rows
from ftrag.types import Example

OPTIONAL = ("id", "system", "context", "evidence", "slice", "group")
ALIASES = {"completion": "response", "conversations": "messages"}


@dataclass(frozen=True)
class Shape:
    needs: tuple[str, ...]  # columns
    read: Callable[[Mapping[str, Any]], list[Turns]]
    template: str  # one row, for the download


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
        rows = [(number, _rename(row, columns or {})) for number, row in read_rows(path, lists=False)]
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
        first = f": row {rows[0][0]} {rows[0][1]}" if rows else ""
        raise InputError(f"{name} holds no row with named columns{first}; expected one of: {'; '.join(SHAPES)}")
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
    id_ = default_id if row.get("id") in (None, "") else cells.clean(str(row["id"]), "id")
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
        context=passages or cells.texts(row, "context"),
        evidence=cells.texts(row, "evidence"),
        system=turns.system or cells.optional(row, "system"),
        history=turns.history or _history(row),
        slice=cells.optional(row, "slice") or "",
        group=cells.optional(row, "group") or conversation,
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


def _history(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Earlier turns as this app stores them: a list of [user, assistant] pairs."""
    pairs = as_list(row.get("history")) or []
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise BadRow("has something in history that is not a list of [user, assistant] pairs")
    return tuple((cells.clean(str(user), "history"), cells.clean(str(answer), "history")) for user, answer in pairs)


def _from_pair(prompt: str, response: str) -> Callable[[Mapping[str, Any]], list[Turns]]:
    return lambda row: [_asked(row, prompt, _last_turn(row, response))]


def _asked(row: Mapping[str, Any], prompt: str, answer: str, rejected: str | None = None) -> Turns:
    """The prompt is one text, or the messages before the answer, as in trl's conversational form."""
    before = messages(row[prompt])
    if before is None:
        return Turns(cells.text(row, prompt), answer, rejected)
    turns = conversation([*before, {"role": "assistant", "content": answer}])[-1]
    return replace(turns, rejected=rejected)


def _from_instruction(row: Mapping[str, Any]) -> list[Turns]:
    """Alpaca's columns: input, where there is one, is what the instruction is about and follows it."""
    given = cells.optional(row, "input")
    instruction = cells.text(row, "instruction")
    return [Turns(f"{instruction}\n\n{given}" if given else instruction, cells.answer(row, "output"))]


def _from_preference(row: Mapping[str, Any]) -> list[Turns]:
    chosen, rejected = (_last_turn(row, column) for column in ("chosen", "rejected"))
    return [_asked(row, "prompt", *_different(chosen, rejected))]


def _from_implicit(row: Mapping[str, Any]) -> list[Turns]:
    """A pair whose prompt is what both conversations share."""
    before, *ends = parted(row)
    chosen, rejected = (cells.answer({name: end}, name) for name, end in zip(("chosen", "rejected"), ends, strict=True))
    return [_asked({"prompt": before}, "prompt", *_different(chosen, rejected))]


def _different(chosen: str, rejected: str) -> tuple[str, str]:
    if chosen == rejected:
        raise BadRow("has the same text as chosen and rejected; a pair needs a better and a worse answer")
    return chosen, rejected


def _last_turn(row: Mapping[str, Any], column: str) -> str:
    """An answer, which may be a list of messages, as in trl's conversational form: their last turn is the answer."""
    turns = messages(row[column])
    return cells.answer({column: role(turns[-1])[1]} if turns else row, column)


def _from_messages(row: Mapping[str, Any]) -> list[Turns]:
    turns = as_list(row["messages"])
    if not isinstance(turns, list) or not turns:
        raise BadRow("has messages that are not a list of turns")
    return conversation(turns)


SHAPES = {
    "prompt/chosen/rejected": Shape(
        ("prompt", "chosen", "rejected"),
        _from_preference,
        '{"prompt": "Can I cancel?", "chosen": "Yes, until the evening before.", "rejected": "Read the terms."}',
    ),
    "chosen/rejected": Shape(
        ("chosen", "rejected"),
        _from_implicit,
        '{"chosen": [{"role": "user", "content": "Can I cancel?"}, {"role": "assistant", "content": "Yes."}], '
        '"rejected": [{"role": "user", "content": "Can I cancel?"}, {"role": "assistant", "content": "Who knows."}]}',
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
