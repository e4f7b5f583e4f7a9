"""What a training set holds, before anybody presses Train: sizes, copies, conflicts, and overlap that blocks."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftrag.text import words
from ftrag.training.overlap import near_across, near_pairs
from ftrag.types import Document, Example, Gold

LEAK_WORDS = 5  # a gold question this long found word for word in a document is not chance


@dataclass(frozen=True)
class Threshold:
    rows: int  # from this many on
    verdict: str
    source: str


SUFFICIENCY = (
    Threshold(0, "too few to rely on", "decision guide 001: under 100 examples retrieve instead; 100 is the minimum"),
    Threshold(
        100,
        "enough to try",
        "decision guide 001: 100 is the absolute minimum for LoRA; this app's prototype worked with 104",
    ),
    Threshold(
        500,
        "reliable",
        "decision guide 001: 500 for reliable results; guide 004: fewer usually hurt more than they help",
    ),
    Threshold(1000, "plenty", "decision guide 001: above 1,000 even full fine-tuning is possible"),
)


def inspect(
    examples: Sequence[Example],
    gold: Sequence[Gold],
    documents: Sequence[Document],
    count_tokens: Callable[[Sequence[Example]], list[tuple[int, int]]] | None = None,
    max_tokens: int = 2048,
) -> dict[str, Any]:
    """The report of a training set. count_tokens gives (all, learned) tokens of each row as it will be trained.

    encode.counter makes one; without it sizes are in words, which `unit` says, and no row counts as too long.

    Rows are named by Example.id. `blocked` holds one sentence per reason why this set must not be trained on.
    """
    alike = _alike(examples)
    copies = _copies(alike)
    counts = count_tokens(examples) if count_tokens else [_count_words(example) for example in examples]
    overlap = gold_overlap(examples, gold)
    return {
        "rows": len(examples),
        "first": [_parsed(example) for example in examples[:3]],
        "unit": "tokens" if count_tokens else "words",
        "tokens": _sizes(counts),
        "histogram": histogram([total for total, _ in counts]),
        "too_long": [
            row.id for row, (total, _) in zip(examples, counts, strict=True) if count_tokens and total > max_tokens
        ],
        "duplicates": copies,
        "near_duplicates": _near(examples, copies),
        "conflicts": _opposed(alike),
        "gold_overlap": overlap,
        "leaks": answer_key_leaks(gold, documents),
        "evidence_shared": evidence_shared(examples, gold),
        "sufficiency": sufficiency(examples),
        "blocked": _blocked(examples, overlap),
    }


def _parsed(example: Example) -> dict[str, Any]:
    fields = ("id", "prompt", "response", "rejected", "context", "evidence", "system", "slice", "group")
    values = {field: getattr(example, field) for field in fields}
    return {field: list(value) if isinstance(value, tuple) else value for field, value in values.items() if value}


def _count_words(example: Example) -> tuple[int, int]:
    learned = len(words(example.response))
    return learned + sum(len(words(text)) for text in (example.prompt, *example.context)), learned


def _sizes(counts: Sequence[tuple[int, int]]) -> dict[str, int]:
    totals = sorted(total for total, _ in counts)
    return {
        "total": sum(totals),
        "learned": sum(learned for _, learned in counts),
        "median": totals[len(totals) // 2] if totals else 0,
        "longest": totals[-1] if totals else 0,
    }


def histogram(lengths: Sequence[int], bins: int = 12) -> list[dict[str, int]]:
    """Rows by length in tokens, in equal steps rounded up to a multiple of 16; [] without rows."""
    if not lengths:
        return []
    step = max(16, -(-(max(lengths) + 1) // bins // 16) * 16)
    edges = range(0, max(lengths) + 1, step)
    return [{"low": low, "high": low + step, "rows": sum(low <= n < low + step for n in lengths)} for low in edges]


def _said(example: Example, spoken: Callable[[str], str]) -> tuple[str, ...]:
    """What the model sees before it answers, without case and punctuation."""
    seen = (example.system or "", *(text for turn in example.history for text in turn), *example.context)
    return (*map(spoken, seen), spoken(example.prompt))


def _cached() -> Callable[[str], str]:
    """Words without case and punctuation; systems and passages are the same in many rows."""
    return functools.lru_cache(maxsize=10_000)(lambda text: " ".join(words(text)))


def _alike(examples: Sequence[Example]) -> list[list[Example]]:
    spoken = _cached()
    rows: defaultdict[tuple[str, ...], list[Example]] = defaultdict(list)
    for example in examples:
        rows[_said(example, spoken)].append(example)
    return [group for group in rows.values() if len(group) > 1]


def duplicates(examples: Sequence[Example]) -> list[list[str]]:
    """Ids of rows that ask the same and answer the same, in groups."""
    return _copies(_alike(examples))


def _copies(alike: Sequence[Sequence[Example]]) -> list[list[str]]:
    found = []
    for group in alike:
        answers: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for example in group:
            answers[tuple(words(example.response))].append(example.id)
        found += [ids for ids in answers.values() if len(ids) > 1]
    return found


def conflicts(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Rows that ask the same in the same context and answer differently; preference pairs only if they contradict."""
    return _opposed(_alike(examples))


def _opposed(alike: Sequence[Sequence[Example]]) -> list[dict[str, Any]]:
    found = []
    for group in alike:
        chosen = {tuple(words(example.response)) for example in group}
        rejected = {tuple(words(example.rejected)) for example in group if example.rejected}
        if (len(chosen) > 1 and not rejected) or chosen & rejected:
            found.append({"ids": [row.id for row in group], "answers": sorted({row.response for row in group})})
    return found


def near_duplicates(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Rows whose prompt and answer together share most of their words with an earlier row, beside the nearest one.

    Without the exact copies. One pair a row, so that their number is the number of rows that say little new.
    """
    return _near(examples, duplicates(examples))


def _near(examples: Sequence[Example], groups: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    copies = {id_ for ids in groups for id_ in ids[1:]}
    rows = [example for example in examples if example.id not in copies]
    pairs = near_pairs([f"{example.prompt}\n{example.response}" for example in rows])
    nearest: dict[int, tuple[float, int]] = {}
    for i, j, similarity in pairs:
        nearest[j] = max(nearest.get(j, (0.0, 0)), (similarity, -i))
    return [
        {"ids": [rows[-place].id, rows[j].id], "similarity": round(similarity, 3)}
        for j, (similarity, place) in sorted(nearest.items())
    ]


def gold_overlap(examples: Sequence[Example], gold: Sequence[Gold]) -> list[dict[str, Any]]:
    """Training questions, earlier turns included, that are gold questions: kind exact (same words) or near."""
    asked = [(example.id, text) for example in examples for text in (example.prompt, *(u for u, _ in example.history))]
    pairs = near_across([text for _, text in asked], [row.question for row in gold])
    found = []
    for i, j, similarity in pairs:
        same = words(asked[i][1]) == words(gold[j].question)
        kind = "exact" if same else "near"
        found.append({"id": asked[i][0], "gold": gold[j].id, "kind": kind, "similarity": round(similarity, 3)})
    return found


def answer_key_leaks(gold: Sequence[Gold], documents: Sequence[Document]) -> list[dict[str, Any]]:
    """Gold questions that stand word for word in a document: with the answer key indexed, any retrieval looks right."""
    openings: defaultdict[tuple[str, ...], list[tuple[int, list[str]]]] = defaultdict(list)
    for place, row in enumerate(gold):
        asked = words(row.question)
        if len(asked) >= LEAK_WORDS:
            openings[tuple(asked[:LEAK_WORDS])].append((place, asked))
    found = {
        (place, number)
        for number, document in enumerate(documents if openings else ())
        for place in _asked_in(words(document.text), openings)
    }
    return [{"document": documents[number].name, "gold": gold[place].id} for place, number in sorted(found)]


def _asked_in(text: list[str], openings: Mapping[tuple[str, ...], list[tuple[int, list[str]]]]) -> Iterator[int]:
    """Places of the questions that stand in a text, found by their first LEAK_WORDS words."""
    for start, first in enumerate(zip(*(text[n:] for n in range(LEAK_WORDS)), strict=False)):
        for place, asked in openings.get(first, ()):
            if text[start : start + len(asked)] == asked:
                yield place


def evidence_shared(examples: Sequence[Example], gold: Sequence[Gold]) -> list[str]:
    """Evidence named by training and gold rows alike: such a gold row may ask for facts that were trained."""
    trained = {entry for example in examples for entry in example.evidence}
    return sorted(trained & {entry for row in gold for entry in row.evidence})


def sufficiency(examples: Sequence[Example]) -> dict[str, Any]:
    """How far this many different rows go, with the source of every threshold. Measured lift overrides it."""
    spoken = _cached()
    different = len({(_said(example, spoken), example.response) for example in examples})
    reached = [threshold for threshold in SUFFICIENCY if different >= threshold.rows][-1]
    return {
        "rows": different,
        "verdict": reached.verdict,
        "why": "The published thresholds disagree; what Evaluate measures on your own questions overrides them all.",
        "thresholds": [
            {"rows": row.rows, "verdict": row.verdict, "source": row.source, "reached": different >= row.rows}
            for row in SUFFICIENCY
        ],
    }


def _blocked(examples: Sequence[Example], overlap: Sequence[dict[str, Any]]) -> list[str]:
    reasons = []
    if not examples:
        reasons.append("There are no training rows; upload a file with at least one")
    if overlap:
        pairs = ", ".join(f"{row['id']} = {row['gold']}" for row in overlap[:5])
        reasons.append(f"{len(overlap)} training rows ask gold questions ({pairs}); remove them from one of the two")
    return reasons
