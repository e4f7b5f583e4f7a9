"""The capability classifier: does a described capability need facts (retrieval), behaviour (fine-tuning), or both?

Words and meaning are added up on two axes. Words: indicators outside negations. Meaning: a ridge regression from
sentence embeddings onto the types of described prototypes. An axis counts from BAR points; none is "unclear".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ftrag.decision.indicators import Reading, read
from ftrag.decision.prototypes import prototypes
from ftrag.errors import InputError

if TYPE_CHECKING:
    from numpy import ndarray

TYPES = ("retrieval", "finetuning", "both", "unclear")
AXES = {"retrieval": (1.0, 0.0), "finetuning": (0.0, 1.0), "both": (1.0, 1.0), "unclear": (0.0, 0.0)}
BULLET = re.compile(r"^(?:[-*•–]|\d{1,3}[.)])(?:\s+|$)")  # a pasted list keeps its sentences only
LONGEST = 2000  # characters of one capability
MOST = 500  # capabilities in one call

# Chosen on the prototypes and the development trades of benchmarks/data; benchmarks/classify.py repeats the scores.
RIDGE = 2.0
BAR = 0.58
WORDS = 0.4  # points of one indicator
CAP = 2  # indicators of one axis that count
ALONE = 0.6  # points of one indicator where there is no embedding

NOTICE = "Judged by words alone: the embedding model is not available here."

Embed = Callable[[list[str]], "ndarray"]  # texts -> float rows of one width


@dataclass(frozen=True)
class Meaning:
    facts: float  # about 0 to 1
    behaviour: float
    nearest: str  # the closest prototype
    nearest_type: str
    similarity: float  # cosine with it, [-1, 1]


@dataclass(frozen=True)
class Fitted:
    embed: Embed
    vectors: ndarray  # prototypes, rows of length 1
    weights: ndarray  # (width + 1, 2): onto (facts, behaviour), last row the constant
    rows: tuple[tuple[str, str], ...]

    def meanings(self, texts: list[str]) -> list[Meaning]:
        import numpy as np

        vectors = _unit(self.embed(texts))
        axes = np.hstack([vectors, np.ones((len(vectors), 1))]) @ self.weights
        similarity = vectors @ self.vectors.T
        best = similarity.argmax(axis=1)
        return [
            Meaning(float(facts), float(behaviour), *self.rows[int(near)], float(cosines[near]))
            for (facts, behaviour), near, cosines in zip(axes, best, similarity, strict=True)
        ]


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
    meanings = _meanings(readings, embed)
    return [_row(*row) for row in zip(capabilities, readings, meanings, strict=True)]


def _meanings(readings: list[Reading], embed: Embed | None) -> list[Meaning | None]:
    """None where nothing is left after negations, or without an embedding."""
    texts = [reading.text for reading in readings if reading.text]
    if embed is None or not texts:
        return [None] * len(readings)
    found = iter(fitted(embed).meanings(texts))
    return [next(found) if reading.text else None for reading in readings]


@lru_cache(maxsize=2)
def fitted(embed: Embed) -> Fitted:
    """Ridge regression of the prototypes' types on their embeddings."""
    rows = tuple(prototypes())
    vectors = _unit(embed([text for text, _ in rows]))
    return Fitted(embed, vectors, ridge(vectors, [AXES[kind] for _, kind in rows]), rows)


def ridge(vectors: ndarray, axes: Sequence[tuple[float, float]]) -> ndarray:
    """Weights (width + 1, 2) with a free constant; `vectors` are rows of length 1."""
    import numpy as np

    wanted = np.asarray(axes, dtype=float)
    mean, centre = vectors.mean(axis=0), wanted.mean(axis=0)
    x = vectors - mean
    slope = x.T @ np.linalg.solve(x @ x.T + RIDGE * np.eye(len(x)), wanted - centre)
    return np.vstack([slope, centre - mean @ slope])


def _unit(vectors: ndarray) -> ndarray:
    import numpy as np

    rows = np.asarray(vectors, dtype=float)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def points(reading: Reading, meaning: Meaning | None) -> dict[str, float]:
    """Points of each axis: at most CAP indicators and the regression."""
    hits = Counter(indicator.axis for indicator, _ in reading.hits)
    if meaning is None:
        return {axis: ALONE * min(CAP, hits[axis]) for axis in ("facts", "behaviour")}
    regression = {"facts": meaning.facts, "behaviour": meaning.behaviour}
    return {axis: regression[axis] + WORDS * min(CAP, hits[axis]) for axis in regression}


def type_of(scores: Mapping[str, float]) -> str:
    facts, behaviour = scores["facts"] >= BAR, scores["behaviour"] >= BAR
    if facts and behaviour:
        return "both"
    return "retrieval" if facts else "finetuning" if behaviour else "unclear"


def _row(capability: str, reading: Reading, meaning: Meaning | None) -> dict[str, Any]:
    scores = points(reading, meaning)
    kind = type_of(scores)
    found = [words for indicator, words in reading.hits if scores[indicator.axis] >= BAR]
    words = [word for word in found if not any(word != other and word in other for other in found)]
    row = {
        "capability": capability,
        "type": kind,
        "evidence": words,
        "reason": _reason(kind, words, reading, meaning),
        "scores": {axis: round(value, 3) for axis, value in scores.items()},
        "says": dict(indicator.answer for indicator, _ in reading.hits if indicator.answer[0]),
    }
    return row if meaning or not reading.text else {**row, "notice": NOTICE}


NEEDS = {
    "retrieval": "It needs facts at the time of the question",
    "finetuning": "It needs a way of behaving that is learned from examples",
    "both": "It needs facts at the time of the question and a learned way of behaving",
    "unclear": "Nothing in it points to facts or to behaviour; say what the answer must rest on or look like",
}


def _reason(kind: str, words: list[str], reading: Reading, meaning: Meaning | None) -> str:
    """One sentence or two: the need, and what decided."""
    parts = [NEEDS[kind]]
    if words:
        parts.append("words: " + ", ".join(f"'{word}'" for word in words))
    if meaning and kind != "unclear" and (not words or meaning.nearest_type == kind):
        parts.append(f"meaning: closest to '{meaning.nearest}' ({meaning.similarity:.2f})")
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
