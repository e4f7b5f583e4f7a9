"""Points and hard constraints added up to a verdict.

The rule: prompting starts with 3 points. A route is taken if it has at least 3 points and is not behind prompting;
if retrieval and fine-tuning both are, the verdict is "both". Hard constraints rule a route out or require it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from ftrag.decision.rows import Option, Question

THRESHOLD = 3  # points that make a route worth building; also what prompting starts with, because it costs least
ROUTES = ("prompt", "rag", "fine-tune")
UNKNOWN = "not enough information"

# What an option says beyond its points, as bits, so that 10,000 answer sets can be tried for `would_change`.
NO_RAG, NO_TUNE, NEED_RAG, PROMPT_ENOUGH, FACTS, BEHAVIOUR = (1 << i for i in range(6))
_BITS = {"rules out rag": NO_RAG, "rules out fine-tune": NO_TUNE, "requires rag": NEED_RAG}
_BITS["requires prompt"] = PROMPT_ENOUGH


@dataclass(frozen=True)
class Tally:
    """What a set of answers adds up to."""

    points: tuple[int, int, int]  # toward prompt, rag, fine-tune; without the 3 that prompting starts with
    bits: int


def tally_of(question: Question, option: Option) -> Tally:
    bits = _BITS.get(f"rules out {option.rules_out}", 0) | _BITS.get(f"requires {option.requires}", 0)
    sides = (FACTS if "facts" in question.side else 0) | (BEHAVIOUR if "behaviour" in question.side else 0)
    return Tally(option.points, bits | sides)


def add(tallies: Iterable[Tally]) -> Tally:
    rows = list(tallies)
    prompt, rag, tune = (sum(row.points[i] for row in rows) for i in range(3))
    return Tally((prompt, rag, tune), reduce(operator.or_, (row.bits for row in rows), 0))


def scores_of(tally: Tally) -> tuple[int, int, int]:
    """Bars of (prompt, rag, fine-tune), never negative. A route that is ruled out has 0; a requirement beats a ban."""
    prompt, rag, tune = tally.points
    no_rag = tally.bits & NO_RAG and not tally.bits & NEED_RAG
    return max(0, THRESHOLD + prompt), 0 if no_rag else max(0, rag), 0 if tally.bits & NO_TUNE else max(0, tune)


def route_of(tally: Tally) -> str:
    """The verdict for a tally: the truth table of the module's docstring."""
    prompt, rag, tune = scores_of(tally)
    bits = tally.bits
    if bits & PROMPT_ENOUGH and not bits & NEED_RAG:
        return "prompt"
    wants_tune = tune >= max(THRESHOLD, prompt) and not bits & PROMPT_ENOUGH
    wants_rag = rag >= max(THRESHOLD, prompt) or bool(bits & NEED_RAG)
    if wants_rag or wants_tune:
        return "both" if wants_rag and wants_tune else "rag" if wants_rag else "fine-tune"
    if not (bits & FACTS and bits & BEHAVIOUR) or max(prompt, rag, tune) == 0:
        return UNKNOWN
    if rag > prompt and rag >= tune:
        return "rag"
    return "fine-tune" if tune > prompt else "prompt"
