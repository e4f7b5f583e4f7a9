"""The capability classifier: does a described capability need facts (retrieval), behaviour (fine-tuning), or both?

A logistic regression over the four types adds up indicator words, other words and the meaning of the sentence after
negated parts were taken out. A need has the chances of the types that have it, and counts from BAR; none is "unclear",
and so is a sentence with nothing left to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ftrag.decision.indicators import Reading, read
from ftrag.decision.prototypes import prototypes
from ftrag.decision.weights import AXES, WIDTH, Weighed, weigh
from ftrag.errors import InputError

if TYPE_CHECKING:
    from numpy import ndarray

TYPES = ("retrieval", "finetuning", "both", "unclear")
BULLET = re.compile(r"^(?:[-*•–]|\d{1,3}[.)])(?:\s+|$)")  # a pasted list keeps its sentences only
LONGEST = 2000  # characters of one capability
MOST = 500  # capabilities in one call

BAR = 0.5  # chance from which a need counts
KEPT = 0.6  # share of the evidence from which words, or meaning, decided alone

NOTICE = "Judged by words alone: the embedding model is not available here."

Embed = Callable[[list[str]], "ndarray"]  # texts -> float rows of one width


@dataclass(frozen=True)
class Nearest:
    text: str  # the closest prototype
    kind: str
    similarity: float  # cosine with it, [-1, 1]


def classify(lines: Sequence[str], embed: Embed | None) -> list[dict[str, Any]]:
    """Rows {capability, type, evidence, reason} for descriptions of capabilities, one each; blank lines are dropped.

    `embed` gives sentence embeddings (all-MiniLM-L6-v2); with None the words alone decide and each row has a `notice`.
    `scores` holds the points of both axes. Raises InputError if there is nothing to classify or too much.
    """
    bare = [BULLET.sub("", " ".join(line.split())) for line in lines]
    capabilities = [line for line in bare if line]
    if not capabilities:
        raise InputError("There is no capability to classify; give at least one sentence, one a line.")
    if len(capabilities) > MOST or max(map(len, capabilities)) > LONGEST:
        raise InputError(f"Give at most {MOST} capabilities of at most {LONGEST:,} characters, one a line.")
    readings = [read(capability) for capability in capabilities]
    weighed, nearest = _judged(capabilities, readings, embed)
    return [_row(*row) for row in zip(capabilities, readings, weighed, nearest, strict=True)]


def _judged(
    capabilities: list[str], readings: list[Reading], embed: Embed | None
) -> tuple[list[Weighed], list[Nearest | None]]:
    """Chances of every row, and the prototype that is nearest to it where there is an embedding."""
    if embed is None:
        return weigh(readings, None), [None] * len(readings)
    kept = _unit(embed([reading.text or line for reading, line in zip(readings, capabilities, strict=True)]))
    if kept.shape[1] != WIDTH:
        raise InputError(f"The classifier reads {WIDTH} numbers a sentence, not {kept.shape[1]}; use all-MiniLM-L6-v2.")
    rows, known = described(embed)
    cosines = kept @ known.T
    nearest = [
        Nearest(*rows[int(best)], float(row[best])) for row, best in zip(cosines, cosines.argmax(1), strict=True)
    ]
    return weigh(readings, (_unit(embed(capabilities)), kept)), list(nearest)


@lru_cache(maxsize=2)
def described(embed: Embed) -> tuple[tuple[tuple[str, str], ...], ndarray]:
    """The prototypes and their embeddings, computed once per process."""
    rows = tuple(prototypes())
    return rows, _unit(embed([text for text, _ in rows]))


def _unit(vectors: ndarray) -> ndarray:
    import numpy as np

    rows = np.asarray(vectors, dtype=float)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def type_of(scores: Mapping[str, float]) -> str:
    facts, behaviour = scores["facts"] >= BAR, scores["behaviour"] >= BAR
    if facts and behaviour:
        return "both"
    return "retrieval" if facts else "finetuning" if behaviour else "unclear"


def _row(capability: str, reading: Reading, weighed: Weighed, near: Nearest | None) -> dict[str, Any]:
    scores = weighed.chance if reading.text else dict.fromkeys(AXES, 0.0)
    kind = type_of(scores)
    needed = [axis for axis in AXES if scores[axis] >= BAR]
    words = _words(reading, weighed, needed)
    decided = _decided(weighed, needed, words)
    row = {
        "capability": capability,
        "type": kind,
        "evidence": words,
        "reason": _reason(kind, words, decided, reading, near),
        "decided_by": decided,
        "scores": {axis: round(value, 3) for axis, value in scores.items()},
        "says": {i.answer[0]: i.answer[1] for i, _ in reading.hits if i.answer[0] and i.axis in needed},
    }
    return row if near or not reading.text else {**row, "notice": NOTICE}


def _words(reading: Reading, weighed: Weighed, needed: list[str]) -> list[str]:
    """Indicators first, then other words that speak for a need; a word inside a longer one is said once."""
    found = [words for indicator, words in reading.hits if indicator.axis in needed]
    found += [word for axis in needed for word in weighed.terms[axis] if word not in EMPTY]
    found = list(dict.fromkeys(found))
    return [word for word in found if not any(word != other and word in other for other in found)]


# Words that weigh something by habit and tell a reader nothing.
EMPTY = frozenset(
    ["a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "in", "is", "it", "of", "on", "or", "our"]
    + ["so", "that", "the", "their", "this", "to", "we", "what", "with", "you", "they", "them", "its", "which", "who"]
)


def _decided(weighed: Weighed, needed: list[str], words: list[str]) -> str:
    """ "words", "meaning" or "words and meaning": what carried the needs that were found; "" where none was."""
    if not needed:
        return ""
    by_word = max(0.0, sum(weighed.words[axis] for axis in needed)) if words else 0.0
    by_meaning = max(0.0, sum(weighed.meaning[axis] for axis in needed))
    share = by_word / ((by_word + by_meaning) or 1.0)
    return "words" if share >= KEPT else "meaning" if share <= 1 - KEPT else "words and meaning"


NEEDS = {
    "retrieval": "It needs facts at the time of the question",
    "finetuning": "It needs a way of behaving that is learned from examples",
    "both": "It needs facts at the time of the question and a learned way of behaving",
    "unclear": "Nothing in it points to facts or to behaviour; say what the answer must rest on or look like",
}


def _reason(kind: str, words: list[str], decided: str, reading: Reading, near: Nearest | None) -> str:
    """One sentence or two: the need, what decided, and what it was compared with."""
    parts = [NEEDS[kind]]
    if decided:
        parts.append(f"decided by {decided}")
    if words:
        parts.append("words: " + ", ".join(f"'{word}'" for word in words))
    if near and near.kind == kind and kind != "unclear":
        parts.append(f"meaning: closest to '{near.text}' ({near.similarity:.2f})")
    if reading.negated:
        parts.append("not counted because negated: " + ", ".join(f"'{word}'" for word in reading.negated))
    return "; ".join(parts) + "."


def overall(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Answers for the questionnaire from classified capabilities (after correction by hand); unclear rows are left out.

    The problem is what at least a quarter of the clear capabilities need. Citations, the pace of change and style are
    answered only if a capability says so in words.
    """
    clear = [row for row in rows if row["type"] in ("retrieval", "finetuning", "both")]
    if not clear:
        return {}
    share = {kind: sum(row["type"] in (kind, "both") for row in clear) / len(clear) for kind in TYPES[:2]}
    facts, behaviour = share["retrieval"] >= 0.25, share["finetuning"] >= 0.25
    answers = {"problem": "both" if facts and behaviour else "knowledge" if facts else "behaviour"}
    for key, ranked, needed in _SAID:
        said = {row["says"].get(key) for row in clear if "says" in row and row["type"] in needed}
        answers |= {key: next(option for option in ranked if option in said)} if said & set(ranked) else {}
    return answers


_SAID = (
    ("needs-citations", ("true",), ("retrieval", "both")),
    ("knowledge-changes", ("daily", "weekly", "monthly"), ("retrieval", "both")),
    ("style-requirements", ("high",), ("finetuning", "both")),
)
