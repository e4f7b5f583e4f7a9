"""Edit a document and ask at once: what retrieval knows after the edit, and the weights do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ftrag import answering, freshness, workflows
from ftrag.errors import InputError
from ftrag.ui import knowledge_view as view
from ftrag.ui import session
from ftrag.ui.choice import Choice
from ftrag.ui.texts import knowledge as words
from ftrag.ui.working import barred

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # what is slow has a bar of its own


def build(here: list[Any]) -> dict[str, Any]:
    """The components; `start` with `inputs` begins a drill, which the panel around it polls."""
    gr.HTML(view.note(words.FRESHNESS_NOTE))
    document_dd = Choice([], label=words.DOCUMENT, elem_id="edit_document")
    text_tb = gr.Textbox(label=words.TEXT, lines=8, max_lines=14, elem_id="edit_text")
    with gr.Row():
        keep_btn = gr.Button(words.KEEP_TEXT, size="sm", elem_id="edit_keep", scale=0, min_width=240)
    kept_html = gr.HTML(elem_id="edit_kept")
    with gr.Row():
        question_tb = gr.Textbox(label=words.QUESTION, scale=3, min_width=220, elem_id="edit_question")
        ask_btn = gr.Button(words.ASK, variant="primary", min_width=160, elem_id="edit_ask")
    with gr.Row():
        sides = [gr.HTML(min_height=0), gr.HTML(min_height=0)]
    with gr.Row():
        edits_sl = gr.Slider(1, 30, value=10, step=1, label=words.EDITS, scale=1, min_width=200)
        start_btn = gr.Button(words.DRILL, size="sm", scale=1, min_width=240, elem_id="drill_start")
    document_dd.change(open_text, [*here, document_dd], [text_tb], **QUIET)
    kept = barred(words.INDEXING, size_of)(keep_text)
    keep_btn.click(kept, [*here, document_dd, text_tb], [kept_html], **QUIET)
    gr.on([ask_btn.click, question_tb.submit], ask, [*here, question_tb], sides, api_visibility="private")
    return {
        "document": document_dd,
        "text": text_tb,
        "kept": kept_html,
        "start": start_btn,
        "inputs": [edits_sl],
        "job": gr.HTML(),
        "shown": gr.HTML(elem_id="drilled"),
    }


def size_of(visitor: str, name: str | None, document: str | None, *_: Any) -> float:
    """Bytes of one document; a name that is none of the project's has none."""
    files = {path.name: path for path in (session.project(visitor, name) / "documents").glob("*")}
    return float(files[document].stat().st_size) if document in files else 0.0


@session.guarded
def open_text(visitor: str, name: str | None, document: str | None) -> str:
    return freshness.read(session.project(visitor, name), document) if document else ""


@session.guarded
def keep_text(visitor: str, name: str | None, document: str | None, text: str) -> str:
    if not document:
        raise InputError(words.NO_DOCUMENT)
    result = freshness.edit(session.project(visitor, name), document, text)
    said = words.UNCHANGED if result["status"] == "unchanged" else words.INDEXED.format(chunks=result["chunks"])
    return view.note(words.EDITED.format(document=document, said=said, milliseconds=result["milliseconds"]))


@session.guarded
def ask(visitor: str, name: str | None, question: str) -> Iterator[list[str]]:
    """The weights alone beside the weights with retrieval, as they write."""
    project = session.project(visitor, name)
    adapter = workflows.choose_adapter(project, None)
    weights = words.LORA if adapter else words.BASE
    titles = [title.format(weights=weights) for title in (words.ALONE, words.READING)]
    columns = [{"adapter": adapter, "context": context} for context in ("none", "retrieved")]
    yield [view.column(title, None) for title in titles]
    for state in answering.chat(project, question, columns):
        yield [view.column(title, side) for title, side in zip(titles, state, strict=True)]
