"""Every prompt of ftrag. One `<context>` template, the same at training and at inference and in all arms."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.text import HIDDEN
from ftrag.types import Example

SYSTEM = "You are a helpful assistant."
CONTEXT = re.compile(r"<context>\s*(.*?)\s*</context>\s*", re.DOTALL)
SEPARATOR = "\n\n"
# Text in documents must not open a turn or close the block: the markers of common chat templates lose their brackets.
MARKERS = re.compile(
    r"<\|[^|<>]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|</?context>|<｜[^｜<>]{1,40}｜>",
    re.IGNORECASE,
)


def neutral(passage: str) -> str:
    """A passage that cannot speak for the system: hidden characters removed, template markers without brackets."""
    text = HIDDEN.sub("", passage)
    while (cleaned := MARKERS.sub(lambda match: re.sub(r"[<>|\[\]/｜]", "", match.group()), text)) != text:
        text = cleaned
    return text


def question_block(question: str, context: Sequence[str] = ()) -> str:
    """The user's turn: passages, if any, inside <context>, then the question."""
    if not context:
        return neutral(question)
    passages = SEPARATOR.join(neutral(passage).strip() for passage in context)
    return f"<context>\n{passages}\n</context>\n\n{neutral(question)}"


def split_context(prompt: str) -> tuple[tuple[str, ...], str]:
    """The inverse of question_block: the passages of a literal <context> block, and the question after it."""
    match = CONTEXT.match(prompt.lstrip())
    if not match:
        return (), prompt
    passages = tuple(part.strip() for part in re.split(r"\n\s*\n", match.group(1)) if part.strip())
    return passages, prompt.lstrip()[match.end() :]


def chat(
    question: str,
    context: Sequence[str] = (),
    few_shot: Sequence[Example] = (),
    system: str | None = None,
) -> tuple[Mapping[str, str], ...]:
    """Chat messages of one question; the few_shot examples are shown as earlier turns."""
    messages: list[Mapping[str, str]] = [{"role": "system", "content": neutral(system or SYSTEM)}]
    for example in few_shot:
        asked = question_block(example.prompt, example.context)
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": neutral(example.response)}]
    return (*messages, {"role": "user", "content": question_block(question, context)})


def render(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> str:
    """The text the model continues: the tokenizer's chat template with its generation prompt."""
    return str(
        tokenizer.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    )


def fingerprint() -> str:
    """Hash of everything in this module that shapes a prompt; part of a run's identity."""
    parts = [
        SYSTEM,
        SEPARATOR,
        MARKERS.pattern,
        question_block("q", ["a", "b"]),
        list(map(dict, chat("q", ["a"], [Example("u", "v")]))),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
