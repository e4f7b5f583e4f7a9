"""The project's retrieval settings: every default stands here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ftrag import project as folders
from ftrag.chunking import MINIMUM_TOKENS, SIZE_TOKENS, STRATEGIES, Strategy
from ftrag.errors import InputError, NotFound


@dataclass(frozen=True)
class Settings:
    """Entries of "settings" in project.json; keys that are not named here belong to somebody else."""

    chunk_strategy: Strategy = "recursive"
    chunk_tokens: int = SIZE_TOKENS  # at most, overlap included
    chunk_overlap: int = 32  # tokens of the chunk before that a chunk repeats, at most
    language: str = "english"  # for stemming and stop words
    stem: bool = True
    stop_words: bool = True  # leave them out
    index_headings: bool = True  # a chunk is also found by the title and headings above it
    k1: float = 1.5  # BM25: how soon repeating a term stops to count, rank-bm25's default
    b: float = 0.75  # BM25: how much long chunks are discounted, [0, 1]
    correct_spelling: bool = True  # BM25: a longer query word that no chunk holds stands for the nearest one
    minimum_match: float = 0.0  # BM25: least share of the query's idf that a chunk must hold, [0, 1]
    minimum_cosine: float = 0.0  # dense: least cosine, [-1, 1]; below it nothing is retrieved
    expand_terms: int = 0  # terms of the best chunks that are added to the query; 0 is off
    retriever: str = "bm25"  # of answers: ask, chat, evaluate, drill; `search` and `compare` are told theirs
    whole_document_tokens: int = 0  # documents are retrieved whole if all of them have at most so many tokens together
    context_tokens: int = 1500  # passages of one prompt together; what exceeds them is left out whole, and shown
    best_last: bool = False  # the best passage nearest to the question
    fusion: str = "scores"  # hybrid: "scores" or "ranks", see fusion.py
    dense_weight: float = 0.5  # hybrid: share of the dense side, [0, 1]; equal, for no data says otherwise
    rerank: bool = False  # a cross-encoder puts what the retriever of answers finds in a new order
    rerank_model: str = "cross-encoder/ms-marco-MiniLM-L6-v2"  # 23 M, from the Hub; or a folder


# Least and most of every number, for the command line and the page alike. A prompt that is too long for the model's
# window all the same loses passages, see budget.py.
BOUNDS: dict[str, tuple[float, float]] = {
    "chunk_tokens": (MINIMUM_TOKENS, 1024),  # the embedder reads 256 of them, and a budget of passages holds but a few
    "chunk_overlap": (0, 512),  # and at most half of a chunk
    "k1": (0, 10),
    "b": (0, 1),
    "minimum_match": (0, 1),
    "minimum_cosine": (-1, 1),
    "expand_terms": (0, 50),
    "whole_document_tokens": (0, 8000),  # the built-in model reads 8,192 tokens, question and answer included
    "context_tokens": (100, 8000),
    "dense_weight": (0, 1),
    "k": (1, 20),  # passages of one question: no field of Settings, for it is kept beside them
}
RETRIEVERS = ("bm25", "dense", "hybrid")
CHOICES: dict[str, tuple[str, ...]] = {
    "chunk_strategy": STRATEGIES,
    "retriever": RETRIEVERS,
    "fusion": ("scores", "ranks"),
}

# What the cuts and the index depend on; a change of any other setting needs no rebuild.
CHUNKING = ("chunk_strategy", "chunk_tokens", "chunk_overlap")
INDEXING = (*CHUNKING, "language", "stem", "stop_words", "index_headings")


def of_project(project: Path, changes: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a project with `changes` on top. InputError names a value that cannot be used."""
    try:
        given = folders.settings(project).get("settings") or {}
    except NotFound:
        given = {}
    return parse({**given, **(changes or {})})


def parse(given: Mapping[str, Any]) -> Settings:
    """Settings from a mapping; other keys are ignored. InputError names a value of the wrong type or range."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name in given:
            values[field.name] = checked(field.name, given[field.name], type(field.default))
    return Settings(**values)


def checked(name: str, value: Any, kind: type = int) -> Any:
    """The value of a setting of this type, within its bounds. InputError says in one sentence what it must be."""
    held = _typed(name, value, kind)
    if name in CHOICES and held not in CHOICES[name]:
        raise InputError(f"setting {name} is {held!r}; it must be one of {', '.join(CHOICES[name])}")
    low, high = BOUNDS.get(name, (0, 0))
    if name in BOUNDS and not low <= held <= high:
        number = "a whole number" if kind is int else "a number"
        raise InputError(f"setting {name} is {held!r}; it must be {number} from {low} to {high}")
    if held == "":
        raise InputError(f"setting {name} is empty; give it a value, such as {getattr(Settings, name)}")
    return held


def _typed(name: str, value: Any, kind: type) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise InputError(f"setting {name} is {value!r}; it must be of type {kind.__name__}")
    return value


def stamp(settings: Settings, keys: tuple[str, ...] = INDEXING) -> dict[str, Any]:
    """The part of the settings that an index is made with."""
    every = asdict(settings)
    return {key: every[key] for key in keys}
