"""The nouns of ftrag. Frozen rows with the unit of every field beside it; no behaviour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Route = Literal[
    "no change", "prompt", "rag", "fix retrieval", "fine-tune", "both", "larger model", "not enough evidence"
]
ContextMode = Literal["none", "retrieved", "oracle"]


@dataclass(frozen=True)
class Location:
    """A named place in a document: a heading's section, a page, a table row."""

    start: int  # character offset into the document's text, half-open [start, end)
    end: int
    label: str  # what a citation prints: "page 3", "Refunds > Windows", "row 12"


@dataclass(frozen=True)
class Document:
    name: str  # the uploaded file's name, unique in its project
    text: str  # extracted text; every offset in ftrag points into this string
    sha256: str  # of the uploaded bytes, hexadecimal
    locations: tuple[Location, ...] = ()


@dataclass(frozen=True)
class Chunk:
    document: str  # Document.name
    index: int  # position among the document's chunks, from 0
    text: str  # exactly document.text[start:end]
    start: int  # character offset, half-open [start, end)
    end: int


@dataclass(frozen=True)
class Hit:
    chunk: Chunk
    score: float  # higher is better; comparable within one search only
    rank: int  # from 1


@dataclass(frozen=True)
class Example:
    """One training row."""

    prompt: str
    response: str
    id: str = ""
    rejected: str | None = None  # the worse answer of a preference pair
    context: tuple[str, ...] = ()  # passages shown inside <context>, best first
    evidence: tuple[str, ...] = ()  # document names or verbatim passages that hold the answer
    system: str | None = None
    history: tuple[tuple[str, str], ...] = ()  # earlier (user, assistant) turns of the same conversation
    slice: str = ""  # for stratified splits
    group: str = ""  # rows of one group stay on one side of the split


@dataclass(frozen=True)
class Gold:
    """One held-out question."""

    id: str | int
    question: str
    answers: tuple[str, ...] = ()  # any of them is right; empty expects a refusal
    evidence: tuple[str, ...] = ()  # document names or verbatim passages
    checks: tuple[Mapping[str, Any], ...] = ()  # behaviour checks of this row, added to the project's
    slice: str = ""


@dataclass(frozen=True)
class Arm:
    adapter: bool  # LoRA on
    context: ContextMode
    few_shot: bool
    why: str  # what this arm isolates, printed by the UI


@dataclass(frozen=True)
class Generation:
    """Limits and sampling of one generation."""

    max_new_tokens: int = 96
    temperature: float = 0.0  # 0 is greedy
    top_p: float = 1.0  # (0, 1]
    seed: int = 0
    seconds: float = 120.0  # wall clock, for the whole batch


@dataclass(frozen=True)
class Prompt:
    """What one row of a batch is asked: chat messages, and the adapter that is on for it."""

    messages: tuple[Mapping[str, str], ...]  # {"role", "content"}
    adapter: str | None = None  # an adapter's id; None is the bare base model


@dataclass(frozen=True)
class Delta:
    """What one step of the token loop adds to one row."""

    row: int  # index into the batch
    text: str  # whole characters only; may be empty
    tokens: int  # generated so far in this row
    done: str = ""  # "", "stop" (end of turn), "length", "time"


class LanguageModel(Protocol):
    def stream(self, prompts: Sequence[Prompt], settings: Generation) -> Iterator[list[Delta]]:
        """Generate for a batch of rows; each item holds the rows that moved in one step. Stop by asking for no more."""
        ...


class Retriever(Protocol):
    def search(self, query: str, k: int) -> list[Hit]:
        """At most k hits, best first, ranks from 1; only chunks that match at all."""
        ...


@dataclass(frozen=True)
class Verdict:
    """One answer's two verdicts; None is "cannot be scored", never wrong."""

    id: str | int
    arm: str
    content: bool | None = None
    behaviour: bool | None = None


@dataclass(frozen=True)
class Score:
    """A measured value with the sentence that explains it."""

    value: float | None  # [0, 1]; None: nothing to score
    why: str
    parts: Mapping[str, float] = field(default_factory=dict)
