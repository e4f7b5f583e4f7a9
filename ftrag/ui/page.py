"""The page: header, four tabs, one clock. It answers before any model is loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import gradio as gr

from ftrag import jobs, workflows
from ftrag import project as projects
from ftrag.errors import FtragError, InputError
from ftrag.ui import chat, decide, evaluate, header, publishing, session, space, steps, texts, train, warm
from ftrag.ui.view import table

POLL_SECONDS = 1.5


def build() -> Any:
    """The Blocks. Nothing here touches a model or a visitor's file."""
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        visitor_bs = gr.BrowserState("", storage_key="ftrag-visitor", secret=session.secret())
        head = header.build(visitor_bs)
        project_dd = head["project"]
        space.build()
        jobs_ac = gr.Accordion("Jobs", open=False, elem_id="jobs")
        with jobs_ac:
            jobs_parts = _jobs_panel()
        strips: list[Any] = []
        commands: list[Any] = []
        with gr.Tabs(elem_id="tabs", selected="decide") as tabs:
            tabs.overflow_behavior = "wrap"
            with _tab("decide", texts.DECIDE_TAB, strips, commands):
                decide_parts = decide.build_decide(workflows.classify)
            with _tab("train", texts.TRAIN_TAB, strips, commands):
                train_parts = train.build(visitor_bs, project_dd)
            with _tab("evaluate", texts.EVALUATE_TAB, strips, commands):
                evaluate_parts = evaluate.build(visitor_bs, project_dd)
                publishing.build(visitor_bs, project_dd)
            with _tab("chat", texts.CHAT_TAB, strips, commands):
                chat_parts = chat.build(visitor_bs, project_dd)
        clock = gr.Timer(POLL_SECONDS)
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        parts = [train_parts, evaluate_parts, chat_parts]
        tab_outputs = [component for part in parts for component in part["outputs"]]
        polled = [
            head["status"],
            jobs_ac,
            *jobs_parts["outputs"],
            *train_parts["poll_outputs"],
            *evaluate_parts["poll_outputs"],
        ]
        header.wire(page, head, tabs)
        for strip in strips:
            steps.wire_step(strip, tabs)
            strip["own"].click(header.use_own, [visitor_bs], [project_dd, tabs], **quiet)
        page.load(decide_parts["restore"], None, decide_parts["restore_outputs"], **quiet)
        here = [visitor_bs, project_dd]
        project_dd.change(choose, here, tab_outputs, **quiet)
        said = [*(strip["said"] for strip in strips), *commands]
        gr.on([project_dd.change, tabs.select], orient, here, said, **quiet)
        clock.tick(tick, [*here, *evaluate_parts["poll_inputs"]], polled, concurrency_limit=4, **quiet)
        _wire_jobs(jobs_parts, visitor_bs, quiet)
    return page


@contextlib.contextmanager
def _tab(name: str, title: str, strips: list[Any], commands: list[Any]) -> Iterator[None]:
    """A tab between its next step and its commands."""
    with gr.Tab(title, id=name):
        strips.append(steps.step(name))
        yield
        commands.append(steps.commands(name))


def _jobs_panel() -> dict[str, Any]:
    list_html = gr.HTML()
    with gr.Row():
        job_dd = gr.Dropdown([], label="Job", scale=3)
        buttons = {name: gr.Button(name, size="sm", min_width=80) for name in ("Cancel", "Retry", "Dismiss", "Log")}
    log_tb = gr.Textbox(label="Output", lines=8, visible=False)
    return {"outputs": [list_html, job_dd], "job": job_dd, "buttons": buttons, "log": log_tb}


def _wire_jobs(parts: dict[str, Any], visitor_bs: Any, quiet: dict[str, Any]) -> None:
    for name, handler in (("Cancel", cancel_job), ("Retry", retry_job), ("Dismiss", dismiss_job), ("Log", show_log)):
        parts["buttons"][name].click(handler, [visitor_bs, parts["job"]], [parts["log"]], **quiet)


@session.guarded
def cancel_job(visitor: str, job: str | None) -> Any:
    jobs.cancel(projects.home(), _chosen(job), session.owner(visitor))
    return gr.skip()


@session.guarded
def retry_job(visitor: str, job: str | None) -> Any:
    jobs.retry(projects.home(), _chosen(job), session.owner(visitor))
    return gr.skip()


@session.guarded
def dismiss_job(visitor: str, job: str | None) -> Any:
    jobs.dismiss(projects.home(), _chosen(job), session.owner(visitor))
    return gr.update(visible=False)


@session.guarded
def show_log(visitor: str, job: str | None) -> Any:
    text = jobs.read_log(jobs.find(projects.home(), _chosen(job), session.owner(visitor)))
    return gr.update(value=text, visible=True)


def _chosen(job: str | None) -> str:
    if not job:
        raise InputError("choose a job in the list first")
    return job


@session.guarded
def choose(visitor: str, name: str | None) -> list[Any]:
    """Every tab turns to the project."""
    chosen = _opened(name)
    return [*train.refresh(visitor, chosen), *evaluate.refresh(visitor, chosen), *chat.refresh(visitor, chosen)]


@session.guarded
def orient(visitor: str, name: str | None) -> list[Any]:
    """What every tab's strip says, and its commands, for this project."""
    chosen = _opened(name)
    return [*steps.steps(visitor, chosen), *(steps.command_lines(tab, chosen) for tab in texts.NEXT)]


def _opened(name: str | None) -> str | None:
    """The project's name; None for an example that is still being opened."""
    return None if not name or name.startswith(header.EXAMPLE) else name


def tick(visitor: str, name: str | None, run: str | None) -> Any:
    """What changes by itself: the model's state, the jobs, the training and the evaluation of this project."""
    try:
        chosen = _opened(name)
        mine = jobs.listing(projects.home(), session.owner(visitor))
        going = sum(job["state"] not in jobs.ENDED for job in mine)
        return [
            header.status_line(warm.model_line()),
            gr.update(label=f"Jobs ({going} going)" if going else "Jobs"),
            _job_table(mine),
            gr.update(choices=[(f"{job['command'][:60]} · {job['state']}", job["id"]) for job in reversed(mine)]),
            *train.poll(visitor, chosen),
            *evaluate.poll(visitor, chosen, run),
        ]
    except FtragError:  # no visitor yet, or the project has just gone: the next tick knows better
        return gr.skip()


def _job_table(mine: list[dict[str, Any]]) -> str:
    rows = [
        [job["command"], job["state"], f"{job['fraction'] * 100:.0f} %", job["message"]] for job in reversed(mine[-30:])
    ]
    return table(["command", "state", "done", "message"], rows, numeric=[2]) if rows else "<p>No jobs yet.</p>"
