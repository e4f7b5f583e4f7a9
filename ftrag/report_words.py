"""What the words of a report mean, for a reader who has not seen one before. Rows; those that occur are printed."""

from __future__ import annotations

from collections.abc import Sequence

from ftrag.report_parts import Section, Table

WORDS: tuple[tuple[str, str], ...] = (
    ("arm", "one way of answering the same questions: with or without examples, passages and training"),
    ("base", "the model as it is, with the question alone"),
    ("prompt", "in the name of an arm: a few worked examples stand before the question"),
    ("rag", "retrieval: passages found in the documents stand before the question"),
    (
        "oracle",
        "the passages that hold the answer are handed over, as by a search that never misses; a test, not a way",
    ),
    ("lora", "fine-tuning: the model was trained on examples; what it learnt is a small file beside it, the adapter"),
    ("content", "are the facts of the answer right"),
    ("behaviour", "does the answer keep the form that was asked for: its length, tone, format"),
    ("both", "facts and form right in the same answer"),
    ("gold", "questions with answers that people wrote to check against"),
    ("points", "percentage points: from 40 % to 55 % is a gain of 15 points"),
    ("interval", "the range in which the true figure lies in about 95 of 100 such measurements"),
    ("Wilson", "the usual way to work out the interval of a share"),
    ("bootstrap", "the interval of a difference, from drawing the same questions again at random many times"),
    (
        "greedy",
        "of all possible next words the likeliest is always taken, so that the same question gets the same answer",
    ),
    ("McNemar", "a test of two arms on the same questions, by the questions that only one of them gets right"),
    ("p", "how often chance alone would show at least so clear a difference; below 0.05 counts as established"),
    (
        "Holm",
        "a stricter reading of p where several comparisons are made, so that luck in one of them is not a finding",
    ),
    ("p50", "half of the answers come at least as fast"),
    ("p95", "95 of 100 answers come at least as fast"),
    ("first token", "the wait until the first piece of a word appears; a token is about four letters"),
    ("gate", "a condition that must hold before anything is promoted"),
    ("slice", "a part of the questions with a name, such as one subject"),
    ("regression", "an answer that was right and is wrong under another arm"),
    ("hash", "a fingerprint of what the run used; when one differs today, the run no longer describes this project"),
)


def explained(sections: Sequence[Section]) -> list[Section]:
    """One section with the words that occur in the others; none where there is nothing to explain."""
    said = " ".join(_texts(sections)).casefold()
    known = {word.strip(".,:;()") for word in said.replace("+", " ").replace("-", " ").split()}
    rows = tuple(
        (word, meaning)
        for word, meaning in WORDS
        if word.casefold() in known or f"{word.casefold()}s" in known or (" " in word and word in said)
    )
    return [Section("Words used here", (Table(("word", "what it means"), rows),))] if rows else []


def _texts(sections: Sequence[Section]) -> list[str]:
    texts: list[str] = []
    for part in (part for section in sections for part in section.parts):
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Table):
            texts += [*part.headers, *(row[0] for row in part.rows)]
    return texts
