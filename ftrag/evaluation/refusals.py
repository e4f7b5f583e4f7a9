"""Does an answer decline? Recognised by what such sentences say, not by one project's phrase."""

from __future__ import annotations

import re
from functools import lru_cache

from ftrag.evaluation.spelled import clean
from ftrag.evaluation.values import values
from ftrag.text import sentences

_TEXT = (
    r"pages?|documents?|documentation|passages?|context|knowledge base|records?|files?|sources?|materials?|"
    r"information|texts?|data|articles?|docs|handbook|manual|excerpts?|website|notes"
)
_SOURCE = rf"(?:{_TEXT}|site|guide|policy|policies|list)"  # of which the last four also act: "the policy covers theft"
_FIGURE = r"(?:price|answer|information|details?|figures?|number|amount|date|reason|name)"
_WHO = r"(?:i|we|i'm|we're)"
_ANY = r"(?:[\w'-]+ ){0,3}"
_NOT = (
    r"(?:do not|don't|did not|didn't|cannot|can't|can not|could not|couldn't|"
    r"(?:am|are|was|were) (?:unable|not able) to|(?:aren't|wasn't|weren't) able to)"
)
_OTHER = r"(?! (?:the (?:phone|door|bell|call)|calls|fault|no\b))"  # "we cannot answer the phone", "we don't say no"
_NEG = r"(?:do not|don't|does not|doesn't|did not|didn't|cannot|can't)"
_PATTERNS = (
    # the sources do not hold it
    rf"(?:\bnot|n't) (?:[\w'-]+ ){{0,3}}(?:in|on|part of|from) {_ANY}{_SOURCE}\b",
    rf"(?:\bnot|n't) (?:[\w'-]+ ){{0,3}}covered (?:by|in) {_ANY}(?:{_TEXT})\b",
    rf"\b{_SOURCE}(?: [\w'-]+){{0,4}} {_NEG} {_ANY}(?:mention|state|specify|say|indicate|address|tell|answer|disclose|"
    r"describe|explain)\b",
    rf"\b(?:{_TEXT})(?: [\w'-]+){{0,4}} {_NEG} {_ANY}(?:contain|include|cover|list|provide|give|have|show)\b",
    rf"\b{_SOURCE}(?: [\w'-]+){{0,4}} {_NEG} {_ANY}(?:contain|include|cover|list|provide|give|have|show) "
    r"(?:that|this|it|any(?:thing)?|the answer|an answer|information|details)\b",
    rf"\b{_SOURCE}(?: [\w'-]+){{0,3}} (?:says?|gives?|states?|mentions?|contains?|provides?|"
    rf"has|have) (?:nothing|no (?:{_FIGURE}|mention|entry|entries))\b",
    rf"\bno {_FIGURE} (?:is|are) (?:given|stated|mentioned|specified|listed|documented|provided)\b",
    rf"\bnothing in {_ANY}{_SOURCE}\b",
    rf"\b{_SOURCE}(?: [\w'-]+){{0,3}} (?:is|are) silent\b",
    r"(?:\b(?:is|are|was|were)(?: not|n't)|'s not) (?:[\w'-]+ )?(?:mentioned|stated|specified|documented|disclosed)\b",
    r"\b(?:answer|information|detail|details|figure|number)(?: [\w'-]+){0,5} (?:is|are)(?: not|n't) "
    r"(?:[\w'-]+ )?(?:given|provided|available|known|included|listed|found|there)\b"
    r"(?! (?:by|until|before|after|on (?:your|the)|to)\b)",
    r"(?:\bnot|n't) enough (?:information|details?|data|context)\b",
    r"\b(?:no|insufficient|without) (?:[\w'-]+ )?(?:information(?! (?:desk|point|office|centre|center|stand|board)\b)|"
    r"mention|details?|data|records?|answer) "
    r"(?:[\w'-]+ ){0,3}(?:about|on|of|for|regarding|available|given|provided|found|here|in|to)\b",
    rf"\b(?:there is|there's|i have|we have|have) (?:no|nothing) (?:[\w'-]+ ){{0,4}}(?:in|from) {_ANY}{_SOURCE}\b",
    rf"\bnone of {_ANY}{_SOURCE}\b",
    r"\b(?:cannot|can't) be (?:determined|answered|found|inferred|known|said|verified)\b(?! (?:by|on)\b)",
    r"\b(?:is|are) (?:unknown|unanswerable|not known|unspecified)\b(?! to\b)",
    r"\b(?:it is|it's|that is|that's|this is) (?:not clear|unclear)"
    r"(?= (?:from|in|whether|what|how|who|when|where|which|if)\b|\W*$|[.,;])",
    r"\b(?:it|they|that|this) (?:do not|don't|does not|doesn't) say\b",
    r"^\W*(?:(?:i'm |i am )?(?:sorry|afraid)\W+)?(?:unknown|unanswerable|n/a|not known|no answer(?: found)?|"
    r"no (?:information|data)(?: found| available)?|(?:information |answer )?(?:not|cannot be) (?:specified|stated|"
    r"mentioned|available|found|given|provided)|none given|insufficient (?:information|data|context)|no idea|no clue|"
    r"not sure|(?:cannot|can't) (?:determine|tell|say|answer)|hard to (?:say|tell)|difficult to say)\W*$",
    # the speaker does not know
    rf"\b{_WHO} (?:really |honestly |just |simply |currently |also |still )?{_NOT} {_ANY}(?:"
    rf"(?:know|find|say|tell|answer)\b{_OTHER}|determine|confirm|locate|see any|help|verify|"
    r"(?:provide|give you) (?:an |any |the |that|this)(?:answer|information|details?)?|be sure|be certain|"
    r"have (?:[\w'-]+ ){0,4}(?:information|details?|data|answer|access|knowledge|record|idea|that|it))\b",
    r"\b(?:i'm|i am|we're|we are) (?:[\w'-]+ )?(?:not sure|unsure|uncertain|not certain|not aware|unaware)\b(?!-)",
    r"\b(?:i'm|i am|we're|we are) (?:[\w'-]+ )?(?:unable|not able) to (?:[\w'-]+ )?(?:answer|find|say|tell|help|"
    r"determine|confirm|locate|verify|assist|(?:provide|give|share) (?:[\w'-]+ ){0,3}(?:answer|information|details?|"
    r"that|this))\b",
    rf"\b{_WHO} (?:haven't|have not) (?:got|found|seen)\b",
    r"\b(?:i|we) (?:lack\b|have nothing (?:on|about|regarding)\b)",
    r"\b(?:i|we) have no (?:idea|clue|information|knowledge|answer|record|details|data|way of knowing|way to)\b",
    r"\b(?:i|we)(?:'d| would) (?:rather not|prefer not|not (?:want|like)) (?:to )?(?:guess|say)\b",
    r"\b(?:outside|beyond) (?:of )?(?:my|our|the) (?:scope|knowledge|information|expertise)\b"
    r"(?! of (?:the|your|our|this) (?:warranty|insurance|contract|plan|policy|agreement|service|offer)\b)",
    r"\b(?:is|are|falls?|lies?) (?:outside|beyond) (?:of )?what\b",
    r"\bnot something (?:that )?(?:i|we|our|the)\b",
    r"\b(?:couldn't|could not|unable to|cannot|can't) (?:find|locate|determine|answer|confirm) "
    r"(?:that|this|it|any|an answer|the answer|information|the information)\b",
    r"\bdon't know\W*$",
)
REFUSAL = re.compile("|".join(_PATTERNS))
# Every pattern needs one of these, so that most answers are spared the search.
_SIGNS = (
    *("n't", "not", "no ", "nothing", "none", "unable", "unknown", "unanswerable", "unspecified", "unclear", "unsure"),
    *("uncertain", "unaware", "silent", "insufficient", "without", "n/a", "hard to", "difficult to", "lack", "outside"),
    "beyond",
)
# what follows is a condition or a reason, and not the answer
_YOU = re.compile(r"\b(?:if|when|because|since|unless) (?:you|we|i)\b[^.]*$|\b(?:if|unless)\b[^.,;]*$")
_TURN = re.compile(r"\b(?:but|however|though|although|still|probably|perhaps|maybe)\b")
_PLEASANTRY_WORDS = 7  # a first sentence this short, without a value, may stand before the refusal


@lru_cache(maxsize=4096)
def refusal_at(answer: str) -> int | None:
    """Character offset into clean(answer) where it declines, None where it does not."""
    cleaned = clean(answer)
    if not any(sign in cleaned for sign in _SIGNS):
        return None
    for match in REFUSAL.finditer(cleaned):
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
