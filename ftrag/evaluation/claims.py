"""What a sentence claims that a source can confirm or contradict: its values, its names, and whether it denies."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from ftrag.evaluation.metrics import STOP_WORDS, stem
from ftrag.evaluation.spelled import clean
from ftrag.evaluation.values import Atom, atoms
from ftrag.text import words

# Amounts as people say them, in the words that `values` reads. In order; each may use what the ones before made.
_SAID: tuple[tuple[str, str], ...] = (
    (r"\bhalf a dozen\b", "6"),
    (r"\bhalf an hour\b", "30 minutes"),
    (r"\b(?:an|one) hour and a quarter\b", "75 minutes"),
    (r"\b(?:an|one) hour and three quarters\b", "105 minutes"),
    (r"\bthree quarters of an hour\b", "45 minutes"),
    (r"\ba fortnight\b|\bfortnight\b", "14 days"),
    (r"\ba couple of\b", "2"),
    (r"\b(?:an|one)(?: (?:extra|additional|full|whole|free|further))* (hour|week)\b", r"1 \1"),
    (r"\b(\d+)(?: (?:extra|additional|full|whole|free|further|consecutive))+ (\w+)", r"\1 \2"),
    (r"\bhalf past (\w+) in the (?:afternoon|evening)\b", r"\1:30 pm"),
    (r"\bhalf past (\w+) in the morning\b", r"\1:30 am"),
    (r"\bone in two\b", "50 percent"),
    (r"\bone in three\b|\b(?:a|one) third\b", "33 percent"),
    (r"\bone in four\b|\b(?:a|one) quarter(?= of)", "25 percent"),
    (r"\bone in five\b|\b(?:a|one) fifth\b", "20 percent"),
    (r"\bone in ten\b|\b(?:a|one) tenth\b", "10 percent"),
    (r"\btwo thirds\b", "67 percent"),
    (r"\bthree quarters\b", "75 percent"),
    (r"\btwo fifths\b", "40 percent"),
    (r"\bthree fifths\b", "60 percent"),
    (r"\bfour fifths\b", "80 percent"),
    (r"\bhalf of\b", "50 percent of"),
    (r"\bthe two of (?=you|us|them|these|those)", "both of "),
    (r"(?<=\w) in an? (?=(?:hour|day|week|month|year)\b)", " a "),
)
_HOURS = "one two three four five six seven eight nine ten eleven twelve"
_CLOCK = {name: str(hour) for hour, name in enumerate(_HOURS.split(), start=1)}
_HEDGED = re.compile(r"\b(?:about|around|some|roughly|approximately|nearly|almost|over|under|more than|less than)\s*$")
NEAR = 0.1  # a hedged amount may be this share off
BESIDE, NEARBY = 4, 7  # words apart in a text that belong together, and how far apart they may be in its source
_DENIAL = re.compile(
    r"\b(?:not|never|cannot|nobody|nothing|none|neither|nor|without|no|hardly|fail(?:s|ed|ing)?|refus\w+|\w+-free)\b"
    r"(?! (?:more|less|later|longer|fewer|earlier|only)\b)|n't\b"
)
_CLAUSE = re.compile(
    r"[,;:–—()]\s+|\n+|\s(?=(?:and|but|or|nor|because|although|though|if|unless|when|while|which|who|as|so|since)\b)"
)
_NAME = re.compile(r"(?<=[\w,;'’)] )[A-Z][\w’'-]*\w")


def plain(text: str) -> str:
    """The text with amounts that are said in words put so that they can be compared."""
    said = text
    for pattern, value in _SAID:
        said = re.sub(pattern, value, said, flags=re.IGNORECASE)
    return re.sub(r"\b(\w+):30(?= [ap]m)", lambda match: f"{_CLOCK.get(match[1].lower(), match[1])}:30", said)


def values(text: str) -> list[tuple[Atom, bool]]:
    """Each value with whether it is hedged ("about 5 km"); a bare "one" and "first" count as words."""
    said = plain(text)
    cleaned = clean(said)
    return [
        (atom, bool(_HEDGED.search(cleaned[: atom.start])))
        for atom in atoms(said)
        if atom.readings and atom.readings not in ({("number", 1.0)}, {("ordinal", 1.0)})
    ]


def missing(text: str, source: str) -> list[Atom]:
    """The values of a text that a source does not say."""
    known = [atom for atom, _ in values(source)]
    return [atom for atom, hedged in values(text) if not any(same(atom, other, hedged) for other in known)]


def same(value: Atom, other: Atom, hedged: bool = False) -> bool:
    """By a shared reading; by the number alone where one of them has no unit; nearly, where the text hedges."""
    if value.found_in(other):
        return True
    kinds = {name for name, _ in value.readings} | {name for name, _ in other.readings}
    if "number" in kinds and value.bare is not None and value.bare == other.bare:
        return True
    days = {str(day)[-2:].lstrip("0") for a in (value, other) for name, day in a.readings if name == "date"}
    ordinals = {str(int(float(n))) for a in (value, other) for name, n in a.readings if name == "ordinal"}
    if days & ordinals:
        return True
    return hedged and any(_close(a, b) for a in value.readings for b in other.readings)


def _close(left: tuple[str, float | str], right: tuple[str, float | str]) -> bool:
    if left[0] != right[0] or not isinstance(left[1], float) or not isinstance(right[1], float):
        return False
    return abs(left[1] - right[1]) <= NEAR * max(abs(left[1]), abs(right[1]))


def names(text: str) -> list[str]:
    """Words with a capital that do not begin the sentence; "I", "I'm", "We" and "The" are none."""
    found = (match.group() for match in _NAME.finditer(text))
    return [name for name in found if re.split("['’]", name)[0] not in {"I", "We", "The"}]


def strange_names(text: str, sources: Iterable[str]) -> list[str]:
    """The names of a text that none of the sources has, in the singular or the plural."""
    known = {stem(word) for source in sources for word in re.findall(r"\w+", source.lower())}
    parts = {name: re.findall(r"\w+", name.lower().removesuffix("'s")) for name in names(text)}
    return [name for name, words_ in parts.items() if not {stem(word) for word in words_} & known]


def denies(text: str) -> bool:
    """Whether a text denies: an odd number of times, so that "not without" does not."""
    return len(_DENIAL.findall(clean(text))) % 2 == 1


def contradicts(text: str, source: str) -> bool:
    """Whether one of them denies and the other does not; of the source, the clauses that speak of the text's words."""
    said = _content(text)
    clauses = [(clause, _content(clause)) for clause in _CLAUSE.split(source)]
    spoken = [clause for clause, words_ in clauses if words_ and len(words_ & said) >= len(words_) / 2]
    return denies(text) != denies(" ".join(spoken) or source)


def paired(text: str, source: str) -> float:
    """Share, [0, 1], of a text's neighbouring words that are also near each other in its source; 1.0 without any.

    "£14 for the large box and £22 for the small one" has all the words of its source, in wrong pairs. Only words of
    content that both have are looked at.
    """
    said, places = _stems(text), defaultdict(list)
    for place, word in enumerate(_stems(source)):
        places[word].append(place)
    known = [(place, word) for place, word in enumerate(said) if word in places and word not in STOP_WORDS]
    pairs = [(a, b) for (i, a), (j, b) in combinations(known, 2) if j - i <= BESIDE]
    near = sum(any(abs(i - j) <= NEARBY for i in places[a] for j in places[b]) for a, b in pairs)
    return near / len(pairs) if pairs else 1.0


def _content(text: str) -> set[str]:
    return set(_stems(text)) - STOP_WORDS


def _stems(text: str) -> list[str]:
    return [stem(word) for word in words(plain(text))]
