"""Does an answer decline? Recognised by what such sentences say, not by one project's phrase."""

from __future__ import annotations

import re

from ftrag.evaluation.values import clean, values
from ftrag.text import sentences

_SOURCE = (
    r"(?:pages?|documents?|documentation|passages?|context|knowledge base|records?|files?|sources?|materials?|"
    r"information|texts?|data|articles?|docs|handbook|manual|excerpts?|website|site|guide|policy|policies|notes|list)"
)
_WHO = r"(?:i|we|i'm|we're)"
_ANY = r"(?:[\w'-]+ ){0,3}"
_NOT = (
    r"(?:do not|don't|did not|didn't|cannot|can't|can not|could not|couldn't|"
    r"(?:am|are|was|were) (?:unable|not able) to)"
)
_NEG = r"(?:do not|don't|does not|doesn't|did not|didn't|cannot|can't)"
_PATTERNS = (
    # the sources do not hold it
    rf"(?:\bnot|n't) (?:[\w'-]+ ){{0,3}}(?:in|on|part of|from|covered by) {_ANY}{_SOURCE}\b",
    rf"\b{_SOURCE}(?: [\w'-]+){{0,4}} {_NEG} {_ANY}(?:mention|state|specify|contain|include|cover|say|list|indicate|"
    r"provide|give|address|tell|have|answer|disclose|describe|explain|show)\b",
    rf"\b{_SOURCE}(?: [\w'-]+){{0,3}} (?:is|are) silent\b",
    r"\b(?:is|are|was|were)(?: not|n't) (?:[\w'-]+ )?(?:mentioned|stated|specified|documented|disclosed)\b",
    r"\b(?:answer|information|detail|details|figure|number)(?: [\w'-]+){0,5} (?:is|are)(?: not|n't) "
    r"(?:[\w'-]+ )?(?:given|provided|available|known|included|listed|found|there)\b",
    r"\b(?:no|not enough|insufficient|without) (?:[\w'-]+ )?(?:information|mention|details?|data|records?|answer) "
    r"(?:[\w'-]+ ){0,3}(?:about|on|of|for|regarding|available|given|provided|found|here|in|to)\b",
    rf"\b(?:there is|there's|i have|we have|have) (?:no|nothing) (?:[\w'-]+ ){{0,4}}(?:in|from) {_ANY}{_SOURCE}\b",
    rf"\bnone of {_ANY}{_SOURCE}\b",
    r"\bcannot be (?:determined|answered|found|inferred|known|said|verified)\b",
    r"\b(?:is|are) (?:unknown|unanswerable|not known|unspecified)\b",
    r"^\W*(?:unknown|unanswerable|n/a|not known|no answer|no information|not specified|not stated|not mentioned|"
    r"not available|not found|not given|not provided|none given)\W*$",
    # the speaker does not know
    rf"\b{_WHO} (?:really |honestly |just |simply |currently |also |still )?{_NOT} {_ANY}(?:know|find|say|tell|answer|"
    r"determine|confirm|locate|see any|help|verify|"
    r"(?:provide|give you) (?:an |any |the |that|this)(?:answer|information|details?)?|be sure|be certain|"
    r"have (?:[\w'-]+ ){0,4}(?:information|details?|data|answer|access|knowledge|record|idea|that|it))\b",
    r"\b(?:i'm|i am|we're|we are) (?:[\w'-]+ )?(?:not sure|unsure|uncertain|not certain|not aware|unable to|"
    r"not able to|unaware)\b",
    r"\b(?:i|we) have no (?:idea|information|knowledge|answer|record|details|data|way of knowing|way to)\b",
    r"\b(?:i|we)(?:'d| would) (?:rather|prefer) not (?:to )?(?:guess|say)\b",
    r"\b(?:outside|beyond) (?:of )?(?:my|our|the) (?:scope|knowledge|information|expertise)\b",
    r"\bnot something (?:that )?(?:i|we|our|the)\b",
    r"\b(?:couldn't|could not|unable to|cannot|can't) (?:find|locate|determine|answer|confirm) "
    r"(?:that|this|it|any|an answer|the answer|information|the information)\b",
    r"\bdon't know\W*$",
)
REFUSAL = re.compile("|".join(_PATTERNS))
_YOU = re.compile(r"\b(?:if|when|because|since|unless) (?:you|we|i)\b[^.]*$")
_TURN = re.compile(r"\b(?:but|however|though|although|still|probably|perhaps|maybe)\b")
_PLEASANTRY_WORDS = 7  # a first sentence this short, without a value, may stand before the refusal


def refusal_at(answer: str) -> int | None:
    """Character offset into clean(answer) where it declines, None where it does not."""
    for match in REFUSAL.finditer(cleaned := clean(answer)):
        if not _YOU.search(cleaned[: match.start()].rpartition(". ")[2]):
            return match.start()
    return None


def declines(answer: str) -> bool:
    """Whether the answer as a whole is a refusal: it declines at once, and names no value after a "but"."""
    at = refusal_at(answer)
    if at is None:
        return False
    cleaned = clean(answer)
    spans = sentences(cleaned)
    before = [cleaned[start:end] for start, end in spans if end <= at]
    if any(len(text.split()) > _PLEASANTRY_WORDS or values(text) for text in before):
        return False
    turn = _TURN.search(cleaned, at)
    return not (turn and [value for value in values(cleaned[turn.end() :]) if _is_claim(value.readings)])


def _is_claim(readings: frozenset[tuple[str, float | str]]) -> bool:
    """A phone number or a code in a referral claims nothing."""
    return not any(name in {"code", "ordinal"} for name, _ in readings)
