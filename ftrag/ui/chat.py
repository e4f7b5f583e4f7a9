"""The Chat tab: one question, two columns, streaming side by side with sources; openly or blind, with a vote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from ftrag import conversation, outcomes, quotas, routing, votes, workflows
from ftrag.errors import FtragError, InputError
from ftrag.ui import chat_turn, chat_view, chat_vote, session, texts
from ftrag.ui.chat_turn import MOST_HEAT, MOST_K, MOST_THRESHOLD, MOST_TOKENS
from ftrag.ui.chat_view import BASE, CONTEXTS

AGAIN_HEAT = 0.7  # the least temperature of "Again": at 0 the same answer would come back
SAME, LORA_READS, LORA_BARE, RELEASE = range(len(texts.PRESETS))
DOWNLOAD_JS = """(text, name) => { if (!text) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: 'text/plain;charset=utf-8'}));
  link.download = name; link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 1000); }"""

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET = PRIVATE | {"show_progress": "hidden"}


def build(visitor_bs: Any, project_dd: Any) -> dict[str, Any]:
    """The tab's components, wired; returns what the page refreshes when the project changes."""
    part = _asking() | _answers() | _below()
    part |= {name: gr.State(value) for name, value in (("turns", []), ("asked", {}))}
    settings = part["settings"]
    sides = [one[name] for name in ("chat", "head", "note", "cards") for one in part["sides"]]
    shown = [*sides, part["vote"], part["turns"], part["asked"]]
    here = [visitor_bs, project_dd]
    _wire_generation(part, here, shown)
    _wire_rest(part, here, shown)
    outputs = [*settings["adapter"], *settings["k"], part["suggested"], *shown, part["question"]]
    return {"refresh": refresh, "outputs": outputs}


def _asking() -> dict[str, Any]:
    """What is compared, its settings, and the question."""
    part: dict[str, Any] = {}
    with gr.Row(equal_height=False):
        part["preset"] = gr.Radio(
            list(texts.PRESETS), value=texts.PRESETS[SAME], label=texts.COMPARE, elem_id="chat_preset", scale=5
        )
        part["blind"] = gr.Checkbox(
            label=texts.BLIND, info=texts.BLIND_INFO, elem_id="chat_blind", scale=1, min_width=220
        )
    with gr.Accordion(texts.CHAT_SETTINGS, open=False, elem_id="chat_settings") as part["panel"]:
        part["settings"], part["router"], part["votes"] = _settings()
    with gr.Row(equal_height=False):
        part["question"] = gr.Textbox(
            placeholder=texts.CHAT_PLACEHOLDER,
            label=texts.QUESTION,
            scale=6,
            min_width=220,
            max_lines=4,
            elem_id="chat_question",
        )
        part["ask"] = gr.Button(texts.ASK, variant="primary", scale=0, min_width=110, elem_id="chat_ask")
        part["stop"] = gr.Button(texts.STOP, variant="stop", scale=0, min_width=80, elem_id="chat_stop")
    part["suggested"] = gr.Dataset(
        components=[part["question"]], samples=[], label=texts.SUGGESTED, visible=False, elem_id="chat_questions"
    )
    return part


def _answers() -> dict[str, Any]:
    """Both columns, and the vote between them."""
    with gr.Row(equal_height=False):
        sides = [_side(place) for place in "ab"]
    with gr.Row(visible=False, elem_id="chat_vote") as vote_row:
        choices = {
            choice: gr.Button(title, size="sm", min_width=110, elem_id=f"vote_{choice}")
            for choice, title in zip(("left", "tie", "right"), texts.VOTES, strict=True)
        }
    return {"sides": sides, "vote": vote_row, "choices": choices}


def _below() -> dict[str, Any]:
    """What can be done with a conversation; the file and its name are what a download is made of."""
    with gr.Row():
        again_btn = gr.Button(texts.AGAIN, size="sm", min_width=90, elem_id="chat_again")
        export_btn = {
            form: gr.Button(texts.EXPORT.format(form=title), size="sm", min_width=110, elem_id=f"chat_{form}")
            for form, title in texts.FORMS.items()
        }
        clear_btn = gr.Button(texts.CLEAR, size="sm", min_width=80, elem_id="chat_clear")
    download = [gr.Textbox(visible=False), gr.Textbox(visible=False)]
    return {"again": again_btn, "exports": export_btn, "clear": clear_btn, "download": download}


def _columns(part: Mapping[str, Any]) -> list[Any]:
    settings = part["settings"]
    return [*settings["adapter"], *settings["context"], *settings["k"]]


def _wire_generation(part: Mapping[str, Any], here: list[Any], shown: list[Any]) -> None:
    """Everything that asks the model, and what stops it."""
    streamed = QUIET | {"concurrency_limit": 8, "concurrency_id": "generation", "trigger_mode": "multiple"}
    limits = [*(part["settings"][name] for name in ("tokens", "heat", "threshold")), part["blind"]]
    given = [*_columns(part), *limits, part["turns"], *(side["chat"] for side in part["sides"])]
    question, stated = part["question"], part["asked"]
    asked = {"fn": answer, "inputs": [*here, question, *given], "outputs": [*shown, question]}
    repeated = {"fn": again, "inputs": [*here, stated, *given], "outputs": shown}
    picked = part["suggested"].click(lambda row: row[0], part["suggested"], question, **QUIET)
    running = [
        part["ask"].click(**asked, **streamed),
        question.submit(**asked, **streamed),
        picked.then(**asked, **streamed),
        part["again"].click(**repeated, **streamed),
    ]
    notes = [side["note"] for side in part["sides"]]
    part["stop"].click(stopped, [stated], [*notes, part["vote"]], cancels=running, **QUIET)
    part["clear"].click(clear, None, [*shown, question], cancels=running, **QUIET)


def _wire_rest(part: Mapping[str, Any], here: list[Any], shown: list[Any]) -> None:
    """Presets, votes and downloads."""
    weights_and_context = _columns(part)[:4]
    part["preset"].input(apply_preset, [part["preset"], *here], weights_and_context, **PRIVATE)
    gr.on([box.input for box in weights_and_context], lambda: None, None, [part["preset"]], **QUIET)
    part["panel"].expand(measured, here, [part["router"], part["votes"]], **PRIVATE)
    for choice, button in part["choices"].items():
        voted = [*here, part["turns"], part["asked"]]
        button.click(chat_vote.voter(choice), voted, [*shown[2:], part["votes"]], **QUIET)
    for form, button in part["exports"].items():
        written = button.click(_exporter(form), [here[1], part["turns"]], part["download"], **QUIET)
        written.success(None, part["download"], None, js=DOWNLOAD_JS, **QUIET)


def _settings() -> tuple[dict[str, Any], Any, Any]:
    """Both columns, then what holds for both; the router and the votes in a line each."""
    parts: dict[str, Any] = {"adapter": [], "context": [], "k": []}
    contexts = [(title, value) for value, title in CONTEXTS.items()]
    with gr.Row(equal_height=False):
        for place, value in zip(texts.SIDES, ("none", "retrieved"), strict=True):
            with gr.Column(min_width=260):
                weights = gr.Dropdown([(texts.BASE_MODEL, BASE)], value=BASE, label=texts.WEIGHTS.format(side=place))
                parts["adapter"].append(weights)
                parts["context"].append(gr.Dropdown(contexts, value=value, label=texts.PASSAGES.format(side=place)))
                parts["k"].append(gr.Slider(1, MOST_K, value=3, step=1, label=texts.HOW_MANY.format(side=place)))
    with gr.Row(equal_height=False):
        parts["tokens"] = gr.Slider(16, MOST_TOKENS, value=96, step=8, label=texts.LONGEST, min_width=200)
        parts["heat"] = gr.Slider(0, MOST_HEAT, value=0, step=0.1, label=texts.TEMPERATURE, min_width=200)
        parts["threshold"] = gr.Slider(
            0, MOST_THRESHOLD, value=0, step=0.05, label=texts.THRESHOLD, info=texts.THRESHOLD_INFO, min_width=200
        )
    router_html = gr.HTML(elem_classes="ft-note", elem_id="chat_router")
    votes_html = gr.HTML(elem_classes="ft-note", elem_id="chat_votes")
    return parts, router_html, votes_html


def _side(place: str) -> dict[str, Any]:
    with gr.Column(min_width=300):
        head = gr.HTML(elem_id=f"chat_head_{place}", padding=False)
        chat = gr.Chatbot(
            label=texts.SIDES["ab".index(place)],
            show_label=False,
            height=380,
            placeholder=texts.EMPTY_CHAT,
            sanitize_html=True,
            render_markdown=True,
            latex_delimiters=[],  # "$5 to $9" is no formula
            buttons=["copy", "copy_all"],
            elem_id=f"chat_{place}",
        )
        note = gr.HTML(elem_classes="ft-note", elem_id=f"chat_note_{place}", padding=False)
        cards = gr.HTML(elem_id=f"chat_cards_{place}", padding=False)
    return {"head": head, "chat": chat, "note": note, "cards": cards}


# --- the project and the columns


def refresh(visitor: str, name: str | None) -> list[Any]:
    """Weights, k and suggestions of the project just chosen; an empty chat."""
    cleared = clear()
    if not name:
        base = gr.update(choices=[(texts.BASE_MODEL, BASE)], value=BASE)
        return [base, base, gr.update(), gr.update(), gr.update(samples=[], visible=False), *cleared]
    project = session.project(visitor, name)
    weights = gr.update(choices=chat_view.weights(project), value=BASE)
    k = gr.update(value=workflows.setting(project, "k"))
    questions = chat_view.suggestions(project)
    suggested = gr.update(samples=[[question] for question in questions], visible=bool(questions))
    return [weights, weights, k, k, suggested, *cleared]


@session.guarded
def measured(visitor: str, name: str | None) -> list[str]:
    """How often the router was right on the newest run, and how often the scorer agrees with the votes."""
    project = session.project(visitor, name)
    try:
        found = routing.sentence(routing.report(project))
    except FtragError as error:
        found = texts.UNMEASURED.format(reason=error)
    return [f"{texts.ROUTER} {escape(found)}", escape(votes.sentence(votes.agreement(project)))]


@session.guarded
def apply_preset(preset: str, visitor: str, name: str | None) -> list[Any]:
    """Set both columns. A LoRA preset needs an adapter, a release a promoted one."""
    place = texts.PRESETS.index(preset) if preset in texts.PRESETS else SAME
    if place == SAME:
        return [BASE, BASE, "none", "retrieved"]
    project = session.project(visitor, name)
    if place == RELEASE:
        release = outcomes.promoted(project)
        if release is None:
            raise InputError(texts.NO_RELEASE)
        return [BASE, release["adapter"] or BASE, "none", "retrieved"]
    adapter = workflows.choose_adapter(project, None)
    if adapter is None:
        raise InputError(texts.NO_LORA)
    context = "retrieved" if place == LORA_READS else "none"
    return [BASE, adapter, context, context]


# --- asking


@session.guarded
def answer(
    visitor: str,
    name: str | None,
    question: str,
    *settings: Any,
) -> Iterator[list[Any]]:
    """Ask both columns. settings: weights, contexts and k of both, tokens, heat, threshold, blind, turns, chats."""
    project = session.project(visitor, name)
    asked = workflows.checked_question(question or "")
    columns, limits, blind, turns, chats = chat_turn.read(project, settings)
    first = True
    try:
        for shown in chat_turn.streamed(project, asked, columns, limits, blind, turns, chats):
            yield [*shown, "" if first else gr.skip()]
            first = False
    except FtragError:  # the conversation is as it was, and the question is not lost
        yield [*chat_turn.undone(turns, chats), question]
        raise


@session.guarded
def again(visitor: str, name: str | None, last: Mapping[str, Any], *settings: Any) -> Iterator[list[Any]]:
    """The last question once more, with chance in it; its turn is replaced."""
    project = session.project(visitor, name)
    if not last.get("question"):
        raise InputError(texts.NO_QUESTION)
    quotas.ask(session.owner(visitor))
    columns, limits, blind, turns, chats = chat_turn.read(project, settings)
    limits = replace(limits, temperature=max(limits.temperature, AGAIN_HEAT))
    yield from chat_turn.streamed(
        project, last["question"], columns, limits, blind, turns[:-1], [list(chat[:-2]) for chat in chats]
    )


def stopped(asked: Mapping[str, Any]) -> list[Any]:
    """After Stop: what there is so far, said to be stopped; a blind turn can be voted on as it is."""
    if not asked.get("state"):
        return [texts.STOPPED, texts.STOPPED, gr.update(visible=False)]
    if asked["blind"]:
        return [texts.VOTE_NOW, texts.VOTE_NOW, gr.update(visible=True)]
    return [*chat_turn.details(asked["columns"], asked["state"], stopped=True)[:2], gr.update(visible=False)]


def _exporter(form: str) -> Any:
    @session.guarded
    def export(name: str | None, turns: list[Any]) -> list[str]:
        """The conversation and its file's name; the browser makes the file, so that none lies on the server."""
        return [conversation.written(turns, name or "", form), f"ftrag-chat.{form}"]

    return export


def clear() -> list[Any]:
    """An empty conversation: chats, headings, notes, cards, no vote, no turns, no question."""
    return [[], [], "", "", "", "", "", "", gr.update(visible=False), [], {}, ""]
