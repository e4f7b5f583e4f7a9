"""One batch of questions answered, with what each answer took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ftrag.errors import InputError
from ftrag.evaluation.plan import Asked
from ftrag.types import Generation, LanguageModel, Prompt


@dataclass(frozen=True)
class Said:
    text: str
    tokens: int
    first: float  # seconds to the first token, the search included
    seconds: float  # in all, the search included
    done: str  # "stop", "length", "time", or "refused: why" where the prompt could not be read


def answered(
    llm: LanguageModel, batch: Sequence[Asked], settings: Generation, should_stop: Callable[[], bool]
) -> list[Said] | None:
    """One answer per row, in order, the time of its search included; None when it was stopped."""
    answers = _answer(llm, [row.prompt for row in batch], settings, should_stop)
    return None if answers is None else _with_search(batch, answers)


def _answer(
    llm: LanguageModel, asked: Sequence[Prompt], settings: Generation, should_stop: Callable[[], bool]
) -> list[Said] | None:
    """One batch; None when it was stopped. A batch with a prompt that is too long is asked row by row."""
    try:
        return _stream(llm, asked, settings, should_stop)
    except InputError as error:
        if len(asked) == 1:
            return [Said("", 0, 0.0, 0.0, f"refused: {error}")]
    answers: list[Said] = []
    for prompt in asked:
        one = _answer(llm, [prompt], settings, should_stop)
        if one is None:
            return None
        answers += one
    return answers


def _stream(
    llm: LanguageModel, asked: Sequence[Prompt], settings: Generation, should_stop: Callable[[], bool]
) -> list[Said] | None:
    start = time.perf_counter()
    said = [Said("", 0, 0.0, 0.0, "")] * len(asked)
    for deltas in llm.stream(asked, settings):
        if should_stop():
            return None
        now = time.perf_counter() - start
        for delta in deltas:
            before = said[delta.row]
            said[delta.row] = Said(before.text + delta.text, delta.tokens, before.first or now, now, delta.done)
    return None if should_stop() else said


def _with_search(batch: Sequence[Asked], answers: Sequence[Said]) -> list[Said]:
    return [
        Said(
            said.text.strip(),
            said.tokens,
            said.first + one.search_seconds,
            said.seconds + one.search_seconds,
            said.done,
        )
        for one, said in zip(batch, answers, strict=True)
    ]


def percentile(numbers: Sequence[float], share: float) -> float:
    """The smallest number that at least this share of the numbers does not exceed (nearest rank)."""
    ranked = sorted(numbers)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]
