"""The fitted part of the capability classifier: a multinomial logistic regression over words and embeddings.

`weights.json` is written by `python benchmarks/classify.py --fit` from the prototypes and the development trades;
here numpy alone multiplies. A column's share of the sum is what explains a verdict.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrag.decision.indicators import INDICATORS, Reading

if TYPE_CHECKING:
    from numpy import ndarray

FILE = Path(__file__).with_name("weights.json")
AXES = ("facts", "behaviour")
KINDS = {"retrieval": (1, 0), "finetuning": (0, 1), "both": (1, 1), "unclear": (0, 0)}  # needs by axis; classes
WIDTH = 384  # of an all-MiniLM-L6-v2 embedding
TERMS = 2.0  # weight of the words' block (tf-idf rows of length 1) beside embeddings of length 1
INDICATOR, COUNT, CAP = 0.5, 0.3, 2  # weight of one indicator, of each hit on an axis, hits that count
WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True)
class Model:
    """Columns: terms, indicators, hits by axis, negated by axis, then raw and kept embedding where there is one."""

    idf: Mapping[str, tuple[int, float]]  # term -> (column, inverse document frequency)
    slope: ndarray  # (columns, classes)
    constant: ndarray  # (classes,)

    @cached_property
    def contrast(self) -> ndarray:
        """(columns, axes): the mean slope of the classes that need an axis, less that of the others."""
        import numpy as np

        needs = np.asarray(list(KINDS.values()), dtype=float)
        return np.asarray(self.slope @ (needs / 2 - (1 - needs) / 2))


@dataclass(frozen=True)
class Weighed:
    chance: dict[str, float]  # axis -> (0, 1), over the classes that need it
    words: dict[str, float]  # axis -> what indicators and terms add for it, in log-odds of classes
    meaning: dict[str, float]  # axis -> what the embeddings add
    terms: dict[str, tuple[str, ...]]  # axis -> words of the text that speak for it, strongest first


def terms(text: str) -> dict[str, str]:
    """Stemmed words and pairs of neighbours -> the words as written; Porter's stemmer for English."""
    import Stemmer

    words = WORD.findall(text.lower())
    stems = Stemmer.Stemmer("english").stemWords(words)
    pairs = {f"{a} {b}": f"{v} {w}" for a, b, v, w in zip(stems, stems[1:], words, words[1:], strict=False)}
    return dict(zip(stems, words, strict=True)) | pairs


def counts(text: str) -> Counter[str]:
    import Stemmer

    stems = Stemmer.Stemmer("english").stemWords(WORD.findall(text.lower()))
    return Counter([*stems, *(f"{a} {b}" for a, b in zip(stems, stems[1:], strict=False))])


def word_columns(readings: Sequence[Reading], idf: Mapping[str, tuple[int, float]]) -> ndarray:
    """(n, terms + indicators + 4): sublinear tf-idf of length TERMS, then what the indicators found."""
    import numpy as np

    table = np.zeros((len(readings), len(idf) + len(INDICATORS) + 4))
    for row, reading in zip(table, readings, strict=True):
        for term, count in counts(reading.text).items():
            if term in idf:
                row[idf[term][0]] = (1 + np.log(count)) * idf[term][1]
        row *= TERMS / (np.linalg.norm(row) or 1.0)
        row[len(idf) :] = [*_hits(reading), *_negated(reading)]
    return table


def _hits(reading: Reading) -> list[float]:
    found = {id(indicator) for indicator, _ in reading.hits}
    axes = Counter(indicator.axis for indicator, _ in reading.hits)
    each = [INDICATOR * (id(indicator) in found) for indicator in INDICATORS]
    return [*each, *(COUNT * min(CAP, axes[axis]) for axis in AXES)]


def _negated(reading: Reading) -> list[float]:
    return [COUNT * min(CAP, reading.against.count(axis)) for axis in AXES]


@cache
def model(name: str) -> Model:
    """The fitted columns of "full" (with embeddings) or of "words"."""
    import numpy as np

    stored: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    idf = {term: (column, float(value)) for column, (term, value) in enumerate(stored["idf"].items())}
    one = stored[name]
    return Model(idf, np.asarray(one["slope"], dtype=float).T, np.asarray(one["constant"], dtype=float))


def weigh(readings: Sequence[Reading], embeddings: tuple[ndarray, ndarray] | None) -> list[Weighed]:
    """Chances of both axes for each reading; `embeddings`: of the raw texts and of the kept ones, (n, WIDTH)."""
    import numpy as np

    fitted = model("full" if embeddings else "words")
    words = word_columns(readings, fitted.idf)
    width = words.shape[1]
    meant = np.hstack(embeddings) if embeddings else np.zeros((len(words), 0))
    odds = np.hstack([words, meant]) @ fitted.slope + fitted.constant
    classes = np.exp(odds - odds.max(axis=1, keepdims=True))
    chances = classes @ np.asarray(list(KINDS.values()), dtype=float) / classes.sum(axis=1, keepdims=True)
    by_word, meaning = words @ fitted.contrast[:width], meant @ fitted.contrast[width:]
    return [
        Weighed(
            dict(zip(AXES, map(float, chances[i]), strict=True)),
            dict(zip(AXES, map(float, by_word[i]), strict=True)),
            dict(zip(AXES, map(float, meaning[i]), strict=True)),
            {axis: _speaking(readings[i].text, words[i], fitted, a) for a, axis in enumerate(AXES)},
        )
        for i in range(len(readings))
    ]


def _speaking(text: str, row: ndarray, fitted: Model, axis: int, most: int = 3, least: float = 0.15) -> tuple[str, ...]:
    """The words that add at least `least` for an axis, at most `most`."""
    contrast = fitted.contrast
    shares = {
        written: float(row[fitted.idf[term][0]] * contrast[fitted.idf[term][0], axis])
        for term, written in terms(text).items()
        if term in fitted.idf
    }
    strongest = sorted((written for written in shares if shares[written] >= least), key=lambda w: -shares[w])
    return tuple(strongest[:most])
