"""Words that say what a capability needs, and the negations that take it back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Indicator:
    axis: str  # "facts" or "behaviour"
    pattern: str  # regular expression, matched in lower case from a word's start
    answer: tuple[str, str] = ("", "")  # what it says to the questionnaire: (question key, option)


@dataclass(frozen=True)
class Reading:
    """What the words of one capability say."""

    hits: tuple[tuple[Indicator, str], ...]  # indicator and the words that matched
    negated: tuple[str, ...]  # words that a negation takes back
    text: str  # the capability without its negated parts, for the embedding
    against: tuple[str, ...] = ()  # the axes that a negation takes back, one for each of `negated`


CITE, DAILY, MONTHLY = ("needs-citations", "true"), ("knowledge-changes", "daily"), ("knowledge-changes", "monthly")
INDICATORS: tuple[Indicator, ...] = (
    Indicator("facts", r"cit(?:e[sd]?|ing|ations?)\b|footnotes?\b|references? to the", CITE),
    Indicator("facts", r"quot(?:e[sd]?|ing)\b(?! for\b)", CITE),
    Indicator(
        "facts", r"trace(?:able|d|s)?\b(?: back)?|traceability|audit trails?|auditors?|evidence\b|provenance", CITE
    ),
    Indicator(
        "facts", r"(?:name|show|link|give|point|stat)\w*(?: \w+){0,4} (?:sources?|page|paragraph|section)\b", CITE
    ),
    Indicator("facts", r"(?:with|including) (?:links?|sources?)\b|verbatim|word for word", CITE),
    Indicator(
        "facts",
        r"up[- ]to[- ]date|up[- ]to[- ]the[- ]minute|real[- ]time|live (?:\w+ )?(?:data|figures?|feed|stock|status)",
        DAILY,
    ),
    Indicator("facts", r"today'?s?\b|tonight|this morning|right now|at the moment|hourly|by the hour", DAILY),
    Indicator(
        "facts",
        r"(?:change|move|update|vary|fluctuate|shift)[sd]? (?:\w+ ){0,2}(?:daily|hourly|constantly|"
        r"every day|each day|overnight|by the hour)",
        DAILY,
    ),
    Indicator(
        "facts",
        r"(?:change|update|revise|amend|edit|publishe?|add|release)[sd]? (?:\w+ ){0,2}(?:weekly|"
        r"every week|each week)",
        ("knowledge-changes", "weekly"),
    ),
    Indicator("facts", r"this week'?s?\b|new (?:\w+ ){1,2}(?:weekly|every week)", ("knowledge-changes", "weekly")),
    Indicator(
        "facts",
        r"(?:change|update|revise|amend)[sd]? (?:\w+ ){0,3}(?:monthly|quarterly|yearly|often|"
        r"frequently|regularly|every \w+|each \w+)",
        MONTHLY,
    ),
    Indicator("facts", r"current(?:ly)?\b|latest\b|newest\b|most recent\b|recent\b|in force\b|as of\b"),
    Indicator(
        "facts",
        r"look(?:s|ing)? up\b|lookup|retriev\w+|search(?:es|ing)?\b|find(?:s|ing)? (?:the|similar|"
        r"past|relevant|matching)",
    ),
    Indicator(
        "facts",
        r"specific documents?|knowledge base|documentation|handbook|manuals?\b|catalogu?e|wiki\b|"
        r"archive\b|database|data ?sheets?|price list|records?\b",
    ),
    Indicator(
        "facts",
        r"(?:prices?|rates|tariffs?|stock|availability|inventory|status|balance|schedules?|timetable|deadlines?)\b",
    ),
    Indicator(
        "facts",
        r"on file\b|(?:stored|held|kept|listed|recorded|filed) (?:in|for|with|under)\b|"
        r"(?:in|from|out of|off) (?:the|our|his|her|their) (?:\w+ ){0,2}"
        r"(?:system|crm|erp|file|ledger|portal|log|register|diary|book|folder|inbox|minutes|contract|bylaws|plan)s?\b",
    ),
    Indicator(
        "behaviour",
        r"pasted|dictated|supplied|handed over|typed in|spoken|scribbled|rough notes|raw notes|keywords|bullet points|"
        r"(?:customer|caller|agent|user|client|clerk|officer|driver|nurse|doctor)s? (?:gives?|types?|says?|"
        r"dictates?)\b",
    ),
    Indicator(
        "behaviour",
        r"(?:reading|grade|language) level|(?:simple|short|easy) (?:enough|words|sentences)|(?:present|past) tense|"
        r"\d+[- ](?:characters?|words?)|year[- ]olds?\b|capital letters|lower case|imperative|abbreviated",
    ),
    Indicator(
        "behaviour",
        r"(?:consistent|fixed|set|same|standard|our|strict|house|required) (?:\w+ )?(?:format|"
        r"layout|structure|template|schema|pattern)",
    ),
    Indicator(
        "behaviour",
        r"formatt?(?:ed|ing)?\b|layout|template|schema|json\b|xml\b|yaml\b|csv\b|fhir\b|hl7\b|"
        r"edifact|markdown\b|machine[- ]readable",
        ("style-requirements", "high"),
    ),
    Indicator(
        "behaviour",
        r"styles?\b|stylistic|tone\b|voice\b|register\b|wording|phras(?:e|ing)\b|persona(?:lity)?\b|in character",
        ("style-requirements", "high"),
    ),
    Indicator(
        "behaviour",
        r"sounds? (?:\w+ )?like|speaks? like|writes? like|talks? like|reads? like|feel like|the way (?:our|"
        r"we)\b|as (?:our|an? experienced)\b",
        ("style-requirements", "high"),
    ),
    Indicator(
        "behaviour",
        r"polite(?:ly)?\b|friendly\b|formal(?:ly)?\b|informal\b|warm(?:ly)?\b|empath\w+|"
        r"reassuring(?:ly)?|tactful(?:ly)?|calm(?:ly)?\b|plain language|encouraging(?:ly)?|"
        r"concise(?:ly)?|terse|banter|humou?r\w*|slang|cheer\w*|witty|playful",
    ),
    Indicator(
        "behaviour", r"protocols?\b|conventions?\b|jargon|terminology|abbreviations?|shorthand|nomenclature|house rules"
    ),
    Indicator(
        "behaviour",
        r"classif\w+|categori[sz]\w+|label(?:s|led|ling)?\b|tag(?:s|ged|ging)?\b|triage\w*|"
        r"grade[sd]?\b|score[sd]?\b|sort(?:s|ed|ing)? (?:\w+ ){0,2}(?:into|by)|"
        r"route[sd]? (?:\w+ ){0,3}to\b",
    ),
    Indicator(
        "behaviour",
        r"valid \w+|no other text|nothing else|closed list|exactly \w+ (?:words|sentences|bullets?|"
        r"lines?)|(?:under|at most|no more than|fewer than) \w+ (?:words|sentences|characters|"
        r"lines)|bullet points?|one sentence|single sentence|two sentences",
    ),
    Indicator(
        "behaviour",
        r"always (?:open|start|begin|end|close|greet|ask|use|answer|reply|respond|follow|sound)\w*|"
        r"never (?:use|sound|say|give|more than|mention)\w*|every time\b|consistent(?:ly)?\b",
    ),
    Indicator("behaviour", r"(?:convert|turn|translate|rewrite|transform|condense|map)s? (?:\w+ ){1,6}(?:into|to)\b"),
)

# A clause that says "not needed" about what it names. "Never use slang" is a rule, not such a negation.
_NAMED = (
    r"citations?|sources?|links?|references?|evidence|style|tone|voice|format\w*|template|lookups?|search|retrieval"
)
BEFORE = re.compile(
    r"\b(?:no need|no requirement|nothing to|(?:nobody|no one) (?:\w+ )?(?:needs?|asks?|cares?|wants?|minds?|reads?)|"
    r"(?:do|does|is|are|am|need|will|did|must) not (?:really |have to |need |require |care |fussed |"
    r"after |bother |meant |"
    r"here to |depend |rely |matter|about|based|looking|necessarily|an? )|need not|not (?:about|"
    r"based on|an? |any |one of |"
    r"looking for|a matter of|required to)|no longer|rather than|instead of|regardless of|"
    r"irrespective of|whatever the (?=style|tone|sources?|format|wording)|"
    r"never mind|neither|(?:skip|forget|leave out|leave aside|ignore|spare us) (?:the|all|any|about)\b|"
    r"(?:there is|there are|there\'s|has|have|got|had) no\b|without (?:any|needing|having|a need)|"
    rf"(?:no|without) (?=(?:\w+ )?(?:{_NAMED})\b)|no (?=(?:\w+ ){{1,3}}(?:needed|required|wanted|"
    rf"necessary|please)\b))"
)
AFTER = re.compile(
    r"\b(?:(?:is|are|does|do|need|will|has|have|did) not (?:really |be |been |to be |"
    r"much )?(?:needed|required|necessary|"
    r"wanted|matter|important|relevant|chang\w+|moved?\b|count|apply|asked|care|go out of date)|"
    r"not (?:needed|required|necessary|important|relevant)|never (?:changes?|changed|moves?|needed|matters?)|"
    r"nothing (?:\w+ ){0,3}changes|hardly ever changes?|unimportant|irrelevant|unnecessary|"
    r"none of (?:its|our|my|your)\b|"
    r"(?:is|are) (?:optional|up to (?:it|you|them)|all the same|all one)|of no importance|"
    r"no (?:\w+ ){1,3}(?:required|needed)|"
    r"(?:any way|however|whichever way|as \w+ as) (?:it|you|they) (?:likes?|wants?|pleases?)|"
    r"(?:may|can|could) be (?:\w+ )?(?:plain|clumsy|dry|ugly|rough|invented|made up)|leave (?:it|"
    r"that|them|those)(?: out)?$|"
    r"(?:is|are) (?:checked|handled|done|covered) (?:by|elsewhere|already)|"
    r"(?:facts|figures|data|information) (?:are|is|come|comes) (?:\w+ ){0,2}(?:in|from|"
    r"with) the (?:prompt|template|input|"
    r"request|text|note|brief)\w*|(?:supply|give|provide|paste|put) (?:\w+ ){0,3}(?:facts|figures|data) (?:\w+ ){0,3}"
    r"(?:ourselves|in the prompt))\b"
)
# Words that look like a negation and are a demand: "not only", "a figure without its source is useless".
DEMAND = re.compile(
    r"\bnot (?:only|merely|just|simply)\b|"
    r"\bwithout (?=[^,;.]*\b(?:useless|worthless|unusable|no use|no good|rejected|incomplete)\b)"
)
CLAUSE = re.compile(
    r"(?:[,;:.!?]+\s+|\s+(?:but|while|whereas|although|though|yet|however(?= it| the)|as long as|so long as|"
    r"provided that|–|—|-)\s+)"
)


@cache
def _compiled() -> tuple[tuple[Indicator, re.Pattern[str]], ...]:
    return tuple((row, re.compile(rf"\b(?:{row.pattern})")) for row in INDICATORS)


def read(capability: str) -> Reading:
    """Indicators in a capability; those in a negated part count for nothing."""
    kept, dropped = [], []
    for clause in CLAUSE.split(_spelled_out(capability)):
        negated, rest = _split(clause)
        kept += [rest] if rest.strip() else []
        dropped += [negated] if negated else []
    text, lost = ", ".join(kept), _hits(" , ".join(dropped))
    return Reading(tuple(_hits(text)), tuple(words for _, words in lost), text, tuple(row.axis for row, _ in lost))


def _spelled_out(text: str) -> str:
    """Lower case, with contracted negations written out: "don't" is "do not"."""
    low = text.lower().replace("\u2019", "'").replace("can't", "can not").replace("won't", "will not")
    return DEMAND.sub("with ", low.replace("cannot", "can not").replace("n't", " not"))


def _split(clause: str) -> tuple[str, str]:
    """(negated part, the rest) of a clause."""
    if AFTER.search(clause):
        return clause, ""
    before = BEFORE.search(clause)
    return (clause[before.start() :], clause[: before.start()]) if before else ("", clause)


def _hits(text: str) -> list[tuple[Indicator, str]]:
    found = [(row, pattern.search(text)) for row, pattern in _compiled()]
    return [(row, match[0].strip()) for row, match in found if match]
