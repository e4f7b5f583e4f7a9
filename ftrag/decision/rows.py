"""The two rows of the questionnaire, a question and its options, and the names of the sources they cite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["choice", "amount", "duration"]

DOJO = "Neural Dojo"
ABSTRACT = "Abstract Algorithms"
AGENTSIA = "Agentsia"
MEASURED = "ftrag's own prototype"
TITLES = (  # what the short names stand for
    (DOJO, "Neural Dojo, Advanced RAG Patterns: RAG vs fine-tuning, 2025-11-24"),
    (ABSTRACT, "Abstract Algorithms, RAG vs Fine-Tuning: When to Use Each (and When to Combine Them)"),
    (AGENTSIA, "Agentsia, Fine-tuning vs RAG: combine them, 19 April 2026"),
    (MEASURED, "SmolLM2-135M, 104 training rows, 30 held-out questions: house voice 0.00 to 0.83 with LoRA"),
)


@dataclass(frozen=True)
class Option:
    id: str  # what the command line takes, and for amounts the name of the band
    label: str
    points: tuple[int, int, int]  # toward prompt, rag, fine-tune
    why: str
    low: float = 0.0  # amounts and durations: the band starts here (seconds for durations)
    sample: str = ""  # amounts and durations: a value that falls into this band
    rules_out: str = ""  # a route this answer makes impossible
    requires: str = ""  # a route this answer makes necessary


@dataclass(frozen=True)
class Question:
    key: str  # with "--" in front: the flag of the command line
    text: str
    help: str
    options: tuple[Option, ...]  # amounts and durations: ascending bands
    favours: tuple[tuple[str, tuple[str, ...]], ...]  # (route, option ids from least to most favourable to it)
    source: str
    kind: Kind = "choice"
    side: tuple[str, ...] = ()  # "facts", "behaviour": which half of the decision it informs

    @property
    def weights(self) -> dict[str, tuple[int, int, int]]:
        """Points of every option toward (prompt, rag, fine-tune)."""
        return {option.id: option.points for option in self.options}

    @property
    def constraints(self) -> dict[str, str]:
        """Hard constraints by option: "rules out rag", "requires rag"."""
        found = {o.id: f"rules out {o.rules_out}" for o in self.options if o.rules_out}
        return found | {o.id: f"requires {o.requires}" for o in self.options if o.requires}
