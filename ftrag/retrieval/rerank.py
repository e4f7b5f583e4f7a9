"""A cross-encoder reads query and chunk together and puts the best hits of another retriever in a new order."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ftrag.errors import ModelError
from ftrag.types import Hit, Retriever

DEPTH = 20  # hits that are read again; the time of a search grows with it
Scorer = Callable[[list[tuple[str, str]]], Any]  # (query, text) pairs -> one number each, higher is better


@dataclass(frozen=True)
class Reranked:
    retriever: Retriever
    score: Scorer
    depth: int = DEPTH

    def search(self, query: str, k: int) -> list[Hit]:
        """At most k of the underlying hits, the first `depth` ordered by the cross-encoder; ties keep their order."""
        hits = self.retriever.search(query, max(k, self.depth))
        read, rest = hits[: self.depth], hits[self.depth : k]
        if not read:
            return []
        scores = [float(value) for value in self.score([(query, hit.chunk.text) for hit in read])]
        order = sorted(range(len(read)), key=lambda i: -scores[i])[:k]
        return [replace(read[i], score=scores[i], rank=rank) for rank, i in enumerate(order, start=1)] + rest


@functools.cache
def cross_encoder(name: str) -> Scorer:
    """The scorer of a cross-encoder: a folder, or a model of the Hub. ModelError says why it cannot be had."""
    from ftrag import download

    local = Path(name).is_dir()
    if not local and not download.hub_reachable():
        raise ModelError(
            f"the reranker {name} is on the Hugging Face Hub only, which cannot be reached; search without it"
        )
    try:
        from sentence_transformers import CrossEncoder

        model = CrossEncoder(
            name,
            device="cpu",
            trust_remote_code=False,
            local_files_only=local,
            model_kwargs={"use_safetensors": True},
        )
    except ImportError:
        raise ModelError("reranking needs sentence-transformers; pip install sentence-transformers") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"the reranker {name} cannot be loaded ({error}); search without it") from error
    return lambda pairs: model.predict(pairs, show_progress_bar=False)
