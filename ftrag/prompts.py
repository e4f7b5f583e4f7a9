"""Every prompt of ftrag. One `<context>` template, the same at training and at inference and in all arms."""

from __future__ import annotations

import functools
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
_LOOSE = re.compile(r"<\s*/?\s*context\s*/?\s*>", re.IGNORECASE)  # the block's own tags, however they are spaced
_OPENING = re.compile(f"{MARKERS.pattern}|{_LOOSE.pattern}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def neutral(passage: str) -> str:
    """A passage that cannot speak for the system: hidden characters removed, template markers without brackets."""
    return _bared(_CONTROL.sub("", HIDDEN.sub("", passage)), _OPENING)


def _bared(text: str, pattern: re.Pattern[str]) -> str:
    """Until nothing matches: what is left of one marker may be another."""
    while (cleaned := pattern.sub(_bare, text)) != text:
        text = cleaned
    return text


def _bare(match: re.Match[str]) -> str:
    return _without_brackets(match.group())


def _without_brackets(text: str) -> str:
    return re.sub(r"[<>|\[\]/｜]", "", text)


def spoken(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Messages in which no text is one of the tokenizer's special tokens ("<file_sep>"): they lose their brackets."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    special = _special(tuple(token.content for token in added if token.special))
    if special is None:
        return [dict(message) for message in messages]
    return [{**message, "content": _bared(message["content"], special)} for message in messages]


@functools.lru_cache(maxsize=16)
def _special(tokens: tuple[str, ...]) -> re.Pattern[str] | None:
    bracketed = [re.escape(token) for token in tokens if _without_brackets(token) != token]
    return re.compile("|".join(sorted(bracketed, key=len, reverse=True))) if bracketed else None


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
            spoken(tokenizer, messages), tokenize=False, add_generation_prompt=True, enable_thinking=False
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
