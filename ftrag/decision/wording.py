"""The verdict in sentences that quote its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SENTENCES: dict[str, str] = {
    "no change": "Leave the model as it is.",
    "prompt": "Write a better prompt: a few examples in it are enough.",
    "rag": "Retrieve: put passages of your documents into the prompt.",
    "fix retrieval": "Fix retrieval: the model can use the right passages, it is not given them.",
    "fine-tune": "Fine-tune: train a LoRA on your examples.",
    "both": "Do both: retrieve passages and fine-tune the model that reads them.",
    "larger model": "Take a larger model: nothing tried here repairs this one.",
    "not enough evidence": "Not enough evidence: ask more questions before deciding.",
}
FAILURES = {"content": "knowledge failures", "behaviour": "behaviour failures"}
# {of}: "18 of 40 knowledge failures" or "22"; {s} ends a verb where it is one
CAUSES: dict[str, str] = {
    "prompt": "a few examples in the prompt repair {of}",
    "suspect evidence": "the gold passages fail where retrieved ones succeed in {of}: check that evidence",
    "retrieval fixes": "retrieval repairs {of}",
    "prompted retrieval": "retrieval repairs {of} once the prompt shows how to use passages",
    "behaviour": "fine-tuning repairs {of}",
    "reading": "only the tuned model reads the passage in {of}",
    "retrieval bound": "{of} wait{s} for a better retriever: the gold passage repairs, the retrieved ones do not",
    "retrieval untested": "the gold passage repairs {of}, and base+rag was not run on them",
    "unresolved": "nothing tried repairs {of}: a larger model, or a wrong gold answer",
}


def comparison_sentence(row: Mapping[str, Any]) -> str:
    """One comparison with its interval, counts and adjusted p."""
    return (
        f"{row['b']} {'beats' if row['beats'] else 'does not beat'} {row['a']}: {row['difference'] * 100:+.0f} points "
        f"(95 % interval {row['low'] * 100:+.0f} to {row['high'] * 100:+.0f}), {row['wins']} repaired and "
        f"{row['losses']} broken of {row['n']}, p {p_value(row['p_holm'])} after Holm."
    )


def cause_sentences(causes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """One sentence per axis: what repairs how many of its failures, most first."""
    sentences = []
    for axis, counts in causes.items():
        found = {name: count for name, count in counts.items() if count and name != "solved"}
        failures = sum(found.values())
        parts: list[str] = []
        for name in sorted(found, key=lambda name: -found[name]):
            of = f"{found[name]} of {failures} {FAILURES[axis]}" if not parts else str(found[name])
            parts.append(CAUSES[name].format(of=of, s="s" if found[name] == 1 else ""))
        if parts:
            sentence = "; ".join(parts)
            sentences.append(f"{sentence[0].upper()}{sentence[1:]}.")
    return sentences


def retrieval_sentence(rows: list[Mapping[str, Any]]) -> list[str]:
    """Whether the retriever or the reader is to blame for retrieval-bound rows, where gold evidence tells."""
    known = [row["retrieved"] for row in rows if "retrieved" in row]
    if not known:
        return []
    missed = known.count(False)
    return [
        f"Of {len(known)} retrieval-bound questions with known evidence, the retriever missed it in {missed}; "
        f"in {len(known) - missed} it was among the passages and the model did not use it."
    ]


def p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def points(share: float) -> str:
    return f"{share * 100:.0f} points"
