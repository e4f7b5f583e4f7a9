"""Is an accepted answer said in a text? On word boundaries, values as values, and not if it is denied or hedged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ftrag.evaluation.spelled import clean
from ftrag.evaluation.values import Atom, atoms, singular

# Dropped at the start of an accepted answer: they change nothing.
_NEUTRAL = frozenset(
    str.split("at on in about around approximately approx roughly circa ca exactly just between from it's is it")
)
_FUNCTION = frozenset(
    str.split(
        "of to for in on at by with from and or but so if is are was were be can may must per each in total altogether "
        "only that which you we i it then when before after as more less fewer than not also now all at once maximum "
        "minimum different please overall"
    )
)
_PERIODS = frozenset(str.split("minute hour day night week month quarter year season"))
_BETWEEN = frozenset({"to", "-", "until", "through", "and", "till"})
_PUNCTUATION = re.compile(r"[^\w]+")
_DENIAL = re.compile(
    r"(?:\bnot|n't|\bnever|\brather than|\binstead of|\bother than|\bexcept(?: for)?|\bno longer|\bwithout) "
    r"(?:(?:be|cost|take|last|have|need|require|get|pay|mean|open|close|start|begin|blink|leave|called|really|"
    r"actually|exactly|the|a|an|at|in|on|of|for|from|by|about) ){0,3}$"
)
_ADDED = re.compile(r" ?[+*×÷x] ?[€$£]?\d[^.!?]*=")  # behind a term: "7 + 1 = 8" says 8
_ADDED_TO = re.compile(r"\d ?[+*×÷x] ?[€$£]?$")
_COUNTED = re.compile(r"\bhow many (?:[\w-]+ ?){1,3}")
_OPEN_ENDED = (  # "7 or more" offers no alternative
    r"more|less|so|fewer|later|earlier|above|below|under|over|higher|lower|longer|shorter|up|greater|older|younger|"
    r"better|two|thereabouts|any|in|at|if|when|you|we|it"
)


@dataclass(frozen=True)
class Found:
    start: int  # half-open character offsets into clean(answer)
    end: int
    denied: str  # "" or why the mention does not count


def find(answer: str, accepted: str, question: str = "") -> list[Found]:
    """Every place where the answer says the accepted one, with what speaks against each."""
    said = atoms(answer)
    cleaned = clean(answer)
    found = []
    for wanted, bare in _variants(accepted, question):
        for first in _starts(wanted[0], said):
            last = _match(wanted, said, first, bare) or _spelled_by(wanted, said, first)
            if last is None or _other_rate(said, last, question):
                continue
            if not bare or _stands_alone(said, last, wanted, question):
                start, end = said[first].start, said[last - 1].end
                found.append(Found(start, end, _speaks_against(said, first, last, cleaned)))
    return found or [Found(start, end, "") for start, end in _scattered(accepted, said)]


def _starts(wanted: Atom, said: Sequence[Atom]) -> list[int]:
    """Where a match can begin: at any value, at the same word, and anywhere for a code, which words can spell."""
    coded = any(name == "code" for name, _ in wanted.readings)
    words = {"free"} if wanted.readings else {"free", singular(wanted.text)}
    return [place for place, atom in enumerate(said) if atom.readings or coded or singular(atom.text) in words]


def _variants(accepted: str, question: str) -> Iterator[tuple[list[Atom], bool]]:
    """The accepted answer, without what the question says already; True where the number alone will do."""
    wanted = [atom for atom in atoms(accepted) if not _is_punctuation(atom)]
    while len(wanted) > 1 and wanted[0].text in _NEUTRAL:
        wanted = wanted[1:]
    if not wanted:
        return
    yield wanted, len(wanted) == 1 and any(name == "number" for name, _ in wanted[0].readings)
    asked = {singular(atom.text) for atom in atoms(question) if not atom.readings}
    rest = [atom for place, atom in enumerate(wanted) if atom.readings or not _asked(wanted, place, asked)]
    if rest and len(rest) < len(wanted):
        yield rest, len(rest) == 1 and rest[0].bare is not None
    if len(rest) == 1 and rest[0].bare is not None and asked & _unit_words(rest[0]):
        yield rest, True


def _asked(wanted: Sequence[Atom], place: int, asked: set[str]) -> bool:
    """A word of the question, or the "per" before one."""
    if wanted[place].text == "per" and place + 1 < len(wanted):
        place += 1
    return singular(wanted[place].text) in asked


def _other_rate(said: Sequence[Atom], last: int, question: str) -> bool:
    """ "€5 per week" does not answer what it costs "per night"."""
    if last >= len(said) or said[last].text != "per":
        return False
    told = {singular(atom.text) for atom in said[last + 1 : last + 4]} & _PERIODS
    asked = set(map(singular, re.findall(r"\bper (\w+)", clean(question)))) & _PERIODS
    return bool(told and asked) and not told & asked


def _unit_words(value: Atom) -> set[str]:
    """ "36 hours" -> {"hour"}."""
    return {singular(word) for word in re.findall(r"[^\W\d]+", value.text)}


def _is_punctuation(atom: Atom) -> bool:
    return not atom.readings and bool(_PUNCTUATION.fullmatch(atom.text))


def _match(wanted: Sequence[Atom], said: Sequence[Atom], first: int, bare: bool) -> int | None:
    """Where in `said` the wanted atoms, read from `first` on, end (exclusive); None where they do not stand there."""
    at = first
    for place, atom in enumerate(wanted):
        while at > first and at < len(said) and _skips(said, at, atom):
            at += 1
        if at >= len(said):
            return None
        if atom.found_in(said[at]) or (bare and _same_number(atom, said[at])):
            at += 1
        elif (after := _joined(atom, said, at)) is not None:
            at = after
        elif place and atom.text in _BETWEEN and wanted[place - 1].readings:
            continue
        else:
            return None
    return at


def _skips(said: Sequence[Atom], at: int, wanted: Atom) -> bool:
    """Punctuation, and the "to" of a range, need not agree."""
    if _is_punctuation(said[at]):
        return said[at].text not in ".!?;"
    return bool(wanted.readings and said[at].text in _BETWEEN and said[at - 1].readings)


def _same_number(wanted: Atom, said: Atom) -> bool:
    """A number without a unit, on one of the two sides."""
    plain = any(name == "number" for name, _ in (wanted.readings | said.readings))
    return plain and wanted.bare is not None and wanted.bare == said.bare


def _joined(wanted: Atom, said: Sequence[Atom], at: int) -> int | None:
    """ "OLN 7741" for the code "OLN-7741": atoms that, run together, spell it."""
    codes = {str(code) for name, code in wanted.readings if name == "code"}
    if not codes:
        return None
    spelled = ""
    for place in range(at, min(at + 8, len(said))):
        spelled += re.sub(r"\W", "", said[place].text)
        if spelled in codes:
            return place + 1
    return None


def _spelled_by(wanted: Sequence[Atom], said: Sequence[Atom], first: int) -> int | None:
    """The code "OLN-7741" for "OLN 7741"."""
    codes = {code for name, code in said[first].readings if name == "code"}
    return first + 1 if codes and "".join(re.sub(r"\W", "", atom.text) for atom in wanted) in codes else None


def _stands_alone(said: Sequence[Atom], last: int, wanted: Sequence[Atom], question: str) -> bool:
    """A bare number must not count something else: "7 docks" does not answer how many boats."""
    if said[last - 1].readings and not any(name == "number" for name, _ in said[last - 1].readings):
        counted = _counted(question)
        return not counted or bool(_unit_words(said[last - 1]) & counted)
    if last > 1 and (label := said[last - 2].text) in _counted(question) - _FUNCTION and label == singular(label):
        return False  # "room 5" is no count of rooms
    if last >= len(said) or said[last].readings or _is_punctuation(said[last]):
        return True
    asked = {singular(atom.text) for atom in atoms(question)}
    following = [singular(atom.text) for atom in said[last : last + 2]]  # one adjective may stand between
    return not asked or said[last].text in _FUNCTION or any(word in asked for word in following)


def _counted(question: str) -> set[str]:
    """What a question counts, in the singular: "How many spare rooms are there" -> {"spare", "room", "are"}."""
    counted = _COUNTED.search(clean(question))
    return set(map(singular, counted.group().split())) - {"how", "many", "there"} if counted else set()


def _speaks_against(said: Sequence[Atom], first: int, last: int, cleaned: str) -> str:
    before = re.split(r"[.!?;]\s", cleaned[: said[first].start])[-1]
    if _DENIAL.search(before):
        return "it is denied"
    if said[first].readings and (_ADDED_TO.search(before) or _ADDED.match(cleaned[said[last - 1].end :])):
        return "it is a term of a sum"
    if _is_offered(said, first, last, cleaned):
        return "it is one of several alternatives"
    return ""


def _is_offered(said: Sequence[Atom], first: int, last: int, cleaned: str) -> bool:
    """ "7, 14 or 21 days", "red or yellow": an answer that lists alternatives has not answered."""
    if said[first].readings:
        return _offers_values(said, first, last)
    after, before = cleaned[said[last - 1].end :], cleaned[: said[first].start]
    forward = re.match(rf"(?:, [\w-]+(?: [\w-]+)?)*,? or (?!(?:{_OPEN_ENDED})\b)[\w-]+", after)
    backward = re.search(r"\b(?:either )?[\w-]+,? or (?:the |a |an |at )?$", before)
    return bool(forward or backward)


def _offers_values(said: Sequence[Atom], first: int, last: int) -> bool:
    """Values of one kind, joined by commas and an "or", that are not all the same."""
    run, alternatives = [first], False
    for step, at in ((-1, first - 1), (1, last)):
        joined = False
        while 0 <= at < len(said):
            atom = said[at]
            if atom.text in {",", "or", "/"}:
                joined, alternatives = True, alternatives or atom.text == "or" and _value_beyond(said, at, step)
            elif joined and atom.readings and _comparable(said[first], atom):
                run, joined = [*run, at], False
            else:
                break
            at += step
    return alternatives and any(
        not (said[first].readings & said[at].readings) for at in run if not _bare_twin(said, first, at)
    )


def _value_beyond(said: Sequence[Atom], at: int, step: int) -> bool:
    beyond = at + step
    return 0 <= beyond < len(said) and bool(said[beyond].readings)


def _bare_twin(said: Sequence[Atom], first: int, at: int) -> bool:
    return said[first].bare is not None and said[first].bare == said[at].bare


def _comparable(one: Atom, other: Atom) -> bool:
    kinds = {name for name, _ in one.readings}, {name for name, _ in other.readings}
    return bool(kinds[0] & kinds[1]) or "number" in kinds[0] | kinds[1]


def _scattered(accepted: str, said: Sequence[Atom]) -> Iterator[tuple[int, int]]:
    """Three to eight words of an accepted answer, in another order or with a few words between, in one sentence."""
    wanted = [atom for atom in atoms(accepted) if not _is_punctuation(atom) and atom.text not in _FUNCTION]
    if not 3 <= len(wanted) <= 8:
        return
    reach = 2 * len(wanted) + 4
    for first in range(len(said)):
        window = []
        for atom in said[first : first + reach]:
            if atom.text in {".", "!", "?"}:
                break
            window.append(atom)
        starts = bool(window) and any(atom.found_in(window[0]) for atom in wanted)
        if starts and all(any(atom.found_in(other) for other in window) for atom in wanted):
            yield window[0].start, window[-1].end
            return
