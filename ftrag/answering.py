"""A question in, an answer with its sources out: one by command, several columns at once in the page's chat."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag import prompts, workflows, zero
from ftrag.errors import FtragError, InputError
from ftrag.types import Delta, Document, Generation, Hit, Prompt


@zero.on_gpu
def ask(
    project: Path,
    question: str,
    context: str = "retrieved",
    adapter: str | None = None,
    k: int | None = None,
    retriever: str | None = None,
) -> dict[str, Any]:
    """One answer with its sources, and which of its sentences they support; retriever: not the project's own."""
    from ftrag.llm import complete

    asked, chosen = workflows.checked_question(question), workflows.choose_adapter(project, adapter)
    column = {"adapter": chosen, "context": context, "k": k, "retriever": retriever}
    prompt, hits, dropped = column_prompt(project, asked, column)
    llm = workflows.ready_model(project, chosen)
    ((text, tokens, first, seconds),) = complete(llm, [prompt], generation(project))
    return {
        "answer": text,
        **grounds(project, asked, text, hits),
        "seconds": round(seconds, 3),
        "first_token_seconds": round(first, 3),
        "tokens": tokens,
        "adapter": chosen,
        "dropped": _passages(dropped),
    }


def generation(project: Path, **changes: Any) -> Generation:
    return Generation(**({"max_new_tokens": workflows.setting(project, "max_new_tokens")} | changes))


def column_prompt(project: Path, question: str, column: Mapping[str, Any]) -> tuple[Prompt, list[Hit], list[Hit]]:
    """The prompt of one column {adapter, context, k, minimum_match, retriever}, its passages and those left out.

    context: none, retrieved, or auto, which leaves it to the router: that weighs words, whatever finds the passages.
    """
    from ftrag import routing

    if column["context"] not in ("none", "retrieved", "auto"):
        raise InputError(f"context is 'none', 'retrieved' or 'auto', not {column['context']!r}")
    kept: list[Hit] = []
    dropped: list[Hit] = []
    if column["context"] != "none":
        least = {"minimum_match": float(column["minimum_match"])} if column.get("minimum_match") else None
        looks_up = column["context"] == "retrieved"
        if looks_up or routing.route(question, workflows.retriever(project, settings=least)).context == "retrieved":
            reader = workflows.reader(project, column.get("retriever"), least)
            kept, dropped = reader.fitted(question, column.get("k") or workflows.setting(project, "k"))
    return Prompt(prompts.chat(question, [hit.chunk.text for hit in kept]), column["adapter"]), kept, dropped


_meaning = threading.Lock()


def meaning() -> Any:
    """Sentence embeddings for citations, loaded once; None where they cannot be had: then words alone decide."""
    with _meaning:
        return _embedder()


@functools.cache
def _embedder() -> Any:
    from ftrag.retrieval.dense import default_encoder

    try:
        return default_encoder().embed
    except FtragError:
        return None


def grounds(project: Path, question: str, answer: str, hits: Sequence[Hit]) -> dict[str, list[dict[str, Any]]]:
    """The passages behind an answer, and what of it they support; computed, not asked of the model.

    sources: {document, chunk, start, end, quote, supports, score, where}; first the spans that support a sentence, in
    its order, then passages that were only read. sentences: {start, end, supported, source} for every sentence that
    claims something; half-open offsets into the answer, source: index into sources or None. Both empty without hits.
    """
    from ftrag.evaluation.citations import align
    from ftrag.evaluation.grounding import statements
    from ftrag.retrieval import store

    if not hits:
        return {"sources": [], "sentences": []}
    found = align(answer, [hit.chunk for hit in hits], meaning(), workflows.rewords(project), question)
    texts = {document.name: document for document in store.documents(project)}
    cited = [span for span in found if span["supported"] and span["document"] in texts]
    places = {span["sentence"]["start"]: place for place, span in enumerate(cited)}
    return {
        "sources": _sources(cited, hits, texts),
        "sentences": [
            row["sentence"] | {"supported": row["supported"], "source": places.get(row["sentence"]["start"])}
            for row in statements(answer, found)
        ],
    }


def _sources(
    cited: Sequence[Mapping[str, Any]], hits: Sequence[Hit], texts: Mapping[str, Document]
) -> list[dict[str, Any]]:
    """The cited spans, then the passages without one; none of a document that has been deleted meanwhile."""
    from ftrag import documents

    used = {(span["document"], span["chunk"]) for span in cited}
    unused = [hit.chunk for hit in hits if (hit.chunk.document, hit.chunk.index) not in used]
    read = [
        {"document": chunk.document, "chunk": chunk.index, "start": chunk.start, "end": chunk.end, "quote": chunk.text}
        for chunk in unused
        if chunk.document in texts
    ]
    keys = ("document", "chunk", "start", "end", "quote", "score")
    rows = [{key: span[key] for key in keys} for span in cited] + [row | {"score": 0.0} for row in read]
    return [
        row
        | {
            "supports": place < len(cited),
            "where": documents.location(texts[row["document"]], row["start"], row["end"]),
        }
        for place, row in enumerate(rows)
    ]


@zero.on_gpu
def chat(
    project: Path, question: str, columns: Sequence[Mapping[str, Any]], settings: Generation | None = None
) -> Iterator[list[dict[str, Any]]]:
    """The same question in every column at once: rows of one batch where the weights are the same.

    columns: {adapter, context, k}. Each item is the state of all columns: {text, tokens, seconds, first, done,
    sources, sentences, passages, dropped}. Sources and sentences are filled in when a column ends. To stop, ask for
    no more.
    """
    asked = workflows.checked_question(question)
    shown = [column_prompt(project, asked, column) for column in columns]
    llm = workflows.ready_model(project)
    for column in columns:
        if column["adapter"]:
            llm = workflows.ready_model(project, column["adapter"])
    if any(hits for _, hits, _ in shown):
        threading.Thread(target=meaning, daemon=True).start()  # loads while the answer is written
    start = time.perf_counter()
    state: list[dict[str, Any]] = [
        {"text": "", "tokens": 0, "seconds": 0.0, "first": None, "done": "", "sources": [], "sentences": []}
        | {"passages": _passages(hits), "dropped": _passages(dropped)}
        for _, hits, dropped in shown
    ]
    for deltas in llm.stream([prompt for prompt, _, _ in shown], settings or generation(project)):
        for delta in deltas:
            _advance(state[delta.row], delta, time.perf_counter() - start)
            if delta.done:
                state[delta.row] |= grounds(project, asked, state[delta.row]["text"], shown[delta.row][1])
        yield [dict(column) for column in state]


def _passages(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """What a column reads, in the order of its prompt: {document, chunk, start, end, text}."""
    keys = ("document", "start", "end", "text")
    return [{key: getattr(hit.chunk, key) for key in keys} | {"chunk": hit.chunk.index} for hit in hits]


def _advance(column: dict[str, Any], delta: Delta, seconds: float) -> None:
    first = seconds if column["first"] is None else column["first"]
    column |= {
        "text": column["text"] + delta.text,
        "tokens": delta.tokens,
        "seconds": seconds,
        "first": first,
        "done": delta.done,
    }
