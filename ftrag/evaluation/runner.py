"""Every question under every arm: answers are appended batch by batch, so that a killed run resumes where it was.

All arms share the prompt template, the decoding and one retrieval per question. A batch holds one arm, so that the
arms' latencies compare; its rows have prompts of similar length.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ftrag.errors import EvaluationBlocked, InputError
from ftrag.evaluation import alone, trust
from ftrag.evaluation.arms import ARMS
from ftrag.evaluation.asking import Said, answered, percentile
from ftrag.evaluation.plan import Asked, Oracle, check, plan
from ftrag.evaluation.scorer import Scorer, scorer
from ftrag.project import append_jsonl, read_jsonl
from ftrag.types import Example, Generation, Gold, LanguageModel, Retriever

Progress = Callable[[float, str], None]
UNCHECKED = scorer()  # without a project's checks and its embeddings
DECODED = 200  # characters of prompt that cost as much time as one token of answer, roughly; for the estimate alone


def _quiet(fraction: float, message: str) -> None:
    """Progress that nobody watches."""


def run(
    folder: Path,
    gold: Sequence[Gold],
    arms: Sequence[str],
    llm: LanguageModel,
    retriever: Retriever | None,
    *,
    adapter: str | None = None,
    oracle: Oracle | None = None,
    few_shot: Sequence[Example] = (),
    k: int = 3,
    **how: Any,
) -> Iterator[dict[str, Any]]:
    """Every question under every arm: planned, then answered. how: the named arguments of answer_all."""
    told = how.get("on_progress", _quiet)
    asked = planned(gold, arms, retriever, adapter=adapter, oracle=oracle, few_shot=few_shot, k=k, on_progress=told)
    yield from answer_all(folder, asked, llm, **how)


def planned(
    gold: Sequence[Gold],
    arms: Sequence[str],
    retriever: Retriever | None,
    *,
    adapter: str | None = None,
    oracle: Oracle | None = None,
    few_shot: Sequence[Example] = (),
    k: int = 3,
    on_progress: Progress = _quiet,
) -> list[Asked]:
    """Every prompt of the run, searched and checked.

    Raises InputError for an unknown arm, a LoRA arm without an adapter or a retrieval arm without a retriever, and
    EvaluationBlocked for unequal templates.
    """
    check(arms, adapter, retriever, oracle, few_shot, gold)
    on_progress(0.0, f"searching passages for {len(gold)} questions")
    asked = plan(gold, arms, retriever, adapter, oracle, few_shot, k)
    trust.same_templates({(row.gold.id, row.arm): row.prompt.messages for row in asked})
    return asked


def answer_all(
    folder: Path,
    asked: Sequence[Asked],
    llm: LanguageModel,
    *,
    settings: Generation | None = None,
    score: Scorer = UNCHECKED,
    batch_size: int = 16,
    later: float = 0.0,
    on_progress: Progress = _quiet,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[dict[str, Any]]:
    """Yield every row of the run, those of an earlier try in folder/answers.jsonl first, then new ones as they come.

    A row: {id, arm, slice, answer, content, behaviour, scores, why, tokens, first_token_s, seconds, done, sources,
    retrieved, prompt, prompt_chars}. When should_stop says so the batch in hand is dropped and the rows end. The
    first message with an estimate of the whole time comes after the first batch. later: the cost, in units of
    `cost`, of what the caller does afterwards. Raises EvaluationBlocked for answers in the folder that another setup
    gave.
    """
    limits = settings or Generation()
    path = folder / "answers.jsonl"
    done = _earlier(path, asked, limits)
    yield from done.values()
    batches = _batches([row for row in asked if (row.gold.id, row.arm) not in done], batch_size)
    clock = _Clock(len(asked), len(done), sum(map(cost, batches)) + later, on_progress)
    for batch in batches:
        answers = answered(llm, batch, limits, should_stop)
        if answers is None:
            return
        _check_answers(answers)
        rows = [_row(one, said, limits) | score(one, said) for one, said in zip(batch, answers, strict=True)]
        append_jsonl(path, rows)
        clock.add(batch)
        yield from rows


def summarise(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per arm: shares of right answers, None where nothing could be scored, with n, exclusions, latency and tokens."""
    by_arm: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_arm.setdefault(row["arm"], []).append(row)
    return {arm: _summary(by_arm[arm]) for arm in ARMS if arm in by_arm}


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    content = [row["content"] for row in rows if row["content"] is not None]
    behaved = [row["behaviour"] for row in rows if row["behaviour"] is not None]
    both = [row["content"] and row["behaviour"] for row in rows if None not in (row["content"], row["behaviour"])]
    return {
        "content": _share(content),
        "behaviour": _share(behaved),
        "both": _share(both),
        "n": len(rows),
        "content_n": len(content),
        "behaviour_n": len(behaved),
        "both_n": len(both),
        **alone.latency(rows),
        "batch_p95_s": percentile([row["seconds"] for row in rows], 0.95),
        "tokens": statistics.fmean(row["tokens"] for row in rows),
        "prompt_chars": statistics.fmean(row["prompt_chars"] for row in rows),
    }


def _share(verdicts: Sequence[bool]) -> float | None:
    return sum(verdicts) / len(verdicts) if verdicts else None


def _key(asked: Asked, settings: Generation) -> str:
    """What an answer depends on, as far as the runner knows: messages, adapter and decoding."""
    parts = [list(map(dict, asked.prompt.messages)), asked.prompt.adapter, asdict(settings)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _earlier(path: Path, asked: Sequence[Asked], settings: Generation) -> dict[tuple[str | int, str], dict[str, Any]]:
    """Answers that an earlier try left, once they are known to be answers to these prompts."""
    keys = {(row.gold.id, row.arm): _key(row, settings) for row in asked}
    done = {}
    for row in read_jsonl(path):
        if keys.get((row["id"], row["arm"])) != row["prompt"]:
            raise EvaluationBlocked(
                f"the answer to {row['id']} under {row['arm']} in this run came from another question, prompt, "
                "adapter or setting; start a new run"
            )
        done[row["id"], row["arm"]] = row
    return done


def _batches(asked: Sequence[Asked], size: int) -> list[list[Asked]]:
    """Batches of one arm each, prompts of similar length together, arms in the order given."""
    batches = []
    for arm in dict.fromkeys(row.arm for row in asked):
        rows = sorted((row for row in asked if row.arm == arm), key=lambda row: (row.length, str(row.gold.id)))
        batches += [rows[start : start + size] for start in range(0, len(rows), size)]
    return batches


def cost(batch: Sequence[Asked]) -> float:
    """Relative time of a batch: its padded prompts, and as many decoding steps as any other batch."""
    return len(batch) * max(row.length for row in batch) / DECODED + 40.0


class _Clock:
    """Progress by what the batches so far took."""

    def __init__(self, rows: int, done: int, cost: float, report: Progress) -> None:
        self.rows, self.done, self.report = rows, done, report
        self.left, self.spent, self.start = cost, 0.0, time.perf_counter()

    def add(self, batch: Sequence[Asked]) -> None:
        self.done += len(batch)
        self.spent += cost(batch)
        self.left -= cost(batch)
        seconds = (time.perf_counter() - self.start) / self.spent * max(self.left, 0.0)
        self.report(self.done / self.rows, f"{self.done} of {self.rows} answers, about {_spoken(seconds)} left")


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _check_answers(answers: Sequence[Said]) -> None:
    """One prompt that cannot be read is excluded and counted; a batch of them is a fault to be told."""
    if len(answers) > 1 and all(said.done.startswith("refused: ") for said in answers):
        raise InputError(answers[0].done.removeprefix("refused: "))


def _row(asked: Asked, said: Said, settings: Generation) -> dict[str, Any]:
    return {
        "id": asked.gold.id,
        "arm": asked.arm,
        "slice": asked.gold.slice,
        "answer": said.text,
        "tokens": said.tokens,
        "first_token_s": round(said.first, 4),
        "seconds": round(said.seconds, 4),
        "done": said.done,
        "sources": [
            {"document": chunk.document, "chunk": chunk.index, "start": chunk.start, "end": chunk.end}
            for chunk in asked.passages
        ],
        "retrieved": asked.retrieved,
        "prompt": _key(asked, settings),
        "prompt_chars": asked.length,
    }
