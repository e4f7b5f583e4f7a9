"""The Evaluate tab: every arm on the same questions, the verdict first, then the rows behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from ftrag import experiments, jobs, outcomes, records, workflows
from ftrag import project as projects
from ftrag.errors import FtragError, InputError
from ftrag.evaluation import judge
from ftrag.evaluation.arms import ARMS
from ftrag.ui import evaluate_release as release
from ftrag.ui import evaluate_run as opened
from ftrag.ui import evaluate_view as view
from ftrag.ui import session, texts
from ftrag.ui.choice import Choice
from ftrag.ui.texts import evaluate as words
from ftrag.ui.train import newest_job
from ftrag.ui.view import job_card

LONG_JOBS = ("evaluate", "compare", "reroute", "drill")
PICK_JS = """element.addEventListener('click', (event) => {
  const hit = event.target.closest('[data-group]');
  if (hit) trigger('select', {index: Number(hit.dataset.group), value: hit.dataset.group});
});"""
PRIVATE: dict[str, Any] = {"api_visibility": "private"}


def build(visitor_bs: Any, project_dd: Any) -> dict[str, Any]:
    """The tab's components, wired; returns what the page refreshes when the project changes, and what it polls."""
    part = {"verdict": gr.HTML(elem_id="verdict")} | _controls() | _results()  # the answer first, then what made it
    with gr.Accordion(words.GATES, open=False, elem_id="release"):
        gated = release.build(visitor_bs, project_dd, part["run"])
    with gr.Row():
        part["reports"] = [
            gr.Button(words.REPORT_AS.format(form=form), size="sm", min_width=100) for form in opened.FORMS
        ]
    part["report"] = gr.File(label=words.REPORT, visible=False, elem_id="report_file")
    here = [visitor_bs, project_dd]
    _wire_jobs(part, here)
    shown = opened.wire(part, gated, here)
    return {
        "show": shown,
        "refresh": refresh,
        "outputs": [part["arms"], part["run"], part["plan"]],
        "poll": poll,
        "poll_inputs": [part["run"]],
        "poll_outputs": [part["job"], part["run"]],
    }


def _controls() -> dict[str, Any]:
    """Which run is shown, and what starts another one."""
    part: dict[str, Any] = {}
    with gr.Row(equal_height=False):
        part["run"] = Choice([], label=words.RUN, elem_id="run_choice", scale=4, min_width=220)
        part["evaluate"] = gr.Button(
            words.EVALUATE, variant="primary", elem_id="evaluate_start", scale=1, min_width=110
        )
        part["cancel"] = gr.Button(words.CANCEL, variant="stop", scale=0, min_width=90)
    part["plan"] = gr.HTML(elem_id="plan")
    with gr.Accordion(words.SETTINGS, open=False, elem_id="run_settings"):
        part["arms"] = gr.CheckboxGroup(
            [(f"{name} – {arm.why}", name) for name, arm in ARMS.items()],
            value=list(ARMS),
            label=words.ARMS,
            elem_id="arms",
        )
        part["limit"] = gr.Number(value=0, precision=0, minimum=0, label=words.LIMIT, min_width=160, elem_id="limit")
        part["judge"] = _judge_box()
        with gr.Row():
            part["compare"] = gr.Button(words.COMPARE, size="sm", min_width=180)
            part["drill"] = gr.Button(words.DRILL, size="sm", min_width=120)
            part["reroute"] = gr.Button(words.REROUTE, size="sm", min_width=120, elem_id="reroute")
            part["sibling"] = gr.Button(words.SIBLING, size="sm", min_width=150, elem_id="sibling")
    part["job"] = gr.HTML(elem_id="evaluate_job")
    return part


def _judge_box() -> Any:
    """The second opinion, where the server's owner has set one up; its address never comes from the page."""
    url, model = judge.configured() or ("", "")
    said = words.ASK_JUDGE.format(model=model, host=urlsplit(url).hostname or url)
    return gr.Checkbox(value=False, label=said, visible=bool(url), elem_id="ask_judge")


def _results() -> dict[str, Any]:
    """What the verdict rests on, down to each question."""
    part: dict[str, Any] = {name: gr.HTML(elem_id=name) for name in ("arms_plot", "causes")}
    part["scatter"] = gr.HTML(elem_id="scatter", js_on_load=PICK_JS)
    with gr.Accordion(words.GROUPS, open=False):
        part["clusters"] = gr.HTML(elem_id="clusters")
    part["filter"] = gr.Dropdown([opened.ALL], value=opened.ALL, label=words.QUESTIONS, elem_id="row_filter")
    part["rows"] = gr.Dataframe(
        headers=list(words.ROW_HEADERS),
        datatype="str",
        interactive=False,
        wrap=True,
        max_height=320,
        elem_id="rows",
        column_widths=["70px", "300px", "180px", "320px", "130px", "130px"],
    )
    part["row"] = gr.HTML(f'<p class="ft-note">{texts.OPEN_ROW}</p>', elem_id="row")
    with gr.Accordion(words.EVERY_NUMBER, open=False):
        part["table"] = gr.HTML(elem_id="arm_table")
    return part


def _wire_jobs(part: Mapping[str, Any], here: list[Any]) -> None:
    asked = [*here, part["arms"], part["limit"]]
    part["evaluate"].click(start, [*asked, part["judge"]], [part["job"]], **PRIVATE)
    for command in ("compare", "drill", "reroute"):
        part[command].click(_starter(command), here, [part["job"]], **PRIVATE)
    part["sibling"].click(open_sibling, here, here[1:], **PRIVATE)
    part["cancel"].click(cancel, here, [part["job"]], **PRIVATE)
    changed = [part["arms"].change, part["limit"].change]
    gr.on(changed, plan, asked, [part["plan"]], show_progress="hidden", **PRIVATE)


def refresh(visitor: str, name: str | None) -> list[Any]:
    """Arms that can run, the runs there are, and what a run would take."""
    if not name:
        return [gr.update(), gr.update(choices=[], value=None), ""]
    project = session.project(visitor, name)
    try:
        arms = experiments.runnable_arms(project, workflows.choose_adapter(project, None))
    except InputError:
        arms = ["base"]
    return [gr.update(value=arms), _run_choices(project, None), _plan(project, arms, None)]


def _plan(project: Path, arms: Sequence[str], limit: float | None) -> str:
    try:
        return view.plan_card(experiments.plan_evaluation(project, arms, int(limit) if limit else None))
    except FtragError as error:  # no gold questions yet: the sentence says what to do
        return f'<p class="ft-note">{view.marked(str(error))}</p>'


@session.guarded
def plan(visitor: str, name: str | None, arms: list[str], limit: float | None) -> str:
    return _plan(session.project(visitor, name), arms, limit) if name else ""


def _run_choices(project: Path, chosen: str | None) -> Any:
    runs, stale = records.listing(project), records.stale_runs(project)
    choices = [(_run_choice(run, run["id"] in stale), run["id"]) for run in runs]
    known = [run["id"] for run in runs]
    return gr.update(choices=choices, value=chosen if chosen in known else known[0] if known else None)


def _run_choice(run: Mapping[str, Any], stale: bool) -> str:
    when = run["created"][:16].replace("T", " ")
    mark = words.RECORDED if run["recorded"] else words.STALE if stale else ""
    return words.RUN_CHOICE.format(when=when, n=run["n"], route=run["route"]) + mark


def poll(visitor: str, name: str | None, run: str | None) -> list[Any]:
    """The newest long job of this project, and the runs when a new one is there."""
    if not name:
        return ["", gr.skip()]
    project = session.project(visitor, name)
    found = [job for command in LONG_JOBS if (job := newest_job(visitor, name, command))]
    newest = max(found, key=lambda job: job["created"]) if found else None
    runs = [one["id"] for one in records.listing(project)]
    update = (
        _run_choices(project, None) if runs and runs[0] != run and (run not in runs or _is_new(newest)) else gr.skip()
    )
    return [job_card(newest, "") if newest else "", update]


def _is_new(job: Mapping[str, Any] | None) -> bool:
    """Just ended, so that the page should turn to its run."""
    import time

    return bool(job and job.get("ended") and time.time() - job["ended"] < 4)


def _start(visitor: str, name: str | None, arguments: Sequence[str]) -> str:
    project = session.project(visitor, name)
    command = arguments[0]
    if (going := newest_job(visitor, name, command)) and going["state"] not in jobs.ENDED:
        raise InputError(words.BUSY.format(command=command))
    jobs.start(
        projects.home(),
        [command, project.name, *arguments[1:]],
        session.owner(visitor),
        project.name,
        session.workspace(visitor),
    )
    return job_card(newest_job(visitor, name, command), "")


@session.guarded
def start(visitor: str, name: str | None, arms: list[str], limit: float | None, ask_judge: bool = False) -> str:
    """Start `evaluate`. The base arm is always in, since everything is compared with it."""
    project = session.project(visitor, name)
    possible = experiments.runnable_arms(project, workflows.choose_adapter(project, None))
    wanted = [arm for arm in ARMS if arm in possible and (arm in arms or arm == "base")]
    arguments = ["evaluate", "--arms", ",".join(wanted), "--resume"]
    arguments += ["--limit", str(int(limit))] if limit else []
    second = judge.configured() if ask_judge else None
    if second:
        experiments.checked_judge(project, second)
        arguments += ["--judge", second[0], "--judge-model", second[1]]
    return _start(visitor, name, arguments)


def _starter(command: str) -> Any:
    @session.guarded
    def begin(visitor: str, name: str | None) -> str:
        return _start(visitor, name, [command])

    return begin


@session.guarded
def open_sibling(visitor: str, name: str | None) -> Any:
    """Turn the page to the retrieval-first sibling."""
    from ftrag.ui import header

    sibling = outcomes.rerouted(session.project(visitor, name))
    if sibling is None:
        raise InputError(words.NO_SIBLING)
    return header.choices(visitor, sibling.name)


@session.guarded
def cancel(visitor: str, name: str | None) -> str:
    for command in LONG_JOBS:
        job = newest_job(visitor, name, command)
        if job and job["state"] not in jobs.ENDED:
            jobs.cancel(projects.home(), job["id"], session.owner(visitor))
            return job_card(newest_job(visitor, name, command), "")
    raise InputError(words.NOT_BUSY)
