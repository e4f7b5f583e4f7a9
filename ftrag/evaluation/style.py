"""How the training answers sound, and how typical an answer is of that: by form, not by subject."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p, sqrt

from ftrag.text import normalise, sentences, words

MIN_ANSWERS = 8  # fewer training answers have no style that could be told from chance
FUNCTION_WORDS = frozenset(
    str.split(
        "a about after all also am an and any are as at be but by can could do for from had has have he her his how i "
        "if in is it its just let like may me more my no not of on once only or our out please she should so some "
        "sorry thank thanks that the their them then there they this to up us very we what when which who will with "
        "would you your"
    )
)


@dataclass(frozen=True)
class Style:
    profile: Mapping[str, float]  # mean feature vector of the training answers
    spread: tuple[float, ...]  # similarity of each training answer to the others' mean, rising

    def typicality(self, answer: str) -> float:
        """Share of the training answers, [0, 1], that are no closer to their own style than this answer is."""
        similarity = _cosine(_features(answer), self.profile)
        return sum(other <= similarity for other in self.spread) / len(self.spread)


def learn(answers: Sequence[str]) -> Style | None:
    """The style of training answers; None where there are fewer than MIN_ANSWERS."""
    vectors = [_features(answer) for answer in answers if words(answer)]
    if len(vectors) < MIN_ANSWERS:
        return None
    total: Counter[str] = Counter()
    for vector in vectors:
        total.update(vector)
    spread = sorted(
        _cosine(vector, {name: total[name] - vector.get(name, 0.0) for name in total}) for vector in vectors
    )
    return Style({name: value / len(vectors) for name, value in total.items()}, tuple(spread))


def _features(answer: str) -> dict[str, float]:
    """Function words, punctuation, openings, closings and lengths; no word that carries the subject."""
    tokens, text = words(answer), normalise(answer)
    counts: Counter[str] = Counter(f"word {token}" for token in tokens if token in FUNCTION_WORDS)
    counts.update(f"sign {sign}" for sign in re.findall(r"[^\w\s]", text))
    counts.update({f"opens {' '.join(tokens[:2])}": 2, f"closes {' '.join(tokens[-2:])}": 2})
    spans = sentences(answer)
    longest = max((len(words(answer[start:end])) for start, end in spans), default=0)
    counts.update({f"sentences {min(len(spans), 6)}": 1, f"longest {min(longest // 6, 8)}": 1})
    counts.update({f"words {min(len(tokens) // 12, 12)}": 1})
    return {name: log1p(count) for name, count in counts.items()}


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    dot = sum(value * other.get(name, 0.0) for name, value in one.items())
    length = sqrt(sum(value * value for value in one.values()) * sum(value * value for value in other.values()))
    return dot / length if length else 0.0
