"""Where the evidence of a failed question got lost on its way into the prompt, and the list of what to get."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.text import normalise


def locate(evidence: str, documents: Mapping[str, str], ranked: Sequence[tuple[str, str]], k: int) -> dict[str, Any]:
    """{state, document, rank} of one piece of evidence, a verbatim passage or the name of a document.

    documents: name -> extracted text. ranked: (document, chunk text) of every chunk, best first for the question.
    state: "missing" (no document holds it), "cut" (a document does, no single chunk does), "ranked" (a chunk holds it,
    but not among the first k), "shown". rank: from 1, None where no chunk holds it.
    """
    wanted = _flat(evidence)
    name = next((name for name, text in documents.items() if name == evidence or wanted in _flat(text)), None)
    if name is None:
        return {"state": "missing", "document": None, "rank": None}
    holds = [evidence == document or wanted in _flat(text) for document, text in ranked]
    if not any(holds):
        return {"state": "cut", "document": name, "rank": None}
    rank = holds.index(True) + 1
    return {"state": "shown" if rank <= k else "ranked", "document": name, "rank": rank}


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", normalise(text)).strip()


def shopping(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences about the evidence of failed questions; rows carry what `locate` found in `evidence`, if anything.

    A missing document has no name, so the questions that ask for it name its topic.
    """
    states: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if found := row.get("evidence"):
            states.setdefault(found["state"], []).append(row)
    sentences = []
    if missing := states.get("missing"):
        asked = " ".join(f"“{row['question']}”" for row in missing[:3])
        sentences.append(f"no document holds what {len(missing)} of them ask for: add one that answers {asked}")
    if cut := states.get("cut"):
        sentences.append(f"chunks lost the fact in {_named(cut)}: make chunks longer or let them overlap")
    if low := states.get("ranked"):
        ranks = ", ".join(ordinal(row["evidence"]["rank"]) for row in low[:5])
        sentences.append(f"the retriever ranks the evidence {ranks} in {_named(low)}: raise k or rerank")
    if shown := states.get("shown"):
        sentences.append(
            f"in {len(shown)} the evidence was among the passages, and the model does not read it out: show fewer or "
            "shorter ones"
        )
    return sentences


def _named(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(row["evidence"]["document"] for row in rows))


def ordinal(number: int) -> str:
    """1 -> "1st", 12 -> "12th", 22 -> "22nd"."""
    last = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{last}"
