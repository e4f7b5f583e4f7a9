"""Content: are the facts right? Pure functions from texts to scores in [0, 1], each with its explanation."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ftrag.evaluation.containment import find
from ftrag.evaluation.refusals import declines, refusal_at
from ftrag.evaluation.spelled import clean
from ftrag.evaluation.values import Atom, atoms, singular
from ftrag.text import sentences
from ftrag.types import Gold, Score

Embed = Callable[[list[str]], Any]  # texts -> array (n, d) of unit vectors

THRESHOLD = 0.7  # share of an answer's key points from which a long answer counts as right; a run records it
SHORT_WORDS = 12  # accepted answers up to this long must be contained as a whole
POINT_RECALL = 0.6  # share of a key point's content words that an answer must say

STOP_WORDS = frozenset(
    str.split(
        "a about above after again all also am an and any are as at be because been before being between both "
        "but by can could did do does doing down during each few for from further had has have having he her "
        "here hers him his how i if in into is it its itself just me more most my no nor not now of off on "
        "once only or other our out over own s same she should so some such t than that the their them then "
        "there these they this those through to too under until up very was we were what when where which "
        "while who whom why will with would you your"
    )
)


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def squad_tokens(text: str) -> list[str]:
    """SQuAD 1.1's normalisation (Rajpurkar et al. 2016, evaluate-v1.1.py): lower case, no punctuation, no articles."""
    return re.sub(r"\b(a|an|the)\b", " ", text.lower().translate(_NO_PUNCTUATION)).split()


def exact_match(answer: str, accepted: str) -> float:
    """1.0 if the two are equal after SQuAD's normalisation, else 0.0."""
    return float(squad_tokens(answer) == squad_tokens(accepted))


def token_f1(answer: str, accepted: str, drop: frozenset[str] = frozenset()) -> float:
    """Harmonic mean of token precision and recall after SQuAD's normalisation, without the words in drop.

    Two empty texts are equal (1.0), one empty text is not (0.0), as in SQuAD 2.0's script.
    """
    said = [token for token in squad_tokens(answer) if token not in drop]
    wanted = [token for token in squad_tokens(accepted) if token not in drop]
    if not said or not wanted:
        return float(said == wanted)
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted))


def key_points(accepted: str) -> list[str]:
    """The statements of a long answer: its sentences, list items and clauses after a semicolon."""
    pieces = [accepted[start:end] for start, end in sentences(accepted)]
    points = [point.strip(" -*•\t") for piece in pieces for point in piece.split(";")]
    return [point for point in points if content_atoms(point)]


def content_atoms(text: str) -> list[Atom]:
    """Values and words that carry meaning, each once."""
    kept: dict[object, Atom] = {}
    for atom in atoms(text):
        if atom.readings or (re.match(r"\w", atom.text) and atom.text not in STOP_WORDS):
            kept.setdefault(atom.readings or singular(atom.text), atom)
    return list(kept.values())


def recall(answer: str, point: str) -> tuple[float, list[str]]:
    """Share of a key point's content words and values that the answer says, and the values it does not."""
    wanted, said = content_atoms(point), atoms(answer)
    missed = [atom for atom in wanted if not any(atom.found_in(other) for other in said)]
    return 1 - len(missed) / len(wanted), [atom.text for atom in missed if atom.readings]


def completeness(answer: str, accepted: str) -> Score:
    """Share of the accepted answer's key points that are said: all their values, and enough of their words."""
    points = key_points(accepted)
    if not points:
        return Score(None, "the accepted answer states nothing")
    measured = [(point, *recall(answer, point)) for point in points]
    missing = [point for point, share, values in measured if values or share < POINT_RECALL]
    share = 1 - len(missing) / len(points)
    why = f"{len(points) - len(missing)} of {len(points)} key points are said"
    return Score(share, why + (f"; missing: {_short(missing[0])}" if missing else ""))


def content(answer: str, gold: Gold) -> Score:
    """How right the facts of an answer are.

    answers [] expects a refusal. A short accepted answer must be contained, values compared as values; of a long one
    the share of key points counts. The best of the accepted answers is taken. Parts: exact_match, token_f1,
    agreement, containment and completeness where they apply, refused.
    """
    best = judged(answer, gold)
    if not gold.answers:
        return best
    parts = {
        "exact_match": max(exact_match(answer, accepted) for accepted in gold.answers),
        "token_f1": max(token_f1(answer, accepted) for accepted in gold.answers),
        "refused": float(declines(answer)),
    }
    if answer.strip():
        parts["agreement"] = max(agreement(answer, accepted, gold.question) for accepted in gold.answers)
    return Score(best.value, best.why, {**parts, **best.parts})


def judged(answer: str, gold: Gold) -> Score:
    """As `content`, without the parts that decide nothing: several times as fast, for answers by the thousand."""
    if not gold.answers:
        refused = float(declines(answer))
        why = "declines, as it should" if refused else "should have said that there is no answer"
        return Score(refused, why, {"refused": refused})
    if not answer.strip():
        return Score(0.0, "the answer is empty")
    scores = [_against(answer, accepted, gold.question) for accepted in gold.answers]
    return max(scores, key=lambda score: score.value or 0.0)


def content_verdict(score: Score, threshold: float = THRESHOLD) -> bool | None:
    """Right or wrong by the threshold that the run records; None where there was nothing to score."""
    return None if score.value is None else score.value >= threshold


def _against(answer: str, accepted: str, question: str) -> Score:
    if (polarity := _polarity(accepted)) is not None:
        return _yes_or_no(answer, accepted, polarity)
    contained = _containment(answer, accepted, question)
    if len(accepted.split()) <= SHORT_WORDS or contained.value == 1.0:
        return contained
    complete = completeness(answer, accepted)
    if complete.value and declines(answer):
        return Score(0.0, "declines, though there is an answer", {"completeness": complete.value})
    return Score(complete.value, complete.why, {} if complete.value is None else {"completeness": complete.value})


def _containment(answer: str, accepted: str, question: str) -> Score:
    found = find(answer, accepted, question)
    affirmed = [place for place in found if not place.denied]
    declined = refusal_at(answer)
    if affirmed and (declined is None or affirmed[0].start < declined):
        said = clean(answer)[affirmed[0].start : affirmed[0].end]
        return Score(1.0, f'says "{said}" for "{accepted}"', {"containment": 1.0})
    if declined is not None and declines(answer):
        why = "declines, though there is an answer"
    elif affirmed:
        why = f'declines before it says "{accepted}"'
    elif found:
        why = f'mentions "{accepted}", but {found[0].denied}'
    else:
        why = f'does not say "{_short(accepted)}"'
    return Score(0.0, why, {"containment": 0.0})


_YES = frozenset(str.split("yes yeah yep true correct"))
_NO = frozenset(str.split("no nope false incorrect"))
_NEGATION = re.compile(r"\b(?:not|never|cannot|no longer)\b|n't\b")


def _polarity(text: str) -> bool | None:
    """True for a plain yes, False for a plain no, None for any other text."""
    words = [atom.text for atom in atoms(text) if re.match(r"\w", atom.text)]
    if len(words) != 1:
        return None
    return True if words[0] in _YES else False if words[0] in _NO else None


def _yes_or_no(answer: str, accepted: str, wanted: bool) -> Score:
    """By the first yes or no; without one, a denial in the first sentence is a no."""
    cleaned = clean(answer)
    words = [word for word in re.findall(r"\w+", cleaned) if word in _YES | _NO]
    first = cleaned[: sentences(cleaned)[0][1]] if sentences(cleaned) else ""
    said = words[0] in _YES if words else False if _NEGATION.search(first) and not declines(answer) else None
    if said is None:
        return Score(0.0, f'says neither yes nor no for "{accepted}"', {"containment": 0.0})
    return Score(
        float(said == wanted),
        f'says {"yes" if said else "no"} for "{accepted}"',
        {"containment": float(said == wanted)},
    )


def _short(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def best_of(answer: str, accepted: Sequence[str], drop: frozenset[str] = frozenset()) -> float:
    """The highest token F1 over the accepted answers. ValueError where there is none."""
    return max(token_f1(answer, text, drop) for text in accepted)


def new_content_f1(answer: str, accepted: str, question: str) -> float:
    """Token F1 over stems, without stop words and without what the question says: repeating it answers nothing."""
    asked = set(_stems(question))
    said, wanted = ([stem for stem in _stems(text) if stem not in asked] for text in (answer, accepted))
    shared = sum((Counter(said) & Counter(wanted)).values())
    return (
        2 * shared / (len(said) + len(wanted))
        if said or wanted
        else float(squad_tokens(answer) == squad_tokens(accepted))
    )


def agreement(answer: str, accepted: str, question: str = "", embed: Embed | None = None) -> float:
    """How far a long answer agrees with a reference, [0, 1], as benchmarks/ragchecker.py measures.

    The mean of token F1 without stop words and new_content_f1; with an embedder, half a share more of sentence_f1.
    No weight is fitted.
    """
    lexical = token_f1(answer, accepted, STOP_WORDS) + new_content_f1(answer, accepted, question)
    if embed is None:
        return lexical / 2
    return (lexical + 0.5 * sentence_f1(answer, accepted, embed)) / 2.5


def sentence_f1(answer: str, accepted: str, embed: Embed) -> float:
    """BERTScore (Zhang et al. 2020) over sentences: best cosine of each, averaged both ways, harmonic mean, [0, 1]."""
    said, wanted = ([text[start:end] for start, end in sentences(text)] for text in (answer, accepted))
    if not said or not wanted:
        return float(said == wanted)
    similarity = embed(wanted) @ embed(said).T
    recall_, precision = (max(0.0, float(similarity.max(axis).mean())) for axis in (1, 0))
    return 2 * recall_ * precision / (recall_ + precision) if recall_ + precision else 0.0


def _stems(text: str) -> list[str]:
    return [stem(token) for token in squad_tokens(text) if token not in STOP_WORDS]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Snowball's English stem; a stemmer keeps state, so each call has its own."""
    import Stemmer

    return str(Stemmer.Stemmer("english").stemWord(word))
