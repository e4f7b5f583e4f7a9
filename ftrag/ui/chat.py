"""The Chat tab: two columns, one model, streaming side by side with sources."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from ftrag import workflows
from ftrag.errors import InputError
from ftrag.ui import session, texts
from ftrag.ui.view import Safe, source_card

UPDATE_SECONDS = 1 / 12
NONE, RETRIEVED = "without retrieval", "with retrieval"
BASE = "base model"
PRESETS = ("Same model: without and with retrieval", "Base or LoRA, both with retrieval", "Base or LoRA, no retrieval")


def build(visitor_bs: Any, project_dd: Any) -> dict[str, Any]:
    """The tab's components, wired; returns what the page refreshes when the project changes."""
    preset_rd = gr.Radio(list(PRESETS), value=PRESETS[0], label="Compare", elem_id="chat_preset")
    with gr.Accordion("Columns and settings", open=False):
        with gr.Row():
            adapter_dd = [
                gr.Dropdown([BASE], value=BASE, label=f"Column {side}: weights", min_width=140) for side in "AB"
            ]
            context_dd = [
                gr.Dropdown([NONE, RETRIEVED], value=value, label=f"Column {side}: passages", min_width=140)
                for side, value in (("A", NONE), ("B", RETRIEVED))
            ]
        with gr.Row():
            k_sl = gr.Slider(1, 10, value=3, step=1, label="Passages (k)", min_width=140)
            tokens_sl = gr.Slider(16, 256, value=96, step=8, label="Longest answer, tokens", min_width=140)
            heat_sl = gr.Slider(0, 1.5, value=0, step=0.1, label="Temperature (0: always the likeliest)", min_width=140)
    with gr.Row(equal_height=True):
        chat_cb, note_html, source_html = [], [], []
        for side in "AB":
            with gr.Column(min_width=300):
                chat_cb.append(
                    gr.Chatbot(
                        label=f"Column {side}",
                        height=340,
                        placeholder=texts.EMPTY_CHAT,
                        sanitize_html=True,
                        render_markdown=False,
                        buttons=["copy"],
                        elem_id=f"chat_{side.lower()}",
                    )
                )
                note_html.append(gr.HTML(elem_classes="ft-note"))
                source_html.append(gr.HTML())
    with gr.Row():
        question_tb = gr.Textbox(
            placeholder=texts.CHAT_PLACEHOLDER,
            label="Question",
            scale=6,
            min_width=200,
            lines=1,
            elem_id="chat_question",
        )
        ask_btn = gr.Button("Ask both", variant="primary", scale=1, min_width=110, elem_id="chat_ask")
        stop_btn = gr.Button("Stop", variant="stop", scale=1, min_width=90, elem_id="chat_stop")
        clear_btn = gr.Button("Clear", scale=1, min_width=90)
    suggested_ds = gr.Dataset(
        components=[question_tb], samples=[], label="Try one of the gold questions", visible=False
    )

    columns = [*adapter_dd, *context_dd, k_sl]
    outputs = [*chat_cb, *note_html, *source_html, question_tb]
    private: dict[str, Any] = {"api_visibility": "private"}
    preset_rd.input(apply_preset, [preset_rd, visitor_bs, project_dd], [*adapter_dd, *context_dd], **private)
    asked = {
        "fn": answer,
        "inputs": [visitor_bs, project_dd, question_tb, *columns, tokens_sl, heat_sl, *chat_cb],
        "outputs": outputs,
        "concurrency_limit": 8,
        "concurrency_id": "generation",
        "show_progress": "hidden",
    }
    running = [ask_btn.click(**asked, **private), question_tb.submit(**asked, **private)]
    stop_btn.click(None, cancels=running, **private)
    clear_btn.click(clear, None, outputs, cancels=running, **private)
    suggested_ds.click(lambda row: row[0], suggested_ds, question_tb, show_progress="hidden", **private)
    return {"refresh": refresh, "outputs": [*adapter_dd, suggested_ds, k_sl]}


def refresh(visitor: str, name: str | None) -> list[Any]:
    """Adapters, suggestions and k of the project just chosen."""
    if not name:
        return [gr.update(choices=[BASE], value=BASE)] * 2 + [gr.update(samples=[], visible=False), gr.update()]
    project = session.project(visitor, name)
    weights = [BASE, *(card["id"] for card in reversed(workflows.adapters(project)))]
    try:
        questions = [[gold.question] for gold in workflows.gold_rows(project)[:6]]
    except InputError:
        questions = []
    return [
        gr.update(choices=weights, value=weights[0]),
        gr.update(choices=weights, value=weights[0]),
        gr.update(samples=questions, visible=bool(questions)),
        gr.update(value=workflows.setting(project, "k")),
    ]


@session.guarded
def apply_preset(preset: str, visitor: str, name: str | None) -> list[Any]:
    """Set both columns. A LoRA preset needs an adapter."""
    if preset == PRESETS[0]:
        return [gr.update(), gr.update(), NONE, RETRIEVED]
    adapter = workflows.choose_adapter(session.project(visitor, name), None)
    if adapter is None:
        raise InputError("this project has no LoRA yet; train one in tab 2 first")
    context = RETRIEVED if preset == PRESETS[1] else NONE
    return [BASE, adapter, context, context]


@session.guarded
def answer(
    visitor: str,
    name: str | None,
    question: str,
    adapter_a: str,
    adapter_b: str,
    context_a: str,
    context_b: str,
    k: float,
    tokens: float,
    heat: float,
    history_a: list[Any],
    history_b: list[Any],
) -> Iterator[list[Any]]:
    """Stream both columns, at most 12 updates a second. Closing this generator ends the token loop."""
    project = session.project(visitor, name)
    asked = workflows.checked_question(question)
    columns = [_column(adapter_a, context_a, k), _column(adapter_b, context_b, k)]
    limits = workflows.generation(
        project,
        max_new_tokens=int(min(max(tokens, 1), 512)),
        temperature=float(min(max(heat, 0.0), 2.0)),
        seed=time.time_ns() % 1000,
    )
    before = [list(history or []) + [_turn("user", asked)] for history in (history_a, history_b)]
    yield [*before, "…", "…", "", "", ""]
    last = 0.0
    state: list[dict[str, Any]] = []
    for state in workflows.chat(project, asked, columns, limits):
        if time.monotonic() - last >= UPDATE_SECONDS:
            last = time.monotonic()
            yield _shown(before, state, columns)
    if state:
        yield _shown(before, state, columns)


def _column(adapter: str, context: str, k: float) -> dict[str, Any]:
    return {
        "adapter": None if adapter == BASE else adapter,
        "context": "retrieved" if context == RETRIEVED else "none",
        "k": int(min(max(k, 1), 20)),
    }


def _turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _shown(before: list[Any], state: list[dict[str, Any]], columns: Sequence[Mapping[str, Any]]) -> list[Any]:
    chats = [turns + [_turn("assistant", column["text"])] for turns, column in zip(before, state, strict=True)]
    notes = [_note(column, asked) for column, asked in zip(state, columns, strict=True)]
    cards = ["".join(source_card(row) for row in column["sources"]) for column in state]
    return [*chats, *notes, *cards, gr.skip()]


def _note(column: Mapping[str, Any], asked: Mapping[str, Any]) -> Safe:
    passages = f" · {len(column['passages'])} passages read" if asked["context"] == "retrieved" else " · no passages"
    if column["first"] is None:
        return Safe("reading…" + passages)
    rate = column["tokens"] / column["seconds"] if column["seconds"] else 0.0
    ended = {"": "", "stop": "", "length": " · cut at the length limit", "time": " · cut at the time limit"}
    return Safe(
        f"first token {column['first']:.2f} s · {rate:.0f} tokens/s · {column['tokens']} tokens{passages}"
        + ended[column["done"]]
    )


def clear() -> list[Any]:
    return [[], [], "", "", "", "", ""]
