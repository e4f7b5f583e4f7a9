"""Below the questionnaire: keep its answers with the project, so that every run says whether the evidence agrees."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from ftrag import conclusions
from ftrag.ui import session
from ftrag.ui.texts import decide as words


def build(visitor_bs: Any, project_dd: Any, questions: Mapping[str, Any]) -> None:
    """questions: key -> component, as the Decide tab built them."""
    with gr.Row(equal_height=True):
        keep_btn = gr.Button(words.KEEP, size="sm", scale=0, min_width=320, elem_id="keep")
        said_html = gr.HTML(elem_id="kept", elem_classes="ft-note", padding=False)
    inputs = [visitor_bs, project_dd, *questions.values()]
    keep_btn.click(_keeper(list(questions)), inputs, [said_html], api_visibility="private")


def _keeper(keys: list[str]) -> Any:
    @session.guarded
    def keep(visitor: str, name: str | None, *values: Any) -> str:
        project = session.project(visitor, name)
        given = {key: str(value) for key, value in zip(keys, values, strict=True) if value}
        route = conclusions.set_answers(project, given)
        return words.KEPT.format(project=escape(project.name), route=escape(route))

    return keep
