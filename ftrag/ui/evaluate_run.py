"""A run that is shown in the Evaluate tab: verdict to rows, a click on a point or a row, gates, reports."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import outcomes, records
from ftrag.errors import InputError
from ftrag.evaluation.arms import ARMS
from ftrag.ui import evaluate_release as release
from ftrag.ui import evaluate_rows as questions
from ftrag.ui import evaluate_tables as tables
from ftrag.ui import evaluate_view as view
from ftrag.ui import session, texts
from ftrag.ui.texts import evaluate as words

ALL = "all"
FORMS = ("html", "md", "json")
PRIVATE: dict[str, Any] = {"api_visibility": "private"}


def wire(part: Mapping[str, Any], gated: Mapping[str, Any], here: list[Any]) -> tuple[Any, list[Any], list[Any]]:
    """Wire the components of a run: the choice of it, its rows, its gates, its reports.

    Gives what shows the run that is chosen: (handler, inputs, outputs).
    """
    names = ("verdict", "arms_plot", "causes", "scatter", "clusters", "filter", "rows", "row", "table")
    shown = [*(part[name] for name in names), *gated["shown"]]
    run = [*here, part["run"]]
    part["run"].change(show, run, shown, show_progress="hidden", **PRIVATE)
    part["filter"].input(show_rows, [*run, part["filter"]], [part["rows"]], **PRIVATE)
    part["scatter"].select(pick_group, run, [part["filter"], part["rows"], part["row"]], **PRIVATE)
    part["rows"].select(open_row, run, [part["row"]], show_progress="hidden", **PRIVATE)
    gated["save"].click(save_gates, [*run, gated["gates"]], shown, **PRIVATE)
    gated["defaults"].click(default_gates, run, shown, **PRIVATE)
    for form, button in zip(FORMS, part["reports"], strict=True):
        button.click(_reporter(form), run, [part["report"]], **PRIVATE)
    return show, run, shown


@session.guarded
def show(visitor: str, name: str | None, run: str | None) -> list[Any]:
    """One run: verdict, plots, tables, rows with a telling failure open, gates and releases."""
    if not name or not run:
        empty = f'<div class="ft-card">{view.marked(texts.EMPTY_RUN)}</div>'
        return [empty, "", "", "", "", gr.update(choices=[ALL], value=ALL), [], "", "", "", [], ""]
    project = session.project(visitor, name)
    return _shown(project, records.load_run(project, run))


def _shown(project: Path, value: Mapping[str, Any]) -> list[Any]:
    first = questions.telling(value["rows"], value["decision"]["held"])
    return [
        view.verdict_card(value),
        view.bars(value),
        view.cause_table(value),
        questions.scatter(value),
        questions.cluster_table(value),
        gr.update(choices=questions.filters(value), value=ALL),
        questions.row_values(value, ALL),
        _opened(project, value, first) if first else "",
        tables.details(value),
        *release.shown(project, value),
    ]


@session.guarded
def show_rows(visitor: str, name: str | None, run: str | None, wanted: str) -> list[list[str]]:
    if not run:
        raise InputError(words.NO_RUN)
    return questions.row_values(records.load_run(session.project(visitor, name), run), wanted)


@session.guarded
def pick_group(visitor: str, name: str | None, run: str | None, event: gr.SelectData) -> list[Any]:
    """The rows of the group whose point was clicked, its first one open."""
    if not run:
        raise InputError(words.NO_RUN)
    project = session.project(visitor, name)
    value = records.load_run(project, run)
    wanted = f"group|{int(event.index)}"
    rows = questions.chosen_rows(value, wanted)
    first = questions.telling(rows, value["decision"]["held"])
    return [
        gr.update(value=wanted),
        questions.row_values(value, wanted),
        _opened(project, value, first) if first else "",
    ]


@session.guarded
def open_row(visitor: str, name: str | None, run: str, event: gr.SelectData) -> str:
    """Every arm's answer to the question that was clicked."""
    project = session.project(visitor, name)
    value = records.load_run(project, run)
    wanted = str(event.row_value[0])
    row = next((row for row in value["rows"] if str(row["id"]) == wanted), None)
    return _opened(project, value, row) if row else ""


def _opened(project: Path, run: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    return questions.row_card(run, row, _passages(project, row))


def _passages(project: Path, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was retrieved for a question: (document, text), from the documents as they are now."""
    from ftrag.retrieval import store

    arm = next((arm for arm in row["answers"] if ARMS[arm].context == "retrieved"), None)
    if arm is None:
        return []
    texts_of = {document.name: document.text for document in store.documents(project)}
    sources = row["answers"][arm]["sources"]
    return [
        (one["document"], texts_of[one["document"]][one["start"] : one["end"]])
        for one in sources
        if one["document"] in texts_of
    ]


@session.guarded
def save_gates(visitor: str, name: str | None, run: str | None, rows: Any) -> list[Any]:
    """Keep the edited gates with the project and decide the run again by them."""
    return _regated(visitor, name, run, rows)


@session.guarded
def default_gates(visitor: str, name: str | None, run: str | None) -> list[Any]:
    return _regated(visitor, name, run, None)


def _regated(visitor: str, name: str | None, run: str | None, rows: Any) -> list[Any]:
    if not run:
        raise InputError(words.NO_RUN_TO_DECIDE)
    project = session.project(visitor, name)
    release.save(project, run, rows)
    return _shown(project, records.load_run(project, run))


def _reporter(form: str) -> Any:
    @session.guarded
    def write(visitor: str, name: str | None, run: str | None) -> Any:
        if not run:
            raise InputError(words.NO_RUN_TO_REPORT)
        text = outcomes.report(session.project(visitor, name), run, form)
        path = Path(tempfile.mkdtemp(prefix="ftrag-")) / f"ftrag-{name}.{form}"
        path.write_text(text, encoding="utf-8")
        return gr.update(value=str(path), visible=True)

    return write
