"""Dense retrieval: cosine of sentence embeddings, exact over all chunks; embeddings are cached by content and model."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ftrag.retrieval import arrays
from ftrag.types import Chunk, Hit

Floats = NDArray[np.float32]
KEY_BYTES = 16  # of a chunk's SHA-256: enough that no two texts meet


@dataclass(frozen=True)
class Encoder:
    """A sentence embedder and the name that its vectors are cached under."""

    id: str
    embed: Callable[[list[str]], Any]  # texts -> unit vectors (n, dimensions)


@functools.cache
def default_encoder() -> Encoder:
    """all-MiniLM-L6-v2, loaded once per process, `remembering`. ModelError if it cannot be had."""
    from ftrag import models

    return Encoder(f"minilm-{models.EMBEDDER.sha256[:12]}", remembering(models.embedder()))


def remembering(embed: Callable[[list[str]], Any], most: int = 4096) -> Callable[[list[str]], Any]:
    """The same embedder, which embeds no text again while it is among the `most` that were used last.

    The passages of a project come again with every answer that reads them, a question with every retriever that
    is asked it. 4,096 vectors take 6 MB.
    """
    kept: OrderedDict[str, Floats] = OrderedDict()
    lock = threading.Lock()

    def embedded_once(texts: list[str]) -> Any:
        with lock:
            vectors = {text: kept[text] for text in texts if text in kept}
        if new := [text for text in dict.fromkeys(texts) if text not in vectors]:
            vectors |= zip(new, np.asarray(embed(new), dtype=np.float32), strict=True)
        with lock:
            for text in vectors:
                kept[text] = vectors[text]
                kept.move_to_end(text)
            while len(kept) > most:
                kept.popitem(last=False)
        return np.stack([vectors[text] for text in texts]) if texts else np.empty((0, 0), dtype=np.float32)

    return embedded_once


@dataclass(frozen=True)
class DenseRetriever:
    chunks: Sequence[Chunk]  # by document name and position, which breaks ties
    vectors: Floats  # (chunks, dimensions), unit length
    embed: Callable[[list[str]], Any]
    minimum_cosine: float = 0.0

    def search(self, query: str, k: int) -> list[Hit]:
        """At most k chunks above the least cosine, best first; ties by position."""
        if k <= 0 or not len(self.vectors):
            return []
        cosine = np.asarray(self.vectors @ np.asarray(self.embed([query]), dtype=np.float32)[0], dtype=np.float64)
        cosine = cosine.round(6)  # below that the order of a sum decides, not the text
        best = np.flatnonzero(cosine > self.minimum_cosine)
        if len(best) > k:
            best = best[cosine[best] >= np.partition(cosine[best], len(best) - k)[-k]]
        order = best[np.argsort(-cosine[best], kind="stable")][:k]
        return [Hit(self.chunks[i], float(cosine[i]), rank) for rank, i in enumerate(order.tolist(), start=1)]


def embedded(texts: Sequence[str], encoder: Encoder, cache: Path) -> Floats:
    """Unit vectors (texts, dimensions); only texts that `cache` lacks are embedded, and it is renewed."""
    keys = [hashlib.sha256(text.encode()).digest()[:KEY_BYTES] for text in texts]
    known = _cached(cache, encoder.id)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        fresh = np.asarray(encoder.embed(list(missing.values())), dtype=np.float32)
        known = {**known, **dict(zip(missing, fresh, strict=True))}
    vectors = np.stack([known[key] for key in keys]) if keys else np.zeros((0, 0), dtype=np.float32)
    if missing or len(known) > len(set(keys)):
        packed = np.frombuffer(b"".join(keys), dtype=np.uint8)
        arrays.write(cache, {"model": encoder.id}, {"keys": packed, "vectors": vectors})
    return vectors


def _cached(cache: Path, model: str) -> dict[bytes, Floats]:
    try:
        header, held = arrays.read(cache)
        if header["model"] != model:
            return {}
        keys = held["keys"].tobytes()
        return {keys[i * KEY_BYTES : (i + 1) * KEY_BYTES]: row for i, row in enumerate(held["vectors"])}
    except (OSError, ValueError, KeyError):
        return {}
