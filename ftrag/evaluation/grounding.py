"""What an answer owes to its passages: was the evidence retrieved, and does the answer say only what they say?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.evaluation.citations import HEADING, SIGN_OFF, Embed, align
from ftrag.evaluation.metrics import content_atoms
from ftrag.evaluation.refusals import declines
from ftrag.text import sentences, words
from ftrag.types import Chunk, Score

LEADS_ON = re.compile(r"[:?][\s*_\"'”’)\]]*$")  # a question, or what only announces the list below it
BOLD_LINE = re.compile(r"^\s*(\*\*|__)[^*_]*[^*_.!?…]\1\s*$")  # a heading that is written as a bold line
COURTESY = re.compile(
    r"^\W*(?:many thanks|thanks|thank you|(?:i|we) hope|hope (?:this|that)|wishing you|(?:i|we) wish you|see you|"
    r"you(?:'re|’re| are) (?:very )?welcome|have an? (?:\w+ )?(?:nice|good|great|lovely|fine|wonderful|safe)|"
    r"(?:please )?let (?:me|us) know if you (?:have|need|want|would)|(?:please )?feel free to (?:ask|reach|contact)|"
    r"if you have (?:any|more|other|further)(?: \w+)? questions|(?:i'm|i am|we're|we are) (?:happy|glad) to help|"
    r"(?:best|kind|warm) (?:regards|wishes)|enjoy\b[^.]*!\W*$)",
    re.IGNORECASE,
)


def is_retrieved(evidence: Sequence[str], passages: Sequence[Chunk]) -> bool | None:
    """Whether any evidence entry (a document's name, or a passage) is among the passages; None without evidence."""
    if not evidence:
        return None
    names = {chunk.document for chunk in passages}
    texts = [f" {' '.join(words(chunk.text))} " for chunk in passages]
    return any(entry in names or any(f" {' '.join(words(entry))} " in text for text in texts) for entry in evidence)


def faithfulness(
    answer: str, passages: Sequence[Chunk], embed: Embed | None = None, rewords: bool = True, question: str = ""
) -> Score:
    """Share of an answer's sentences that a passage supports; None without passages, for a refusal, or without claims.

    A sentence without a value or at least three words of content (a greeting, a sign-off) claims nothing. embed:
    sentence embeddings, which also find support under other words; rewords: whether such support is believed;
    question: what was asked.
    """
    if not passages or declines(answer):
        return Score(None, "no passages were read" if not passages else "a refusal claims nothing")
    rows = align(answer, passages, embed, rewords, question)
    claims = [row for row, (start, end) in zip(rows, sentences(answer), strict=True) if is_claim(answer[start:end])]
    if not claims:
        return Score(None, "the answer claims nothing")
    supported = sum(row["supported"] for row in claims)
    return Score(supported / len(claims), f"{supported} of {len(claims)} sentences are supported by a passage")


def statements(answer: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of `citations.align` that an answer's reader would hold against the passages, in order.

    Whatever is supported, and what claims something: of an answer that declines, nothing else is asked for.
    """
    refuses = declines(answer)
    spans = [(row["sentence"]["start"], row["sentence"]["end"]) for row in rows]
    return [
        row
        for row, (start, end) in zip(rows, spans, strict=True)
        if row["supported"] or not refuses and states(answer[start:end])
    ]


def states(sentence: str) -> bool:
    """Whether a sentence claims something: no heading, name below a letter, question, announcement or pleasantry.

    Stricter than `is_claim`, by which recorded runs were scored: here a reader would be told that support is missing.
    """
    if not is_claim(sentence) or declines(sentence) or HEADING.match(sentence) or SIGN_OFF.match(sentence):
        return False
    has_value = any(atom.readings for atom in content_atoms(sentence))
    return has_value or not any(form.search(sentence) for form in (BOLD_LINE, COURTESY, LEADS_ON))


def is_claim(sentence: str) -> bool:
    """Whether a sentence has a value, or at least three words of content: a greeting has neither."""
    found = content_atoms(sentence)
    return len(found) >= 3 or any(atom.readings for atom in found)
