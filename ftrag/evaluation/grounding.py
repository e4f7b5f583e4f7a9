"""What an answer owes to its passages: was the evidence retrieved, and does the answer say only what they say?"""

from __future__ import annotations

from collections.abc import Sequence

from ftrag.evaluation.citations import Embed, align
from ftrag.evaluation.metrics import content_atoms
from ftrag.evaluation.refusals import declines
from ftrag.text import sentences, words
from ftrag.types import Chunk, Score


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
    claims = [row for row, (start, end) in zip(rows, sentences(answer), strict=True) if _is_claim(answer[start:end])]
    if not claims:
        return Score(None, "the answer claims nothing")
    supported = sum(row["supported"] for row in claims)
    return Score(supported / len(claims), f"{supported} of {len(claims)} sentences are supported by a passage")


def _is_claim(sentence: str) -> bool:
    found = content_atoms(sentence)
    return len(found) >= 3 or any(atom.readings for atom in found)
