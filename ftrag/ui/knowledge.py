"""Knowledge in the Train tab: where documents are cut, what a search finds, and whether retrieval is worth it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import comparison, freshness, jobs, knowledge, workflows
from ftrag import project as projects
from ftrag.chunking import STRATEGIES
from ftrag.errors import InputError
from ftrag.retrieval.opening import KINDS
from ftrag.retrieval.settings import BOUNDS
from ftrag.retrieval.terms import languages
from ftrag.ui import editing, session
from ftrag.ui import knowledge_view as view
from ftrag.ui.choice import Choice
from ftrag.ui.texts import knowledge as words
from ftrag.ui.view import job_card
from ftrag.ui.working import barred, working

SETTINGS = (  # in the order of the controls
    *("retriever", "rerank", "language", "stem", "stop_words", "expand_terms", "minimum_match", "minimum_cosine"),
    *("whole_document_tokens", "k", "context_tokens", "best_last"),
)
JOBS = ("compare", "drill")
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # what is slow has a bar of its own
AFTER: dict[str, Any] = {**QUIET, "trigger_mode": "multiple"}  # of two in a row none is dropped for the other
# A number that is being typed is out of range at first, which gradio would refuse with a message at every digit.
IN_RANGE_JS = """(...all) => {
  const into = (place, value) => { const range = document.querySelector(`${place} input[type=range]`);
    return range ? Math.min(Number(range.max), Math.max(Number(range.min), Number(value) || 0)) : value; };
  return [...all.slice(0, -2), into('#cut_size', all.at(-2)), into('#cut_overlap', all.at(-1))]; }"""
OUTPUTS = 6 + len(SETTINGS) + 1 + 1 + 2 + 5  # chunks, settings and their message, quality, the editor, what is polled


def build(visitor_bs: Any, project_dd: Any, chosen_st: Any) -> dict[str, Any]:
    """The panel. `refresh(visitor, name)` fills `outputs`; whoever changes documents calls it, and `cuts` then."""
    here = [visitor_bs, project_dd]
    with gr.Accordion(words.TITLE, open=False, elem_id="knowledge") as panel_ac, gr.Tabs() as tabs:
        tabs.overflow_behavior = "wrap"
        with gr.Tab(words.CHUNKS_TAB):
            cut, cuts = _chunks_tab(here)
        with gr.Tab(words.SEARCH_TAB):
            _search_tab(here)
        with gr.Tab(words.SETTINGS_TAB):
            settings = _settings_tab(here)
        with gr.Tab(words.QUALITY_TAB):
            measured = _quality_tab(here)
        with gr.Tab(words.COMPARE_TAB):
            compared = _compare_tab(here)
        with gr.Tab(words.FRESHNESS_TAB):
            fresh = editing.build(here)
    clock = gr.Timer(2, active=False)
    polled = [clock, compared["job"], compared["shown"], fresh["job"], fresh["shown"]]
    outputs = [*cut, *settings, measured, fresh["document"], fresh["text"], *polled]
    for button, handler, inputs in (
        (compared["start"], start_compare, compared["inputs"]),
        (fresh["start"], start_drill, fresh["inputs"]),
    ):
        button.click(handler, [*here, *inputs], polled, **QUIET)
    clock.tick(poll, here, polled, **QUIET)
    # what was kept, settings or a text, makes the results below older than it
    gr.on([said.change for said in (cut[-1], settings[-1], fresh["kept"])], poll, here, polled, **QUIET)
    for event in (chosen_st.change, panel_ac.expand):
        event(refresh, here, outputs, **QUIET).then(*cuts, **AFTER)
    return {"refresh": refresh, "outputs": outputs, "cuts": cuts}


def _chunks_tab(here: list[Any]) -> tuple[list[Any], tuple[Any, ...]]:
    """What `refresh` fills, and the call that draws the cuts: after it, since two projects may have equal names."""
    listed_html = gr.HTML(max_height=240)
    with gr.Row():
        document_dd = Choice([], label=words.DOCUMENT, scale=2, min_width=200, elem_id="cut_document")
        strategy_dd = gr.Dropdown(list(STRATEGIES), label=words.CHUNKING, min_width=140, elem_id="cut_strategy")
        size_sl = gr.Slider(*BOUNDS["chunk_tokens"], step=8, label=words.SIZE, min_width=160, elem_id="cut_size")
        overlap_sl = gr.Slider(
            *BOUNDS["chunk_overlap"], step=4, label=words.OVERLAP, min_width=160, elem_id="cut_overlap"
        )
    with gr.Row():
        keep_btn = gr.Button(words.USE_CUTS, variant="primary", size="sm", scale=0, min_width=190, elem_id="cut_use")
    kept_html = gr.HTML()
    chunks_html = gr.HTML(elem_id="chunks", max_height=520)
    cut = [strategy_dd, size_sl, overlap_sl]
    previewed = barred(words.CUTTING, editing.size_of)(preview)
    cuts = (previewed, [*here, document_dd, *cut], [chunks_html])
    gr.on([document_dd.change, strategy_dd.change], *cuts, trigger_mode="always_last", **QUIET)
    # `release` is of the mouse alone: `input` follows the keyboard too, with one call at a time
    gr.on([size_sl.input, overlap_sl.input], *cuts, trigger_mode="always_last", js=IN_RANGE_JS, **QUIET)
    kept = barred(words.INDEXING, _size, outputs=2)(keep_cuts)
    keep_btn.click(kept, [*here, *cut], [kept_html, listed_html], **QUIET)
    return [listed_html, document_dd, *cut, kept_html], cuts


def _search_tab(here: list[Any]) -> None:
    with gr.Row():
        query_tb = gr.Textbox(label=words.QUERY, scale=3, min_width=220, elem_id="search_query")
        kind_dd = gr.Dropdown(list(KINDS), value="bm25", label=words.RETRIEVER, min_width=110)
        k_sl = gr.Slider(1, 20, value=5, step=1, label=words.PASSAGES, min_width=120)
    rerank_cb = gr.Checkbox(label=words.RERANK, info=words.RERANK_INFO)
    with gr.Row():
        find_btn = gr.Button(words.SEARCH, variant="primary", size="sm", elem_id="search_start", scale=0, min_width=190)
    hits_html = gr.HTML(elem_id="hits")
    inputs = [*here, query_tb, kind_dd, k_sl, rerank_cb]
    gr.on([find_btn.click, query_tb.submit], barred(words.SEARCHING, _size)(search), inputs, [hits_html], **QUIET)


def _settings_tab(here: list[Any]) -> list[Any]:
    controls = [
        gr.Radio(list(KINDS), label=words.OF_ANSWERS, info=words.OF_ANSWERS_INFO, elem_id="knowledge_retriever"),
        gr.Checkbox(label=words.RERANKED, info=words.RERANKED_INFO),
        gr.Dropdown(languages(), label=words.LANGUAGE, info=words.LANGUAGE_INFO, allow_custom_value=True),
        gr.Checkbox(label=words.STEMMING, info=words.STEMMING_INFO),
        gr.Checkbox(label=words.STOP_WORDS, info=words.STOP_WORDS_INFO),
    ]
    with gr.Row():
        controls += [
            gr.Slider(*BOUNDS["expand_terms"], step=1, label=words.EXPANSION, info=words.EXPANSION_INFO),
            gr.Slider(*BOUNDS["minimum_match"], step=0.05, label=words.WORD_THRESHOLD, info=words.WORD_THRESHOLD_INFO),
            gr.Slider(
                *BOUNDS["minimum_cosine"], step=0.05, label=words.COSINE_THRESHOLD, info=words.COSINE_THRESHOLD_INFO
            ),
            gr.Slider(*BOUNDS["whole_document_tokens"], step=100, label=words.WHOLE, info=words.WHOLE_INFO),
            gr.Slider(*BOUNDS["k"], step=1, label=words.PER_QUESTION, info=words.PER_QUESTION_INFO),
            gr.Slider(*BOUNDS["context_tokens"], step=100, label=words.BUDGET, info=words.BUDGET_INFO),
            gr.Checkbox(label=words.BEST_LAST, info=words.BEST_LAST_INFO),
        ]
    with gr.Row():
        save_btn = gr.Button(
            words.KEEP_SETTINGS, variant="primary", size="sm", elem_id="knowledge_save", scale=0, min_width=190
        )
    saved_html = gr.HTML()
    save_btn.click(barred(words.INDEXING, _size)(save), [*here, *controls], [saved_html], **QUIET)
    return [*controls, saved_html]


def _quality_tab(here: list[Any]) -> Any:
    gr.HTML(view.note(words.QUALITY_NOTE))
    with gr.Row():
        measure_btn = gr.Button(
            words.MEASURE, variant="primary", size="sm", elem_id="quality_start", scale=0, min_width=190
        )
    quality_html = gr.HTML(elem_id="quality")
    measure_btn.click(measure, here, [quality_html], concurrency_limit=1, **QUIET)
    return quality_html


def _compare_tab(here: list[Any]) -> dict[str, Any]:
    with gr.Row():
        ks_cg = gr.CheckboxGroup(list(map(str, view.KS)), value=["1", "3", "5"], label=words.KS, min_width=160)
        kinds_cg = gr.CheckboxGroup(list(KINDS), value=["bm25"], label=words.RETRIEVERS, min_width=200)
    with gr.Row():
        start_btn = gr.Button(
            words.COMPARE,
            variant="primary",
            size="sm",
            scale=0,
            min_width=260,
            elem_id="compare_start",
        )
    return {
        "start": start_btn,
        "inputs": [ks_cg, kinds_cg],
        "job": gr.HTML(),
        "shown": gr.HTML(elem_id="compared"),
    }


# --- handlers


def _size(visitor: str, name: str | None, *_: Any) -> float:
    """Bytes of all documents."""
    folder = session.project(visitor, name) / "documents"
    return float(sum(path.stat().st_size for path in folder.glob("*") if path.is_file()))


@session.guarded
def refresh(visitor: str, name: str | None) -> list[Any]:
    """Everything that the panel shows of a project; without one, nothing."""
    if not name or not projects.NAME.fullmatch(name):
        return [gr.skip()] * OUTPUTS
    project = session.project(visitor, name)
    listed, chosen = knowledge.listing(project), knowledge.settings(project)
    names = [row["document"] for row in listed["documents"]]
    editable = freshness.editable(project)
    kept = [chosen.chunk_strategy, chosen.chunk_tokens, chosen.chunk_overlap]
    values = [workflows.setting(project, "k") if key == "k" else getattr(chosen, key) for key in SETTINGS]
    first = names[0] if names else None
    return [
        view.documents(listed),
        gr.update(choices=names, value=first),
        *kept,
        "",
        *values,
        "",
        "",
        gr.update(choices=editable, value=editable[0] if editable else None),
        freshness.read(project, editable[0]) if editable else "",
        *_polled(visitor, project),
    ]


@session.guarded
def preview(visitor: str, name: str | None, document: str | None, strategy: str, size: float, overlap: float) -> str:
    if not document:
        return ""
    changes = _cuts(strategy, size, overlap)
    return view.chunks(knowledge.preview(session.project(visitor, name), document, changes))


def _cuts(strategy: str, size: float, overlap: float) -> dict[str, Any]:
    """The settings of the cuts; an overlap over half of the size is lowered to it."""
    return {
        "chunk_strategy": strategy,
        "chunk_tokens": int(size),
        "chunk_overlap": min(int(overlap), int(size) // 2),
    }


@session.guarded
def keep_cuts(visitor: str, name: str | None, strategy: str, size: float, overlap: float) -> list[str]:
    project = session.project(visitor, name)
    result = knowledge.change(project, _cuts(strategy, size, overlap))
    return [_changed(result), view.documents(knowledge.listing(project))]


def _changed(result: dict[str, Any]) -> str:
    what = ", ".join(result["changed"]) or words.NOTHING
    how = words.REBUILT if result["rebuilt"] else words.NOT_REBUILT
    took = result["milliseconds"]
    return view.note(words.CHANGED.format(what=what, how=how, chunks=result["chunks"], milliseconds=took))


@session.guarded
def save(visitor: str, name: str | None, *values: Any) -> str:
    kinds = dict(zip(SETTINGS, values, strict=True))
    whole = {key: int(kinds[key]) for key in ("expand_terms", "whole_document_tokens", "k", "context_tokens")}
    return _changed(knowledge.change(session.project(visitor, name), kinds | whole))


@session.guarded
def search(visitor: str, name: str | None, query: str, kind: str, k: float, rerank: bool) -> str:
    return view.hits(knowledge.find(session.project(visitor, name), query, int(k), kind, bool(rerank)))


@session.guarded
def measure(visitor: str, name: str | None) -> Iterator[str]:
    project = session.project(visitor, name)
    for shown, rows in working(lambda report: workflows.retrieval_quality(project, report=report)):
        yield shown or view.quality(rows)


@session.guarded
def start_compare(visitor: str, name: str | None, ks: list[str], kinds: list[str]) -> list[Any]:
    if not ks or not kinds:
        raise InputError(words.CHOOSE_BOTH)
    return _start(visitor, name, ["compare", "--k", ",".join(ks), "--retriever", ",".join(kinds)])


@session.guarded
def start_drill(visitor: str, name: str | None, edits: float) -> list[Any]:
    return _start(visitor, name, ["drill", "--edits", str(int(edits))])


def _start(visitor: str, name: str | None, arguments: Sequence[str]) -> list[Any]:
    project, owner = session.project(visitor, name), session.owner(visitor)
    if (going := _job(visitor, project, arguments[0])) and going["state"] not in jobs.ENDED:
        raise InputError(words.BUSY.format(command=arguments[0]))
    command = [arguments[0], project.name, *arguments[1:]]
    jobs.start(projects.home(), command, owner, project.name, session.workspace(visitor))
    return _polled(visitor, project)


def _job(visitor: str, project: Path, command: str) -> dict[str, Any] | None:
    """The visitor's newest job of this command in this project."""
    mine = [
        job
        for job in jobs.listing(projects.home(), session.owner(visitor))
        if job["project"] == project.name and job["command"].split()[3] == command
    ]
    return mine[-1] if mine else None


@session.guarded
def poll(visitor: str, name: str | None) -> Any:
    if not name or not projects.NAME.fullmatch(name):
        return gr.skip()
    return _polled(visitor, session.project(visitor, name))


def _polled(visitor: str, project: Path) -> list[Any]:
    """The clock runs while a job does; what its last run found stands below."""
    found = [_job(visitor, project, command) for command in JOBS]
    going = any(job and job["state"] not in jobs.ENDED for job in found)
    cards = [job_card(job, "") if job else "" for job in found]
    compared, drilled = view.comparison(comparison.newest(project)), view.drill(freshness.newest(project))
    return [gr.Timer(active=going), cards[0], compared, cards[1], drilled]
