"""Below the questionnaire: keep its answers with the project, so that every run says whether the evidence agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from ftrag import conclusions
from ftrag import project as projects
from ftrag.ui import decide_view, session
from ftrag.ui.decide_view import KEYS, answers_in, base_of, filled, view
from ftrag.ui.texts import decide as words

OUTPUTS = 1 + len(KEYS) + len(decide_view.OUTPUTS)  # what was filled in, then everything that is


def build(head: Mapping[str, Any], questions: Mapping[str, Any], everything: Sequence[Any]) -> None:
    """head: the header's parts. questions: key -> component; everything: what `decide_view.filled` fills."""
    with gr.Row(equal_height=True):
        keep_btn = gr.Button(words.KEEP, size="sm", scale=0, min_width=320, elem_id="keep")
        said_html = gr.HTML(elem_id="kept", elem_classes="ft-note", padding=False)
    visitor_bs, project_dd, held_st = head["visitor"], head["project"], gr.State({})
    given = [visitor_bs, project_dd, held_st, *(questions[key] for key in KEYS)]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    head["chosen"].change(offered, given, [held_st, *everything], **quiet)
    inputs = [visitor_bs, project_dd, *questions.values()]
    keep_btn.click(_keeper(list(questions)), inputs, [said_html], api_visibility="private")


@session.guarded
def offered(request: gr.Request, visitor: str, name: str | None, held: Mapping[str, str], *values: Any) -> list[Any]:
    """The answers that the project keeps, unless the visitor has given others: those stay.

    held: what was filled in for the project before; the first of what is returned, then what `filled` fills.
    """
    given = {key: value for key, value in answers_in(values).items() if value}
    if not name or not projects.NAME.fullmatch(name) or (given and given != held):
        return [gr.skip()] * OUTPUTS
    kept = projects.settings(session.project(visitor, name)).get("answers") or {}
    note = words.KEPT_WITH.format(project=escape(name)) if kept else ""
    shown = filled(kept, view(kept, {}, note, base_of(request)))
    return [{key: value for key, value in answers_in(shown[: len(KEYS)]).items() if value}, *shown]


def _keeper(keys: list[str]) -> Any:
    @session.guarded
    def keep(visitor: str, name: str | None, *values: Any) -> str:
        project = session.project(visitor, name)
        given = {key: str(value) for key, value in zip(keys, values, strict=True) if value}
        route = conclusions.set_answers(project, given)
        return words.KEPT.format(project=escape(project.name), route=escape(route))

    return keep
