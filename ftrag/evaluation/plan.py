"""What will be asked: every question under every arm, with its passages and its prompt, before the model is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ftrag import prompts
from ftrag.errors import InputError
from ftrag.evaluation.arms import ARMS
from ftrag.evaluation.grounding import is_retrieved
from ftrag.evaluation.refusals import declines
from ftrag.types import Chunk, Example, Gold, Hit, Prompt, Retriever

Oracle = Callable[[Gold], list[str]]  # a question's gold passages


@dataclass(frozen=True)
class Asked:
    """One question under one arm, before it is answered."""

    gold: Gold
    arm: str
    prompt: Prompt
    passages: tuple[Chunk, ...] = ()
    search_seconds: float = 0.0
    retrieved: bool | None = None  # whether the evidence is among the passages; None where there is no evidence
    length: int = 0  # characters of the prompt


def check(
    arms: Sequence[str],
    adapter: str | None,
    retriever: Retriever | None,
    oracle: Oracle | None,
    few_shot: Sequence[Example],
    gold: Sequence[Gold],
) -> None:
    """Raises InputError for an arm that cannot be run, with what it lacks."""
    if not gold:
        raise InputError("there are no gold questions to ask; add some first")
    for arm in arms:
        if arm not in ARMS:
            raise InputError(f"there is no arm {arm!r}; choose from {', '.join(ARMS)}")
        if ARMS[arm].adapter and adapter is None:
            raise InputError(f"the arm {arm!r} needs a LoRA and there is none; train one, or leave the arm out")
        if ARMS[arm].context == "retrieved" and retriever is None:
            raise InputError(
                f"the arm {arm!r} needs an index and there is none; ingest documents, or leave the arm out"
            )
        if ARMS[arm].context == "oracle" and oracle is None:
            raise InputError(f"the arm {arm!r} needs gold evidence; add it to the gold rows, or leave the arm out")
        if ARMS[arm].few_shot and not few_shot:
            raise InputError(f"the arm {arm!r} needs training examples to show; add some, or leave the arm out")
    if len(set(arms)) != len(arms) or not arms:
        raise InputError("name at least one arm, and each arm once")


def plan(
    gold: Sequence[Gold],
    arms: Sequence[str],
    retriever: Retriever | None,
    adapter: str | None,
    oracle: Oracle | None,
    few_shot: Sequence[Example],
    k: int,
) -> list[Asked]:
    """Every prompt of the run; one search per question, shared by the arms that retrieve."""
    searches = any(ARMS[arm].context == "retrieved" for arm in arms)
    planned = []
    for row in gold:
        start = time.perf_counter()
        hits = retriever.search(row.question, k) if retriever and searches else []
        seconds = time.perf_counter() - start
        for arm in arms:
            planned.append(_asked(row, arm, hits, seconds, adapter, oracle, few_shot))
    return planned


def _asked(
    gold: Gold,
    arm: str,
    hits: Sequence[Hit],
    seconds: float,
    adapter: str | None,
    oracle: Oracle | None,
    few_shot: Sequence[Example],
) -> Asked:
    setup = ARMS[arm]
    passages: tuple[Chunk, ...] = ()
    if setup.context == "retrieved":
        passages = tuple(hit.chunk for hit in hits)
    elif setup.context == "oracle" and oracle:
        passages = _oracle_passages(gold, oracle(gold))
    messages = prompts.chat(gold.question, [chunk.text for chunk in passages], few_shot if setup.few_shot else ())
    return Asked(
        gold,
        arm,
        Prompt(messages, adapter if setup.adapter else None),
        passages,
        seconds if setup.context == "retrieved" else 0.0,
        is_retrieved(gold.evidence, passages) if setup.context == "retrieved" else None,
        sum(len(message["content"]) for message in messages),
    )


def _oracle_passages(gold: Gold, texts: Sequence[str]) -> tuple[Chunk, ...]:
    """Gold passages as chunks; one that is a whole document keeps its name."""
    named = dict(zip(texts, gold.evidence, strict=False)) if len(texts) == len(gold.evidence) else {}
    names = ["gold evidence" if named.get(text, text) == text else named[text] for text in texts]
    return tuple(Chunk(name, i, text, 0, len(text)) for i, (name, text) in enumerate(zip(names, texts, strict=True)))


def pick_few_shot(examples: Sequence[Example], n: int = 4) -> list[Example]:
    """Shots for the prompt arms: different slices, with and without passages in turn, a refusal last if any.

    The same examples give the same shots, whatever their order.
    """
    usable = [row for row in examples if row.response.strip() and not row.history]
    ranked = sorted(usable, key=lambda row: (_shot_length(row), row.id, row.prompt))
    refusals = [row for row in ranked if declines(row.response)][: min(1, n - 1)]
    shots: list[Example] = []
    left = [row for row in ranked if not declines(row.response)]
    while left and len(shots) < n - len(refusals):
        taken = {row.slice for row in shots}
        wanted = [row for row in left if bool(row.context) == bool(len(shots) % 2)] or left
        shots.append(next((row for row in wanted if row.slice not in taken), wanted[0]))
        left.remove(shots[-1])
    return shots + refusals


def _shot_length(row: Example) -> int:
    """Distance from a plain length in steps of 100 characters, so that neither the tersest nor the longest is shown."""
    return abs(len(row.prompt) + len(row.response) + sum(map(len, row.context)) - 300) // 100
