"""A conversation in two columns as plain values and as a file: what the page exports and the command `chat` prints."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ftrag import answering, workflows
from ftrag import project as projects
from ftrag.errors import InputError, NotFound

Turn = dict[str, Any]
TITLE = "ftrag"
CONTEXTS = {"none": "without retrieval", "retrieved": "with retrieval", "auto": "router decides"}
NO_CONVERSATION = "there is no conversation to export yet; ask a question first"


def column_name(column: Mapping[str, Any]) -> str:
    """One line that tells a column from another: "base model, with retrieval (k 3)"."""
    who = f"LoRA {column['adapter'][:15]}" if column["adapter"] else "base model"
    return f"{who}, {CONTEXTS[column['context']]}" + (f" (k {column['k']})" if column["context"] != "none" else "")


def speed(said: Mapping[str, Any]) -> float:
    """Tokens per second after the first token; 0 where there is but one."""
    lasted = said["seconds"] - (said["first"] or 0.0)
    return (said["tokens"] - 1) / lasted if lasted > 0 and said["tokens"] > 1 else 0.0


def asked(
    project: Path, questions: Sequence[str], columns: Sequence[Mapping[str, Any]], temperature: float = 0.0
) -> dict[str, Any]:
    """Ask every question in both columns: {project, turns}. temperature: 0 always takes the likeliest token."""
    limits = answering.generation(project, temperature=temperature, seed=secrets.randbelow(2**31))
    names = [column_name(column) for column in columns]
    turns = []
    for question in questions:
        *_, whole = answering.chat(project, question, columns, limits)
        turns.append(turn(question, names, columns, whole))
    return {"project": project.name, "turns": turns}


def column(project: Path, text: str) -> dict[str, Any]:
    """A column as WEIGHTS,CONTEXT[,K]: "none,retrieved,3" is the base model with three passages. InputError else."""
    weights, _, rest = text.partition(",")
    context, _, k = rest.partition(",")
    if context not in CONTEXTS or not (k == "" or k.isdigit() and 1 <= int(k) <= 20):
        raise InputError(f"a column is WEIGHTS,CONTEXT[,K], such as none,retrieved,3, not {text!r}")
    chosen = workflows.choose_adapter(project, None if weights == "newest" else weights)
    return {"adapter": chosen, "context": context, "k": int(k or workflows.setting(project, "k"))}


def turn(
    question: str,
    names: Sequence[str],
    columns: Sequence[Mapping[str, Any]],
    state: Sequence[Mapping[str, Any]],
    blind: bool = False,
) -> Turn:
    """One question with both answers, in plain values; blind: not to be told apart yet."""
    rows = zip(names, columns, state, strict=True)
    return {"question": question, "blind": blind, "answers": [_answer(*row) for row in rows]}


def _answer(name: str, column: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "column": name,
        "adapter": column["adapter"],
        "context": column["context"],
        "k": column["k"],
        "text": said["text"].strip(),
        "tokens": said["tokens"],
        "first_token_seconds": None if said["first"] is None else round(said["first"], 3),
        "tokens_per_second": round(speed(said), 1),
        "passages": [{"document": row["document"], "start": row["start"]} for row in said["passages"]],
        "sources": [
            {key: row[key] for key in ("document", "chunk", "start", "end", "quote")}
            for row in said["sources"]
            if row["supports"]
        ],
        "sentences": _moved(said["sentences"], len(said["text"]) - len(said["text"].lstrip())),
    }


def _moved(sentences: Sequence[Mapping[str, Any]], by: int) -> list[dict[str, Any]]:
    """Sentences with their offsets into a text whose first characters were cut off."""
    return [{**row, "start": row["start"] - by, "end": row["end"] - by} for row in sentences]


def written(turns: Sequence[Mapping[str, Any]], project: str, form: str) -> str:
    """The conversation as Markdown or JSON. InputError when there is none."""
    if not turns:
        raise InputError(NO_CONVERSATION)
    shown = [_undecided(one) if one["blind"] else one for one in turns]
    if form == "json":
        return json.dumps({"project": project, "turns": shown}, ensure_ascii=False, indent=1) + "\n"
    return f"# {TITLE}: {project}\n" + "".join(_markdown(one) for one in shown)


def _undecided(one: Mapping[str, Any]) -> Turn:
    """A blind turn before its vote: the answers, and nothing that tells them apart."""
    answers = [
        {"column": place, "text": answer["text"], "sources": []}
        for place, answer in zip(("left", "right"), one["answers"], strict=True)
    ]
    return {"question": one["question"], "blind": True, "answers": answers}


def _markdown(one: Mapping[str, Any]) -> str:
    answers = "".join(
        f"\n**{answer['column']}**{_took(answer)}\n\n{_quoted(answer['text'])}\n"
        + "".join(f"\n- {_source(row)}" for row in answer["sources"])
        + "\n"
        for answer in one["answers"]
    )
    vote = f"\nVote: {one['vote']}\n" if one.get("vote") else ""
    return f"\n## {_line(one['question'])}\n{answers}{vote}"


def _took(answer: Mapping[str, Any]) -> str:
    if "tokens" not in answer:
        return ""
    return f" ({answer['tokens']} tokens, {answer['tokens_per_second']:g} tokens/s)"


def _quoted(text: str) -> str:
    """As a code block: what a model wrote is shown, never rendered."""
    fence = "```" if "```" not in text else "~~~~"
    return f"{fence}text\n{text}\n{fence}"


def _source(row: Mapping[str, Any]) -> str:
    where = f"characters {row['start']}–{row['end']}"
    return f"`{_line(row['document'])}`, {where}: {_line(row['quote'])[:200]}"


def _line(text: str) -> str:
    """On one line, with Markdown's and HTML's own signs out of the way."""
    return escape(" ".join(text.split()), quote=False).replace("`", "'").replace("[", "\\[")


def last_turn(file: Path) -> Turn:
    """The last turn of an exported conversation. InputError where the file holds none."""
    try:
        turns = projects.read_json(file)["turns"]
        sides = [{key: str(side[key]) for key in ("column", "text")} for side in turns[-1]["answers"]]
        question = str(turns[-1]["question"])
    except (InputError, NotFound, LookupError, TypeError, ValueError):
        raise InputError(f"{file} holds no conversation; write one with: chat PROJECT 'QUESTION' --json") from None
    if len(sides) != 2:
        raise InputError(f"the last turn of {file} has {len(sides)} answers; a vote is between two")
    return {"question": question, "answers": sides}
