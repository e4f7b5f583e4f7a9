"""The verdict in sentences that quote its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SENTENCES: dict[str, str] = {
    "no change": "Leave the model as it is.",
    "prompt": "Write a better prompt: a few examples in it are enough.",
    "rag": "Retrieve: put passages of your documents into the prompt.",
    "fix retrieval": "Fix retrieval: with the right passages alone the model answers, with those it gets it does not.",
    "fine-tune": "Fine-tune: train a LoRA on your examples.",
    "both": "Do both: retrieve passages and fine-tune the model that reads them.",
    "larger model": "Take a larger model: nothing tried here repairs this one.",
    "not enough evidence": "Not enough evidence: ask more questions before deciding.",
}
UNTRIED = "Get the right passages: with them the model answers. Retrieval was not run: run base+rag."  # fix retrieval
# what can be tried -> the arms that try it, the one to run first before the others
TRIALS: dict[str, tuple[str, ...]] = {
    "retrieval": ("base+rag", "prompt+rag"),
    "a prompt with examples": ("prompt", "prompt+rag"),
    "a trained arm": ("lora", "lora+rag"),
}
UNTRIED_FAILURES = "no arm was run that could repair {of}"
ONLY_BASE = "Nothing was tried: only base was run, and all this says is that base does not reach the target."
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
    "retrieval untested": "the gold passage repairs {of}, and base+rag was not run on them or has no verdict",
    "unresolved": "nothing tried repairs {of}: a larger model, or a wrong gold answer",
}


def comparison_sentence(row: Mapping[str, Any]) -> str:
    """One comparison with its interval, counts and adjusted p."""
    return (
        f"{row['b']} {'beats' if row['beats'] else 'does not beat'} {row['a']}: {row['difference'] * 100:+.0f} points "
        f"(95 % interval {row['low'] * 100:+.0f} to {row['high'] * 100:+.0f}), {row['wins']} repaired and "
        f"{row['losses']} broken of {row['n']}, p {p_value(row['p_holm'])} after Holm."
    )


def untried_sentence(run: Sequence[str], oracles: Sequence[str] = ()) -> str:
    """What no arm of the run has tried, and what to run next; "" where something of every kind was."""
    missing = {what: arms[0] for what, arms in TRIALS.items() if not set(arms) & set(run)}
    if not missing:
        return ""
    first = ONLY_BASE if len(missing) == len(TRIALS) and not oracles else "This is not the last word."
    return f"{first} Not tried: {', '.join(missing)}. Run next: {', '.join(missing.values())}."


def cause_sentences(causes: Mapping[str, Mapping[str, int]], tried: bool = True) -> list[str]:
    """One sentence per axis: what repairs how many of its failures, most first. tried: whether base was not alone."""
    sentences = []
    for axis, counts in causes.items():
        found = {name: count for name, count in counts.items() if count and name != "solved"}
        failures = sum(found.values())
        parts: list[str] = []
        for name in sorted(found, key=lambda name: -found[name]):
            of = f"{found[name]} of {failures} {FAILURES[axis]}" if not parts else str(found[name])
            form = CAUSES[name] if tried else UNTRIED_FAILURES
            parts.append(form.format(of=of, s="s" if found[name] == 1 else ""))
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


def gate_sentences(gates: Mapping[str, Any], decision: Mapping[str, Any]) -> list[str]:
    """Whether what is held may be promoted, and what defaults that bind promotion alone would have changed."""
    bad = [row["metric"] for row in gates["rows"] if row["state"] not in ("pass", "off")]
    state = {"pass": "pass", "fail": "fail", "unmeasured": "are not all measured"}[gates["state"]]
    if gates["state"] == "pass":
        return [f"Those of {gates['arm']} {state}."]
    said = [f"Those of {gates['arm']} {state} ({', '.join(bad)}), so it cannot be promoted."]
    gated = decision.get("gated")
    if gated and gated["failed"] and gated["route"] != decision["route"]:
        said.append(
            "These are the defaults, and they bind promotion alone; were they binding here too, "
            f"{', '.join(gated['failed'])} would not count and the route would be {gated['route']}."
        )
    return said


def expected_sentence(expected: str, route: str) -> str:
    """An example that measures otherwise than it was built to; "" where it does not."""
    if not expected or expected == route:
        return ""
    return (
        f"This example was built to lead to {expected}; measured is {route}, and the measurement stands. A model of "
        "this size may need training even to read a passage."
    )


def place_sentence(place: Mapping[str, Any]) -> str:
    """Where a question's evidence got lost, from what `shopping.locate` found."""
    document, rank = place["document"], place["rank"]
    return {
        "missing": "no document holds the evidence",
        "cut": f"{document} holds the evidence, but no chunk holds it whole",
        "ranked": f"the retriever puts the evidence at rank {rank} ({document})",
        "shown": f"the evidence was retrieved, at rank {rank} ({document})",
    }[place["state"]]


def usd(value: float) -> str:
    """Dollars to the hundredth of a cent."""
    return f"{'−' if value < -0.00005 else ''}${abs(value):.4f}"
