"""The Decide tab: questions on the left, a recommendation that follows every answer on the right."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from ftrag.decision import exports
from ftrag.decision.contradictions import CONTRADICTIONS
from ftrag.decision.presets import PRESETS
from ftrag.decision.questionnaire import verdict
from ftrag.decision.questions import BY_KEY
from ftrag.decision.rows import TITLES, Question
from ftrag.ui import capabilities, session
from ftrag.ui.decide_view import (
    KEYS,
    STEPS,
    on_answer,
    on_export,
    on_measure,
    on_preset,
    on_price,
    on_reset,
    restore,
    view,
)
from ftrag.ui.texts import decide as words

COLOURS = {"prompt": "#6b7280", "rag": "#0284c7", "fine-tune": "#d97706"}


def build_decide(classify: capabilities.Classify, visitor_bs: Any = None, project_dd: Any = None) -> dict[str, Any]:
    """Build the tab inside an open gr.Blocks. `classify` takes lines and gives classified rows.

    With the visitor and the chosen project, a button counts the cost model's tokens in that project's index.

    Returns the parts that the app may want, and `restore` with `restore_outputs` for Blocks.load: it answers the
    questions from a link's `?decide=key:value,...`.
    """
    first = view({}, {})
    headline_html = gr.HTML(first["headline"], elem_classes="dc-verdict", padding=False)
    status_html = gr.HTML(first["status"], elem_classes="dc-status", padding=False)
    with gr.Row():
        with gr.Column(scale=5, min_width=320):
            preset_ds = _presets()
            questions = _walkthrough()
            reset_btn = gr.Button(words.START_AGAIN, size="sm")
        with gr.Column(scale=6, min_width=320):
            score_plot, numbers_html, warnings_html = _result(first)
    why_html, changes_html = _reasons(first)
    results = [score_plot, numbers_html, why_html, warnings_html, changes_html]
    building = _building(first)
    money, measure_btn = _costs(first, project_dd is not None)
    capability = capabilities.parts()
    shared = _sharing()
    _tables()
    titles = "; ".join(escape(title) for _, title in TITLES)
    gr.HTML(f"<style>{exports.STYLE}{PAGE}</style><small>{words.SOURCES.format(titles=titles)}</small>")
    overrides_st = gr.State({})

    inputs = [questions[key] for key in KEYS]
    outputs = [headline_html, status_html, *results, *building, *money, shared["link"]]
    everything = [*inputs, *outputs]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    gr.on(
        [*(box.input for box in inputs), *(box.blur for box in inputs if isinstance(box, gr.Textbox))],
        on_answer,
        [overrides_st, *inputs],
        outputs,
        trigger_mode="always_last",
        **quiet,
    )
    preset_ds.click(on_preset, [preset_ds, overrides_st], everything, **quiet)
    reset_btn.click(on_reset, None, [overrides_st, *everything], **quiet)
    if project_dd is not None:
        asked = [visitor_bs, project_dd, overrides_st, *inputs]
        measure_btn.click(session.guarded(on_measure), asked, [overrides_st, *money], **quiet)
    money[-1].input(on_price, [money[-1], overrides_st, *inputs], [overrides_st, *outputs], **quiet)
    capabilities.wire(capability, classify, [overrides_st, *inputs], everything, quiet)
    shared["export"].click(on_export, [overrides_st, *inputs], shared["files"], **quiet)
    return {"headline": headline_html, "questions": questions, "restore": restore, "restore_outputs": everything}


PAGE = """
.dc-verdict{position:sticky;top:0;z-index:20;background:var(--background-fill-primary);padding:.6em 1em!important;
border:1px solid var(--border-color-primary);border-left:6px solid var(--dc-colour,#64748b);border-radius:12px;
box-shadow:0 1px 6px rgb(0 0 0/.08)}
.dc-verdict:has(.dc-verdict){padding:0!important;border:0;background:none;box-shadow:none} /* gradio: a class twice */
.dc-verdict:has([data-route="rag"]){--dc-colour:#0284c7}.dc-verdict:has([data-route="fine-tune"]){--dc-colour:#d97706}
.dc-verdict:has([data-route="both"]){--dc-colour:#9333ea}
.dc-verdict .dc-route{font-size:1.5em;font-weight:700;margin:0}
.dc-verdict p,.dc-status p{margin:.2em 0}
.dc-status .dc-error{border-left:4px solid #dc2626;padding-left:.6em}
"""


def _presets() -> gr.Dataset:
    with gr.Accordion(words.KNOWN_CASE, open=False):
        return gr.Dataset(
            components=["textbox"],
            samples=[[preset.title] for preset in PRESETS],
            samples_per_page=len(PRESETS),
            type="index",
            show_label=False,
        )


def _tables() -> None:
    """What the recommendation rests on, over the whole width."""
    with gr.Accordion(words.ALL_CASES, open=False):
        gr.HTML(exports.html_of(known_cases()))
    with gr.Accordion(words.CONTRADICTIONS, open=False):
        gr.HTML(exports.html_of(exports.Section("", words.CONTRADICTION_HEADERS, CONTRADICTIONS)))


def known_cases() -> exports.Section:
    """Every preset with its source's verdict beside ours."""
    rows = []
    for preset in PRESETS:
        ours = verdict(preset.answers)[0]
        agrees = "" if ours in preset.verdicts else words.DIFFERS
        rows.append((preset.title, words.OR.join(preset.verdicts), ours + agrees, preset.why, preset.source))
    return exports.Section("", words.CASE_HEADERS, tuple(rows))


def _walkthrough() -> dict[str, Any]:
    questions: dict[str, Any] = {}
    with gr.Walkthrough(selected=0) as walkthrough:
        for index, (title, keys) in enumerate(STEPS):
            with gr.Step(title, id=index):
                questions |= {key: _question(BY_KEY[key]) for key in keys}
                with gr.Row():
                    if index:
                        _step_button(words.BACK, index - 1, walkthrough)
                    if index < len(STEPS) - 1:
                        _step_button(words.NEXT_STEP.format(step=STEPS[index + 1][0]), index + 1, walkthrough)
    return questions


def _step_button(text: str, to: int, walkthrough: gr.Walkthrough) -> None:
    button = gr.Button(text, size="sm", min_width=120, variant="primary" if text != words.BACK else "secondary")
    button.click(lambda: gr.Walkthrough(selected=to), None, walkthrough, api_visibility="private")


def _question(question: Question) -> Any:
    if question.kind == "choice":
        choices = [(words.SKIP, ""), *((option.label, option.id) for option in question.options)]
        return gr.Radio(choices, value="", label=question.text, info=question.help)
    return gr.Textbox("", label=question.text, info=question.help, placeholder=question.options[1].sample, max_lines=1)


def _result(first: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    score_plot = gr.BarPlot(
        first["scores"],
        x=words.ROUTE,
        y=words.POINTS,
        color=words.KIND,
        color_map=COLOURS,
        sort=[name for route in COLOURS for name in (route, f"{route} {words.OUT}")],
        height=240,
        x_title="",
        y_lim=[0, None],
        label=words.POINTS,
        show_label=False,
        colors_in_legend=[],
    )
    numbers_html = gr.HTML(first["numbers"])
    with gr.Accordion(words.WARNINGS, open=True):
        warnings_html = gr.HTML(first["warnings"])
    return score_plot, numbers_html, warnings_html


def _reasons(first: Mapping[str, Any]) -> tuple[Any, Any]:
    with gr.Row():
        with gr.Column(scale=6, min_width=320), gr.Accordion(words.WHY, open=True):
            why_html = gr.HTML(first["why"])
        with gr.Column(scale=5, min_width=320), gr.Accordion(words.CHANGES, open=True):
            changes_html = gr.HTML(first["changes"])
    return why_html, changes_html


def _building(first: Mapping[str, Any]) -> list[Any]:
    with gr.Row():
        with gr.Column(min_width=320), gr.Accordion(words.RECIPE, open=False):
            recipe_html = gr.HTML(first["recipe"])
        with gr.Column(min_width=320), gr.Accordion(words.CHECKLIST, open=False):
            checklist_html = gr.HTML(first["checklist"])
    return [recipe_html, checklist_html]


def _costs(first: Mapping[str, Any], measurable: bool) -> tuple[list[Any], gr.Button]:
    with gr.Accordion(words.COSTS, open=True):
        with gr.Row():
            with gr.Column(min_width=320):
                costs_html = gr.HTML(first["costs"])
            with gr.Column(min_width=320):
                plot_html = gr.HTML(first["plot"])
        measure_btn = gr.Button(words.COUNT_TOKENS, size="sm", min_width=240, visible=measurable)
        with gr.Accordion(words.COST_LINES, open=False):
            lines_html = gr.HTML(first["lines"])
        with gr.Accordion(words.PRICES, open=False):
            prices_df = gr.Dataframe(
                first["prices"],
                interactive=True,
                static_columns=[0, 2, 3, 4, 5],
                wrap=True,
                max_height=420,
                show_label=False,
                column_widths=["170px", "140px", "160px", "90px", "460px", "90px"],
            )
    return [costs_html, plot_html, lines_html, prices_df], measure_btn


def _sharing() -> dict[str, Any]:
    with gr.Accordion(words.SHARE, open=False):
        link_tb = gr.Textbox(label=words.LINK, buttons=["copy"], interactive=False, elem_id="decide_link")
        export_btn = gr.Button(words.EXPORT, min_width=140)
        files = gr.Files(label=words.DOWNLOADS, visible=False)
    return {"link": link_tb, "export": export_btn, "files": files}
