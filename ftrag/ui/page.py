"""The page: header, four tabs, one clock. It answers before any model is loaded."""

from __future__ import annotations

import os
import socket
import sys
import threading
import traceback
from html import escape
from typing import Any

import gradio as gr

from ftrag import jobs, models, workflows
from ftrag import project as projects
from ftrag.errors import FtragError, InputError
from ftrag.ui import chat, decide, evaluate, session, texts, train
from ftrag.ui.theme import CSS, theme
from ftrag.ui.view import Safe, table

POLL_SECONDS = 1.5
MAX_FILE_SIZE = "20mb"
EXAMPLE = "Example: "
_status = {"line": ""}  # written by the loading thread, read by every visitor's clock

DARK_JS = "() => document.body.classList.toggle('dark')"


def build() -> Any:
    """The Blocks. Nothing here touches a model or a visitor's file."""
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        visitor_bs = gr.BrowserState("", storage_key="ftrag-visitor", secret=session.secret())
        with gr.Row(equal_height=True):
            gr.HTML(f'<div class="ft-head"><h1>{texts.TITLE}</h1><p>{texts.PITCH} {texts.THESIS}</p></div>', scale=6)
            dark_btn = gr.Button("Dark or light", size="sm", scale=0, min_width=110)
        with gr.Row():
            project_dd = gr.Dropdown([], label="Project", elem_id="project", scale=3, min_width=220)
            new_tb = gr.Textbox(label="New project", placeholder="a name", scale=2, min_width=140, elem_id="new_name")
            new_btn = gr.Button("Make it", scale=1, min_width=90, elem_id="new_make")
        status_html = gr.HTML(elem_id="status", elem_classes="ft-note")
        jobs_ac = gr.Accordion("Jobs", open=False, elem_id="jobs")
        with jobs_ac:
            jobs_parts = _jobs_panel()
        with gr.Tabs(elem_id="tabs") as tabs:
            tabs.overflow_behavior = "wrap"
            with gr.Tab(texts.DECIDE_TAB):
                decide_parts = decide.build_decide(workflows.classify)
            with gr.Tab(texts.TRAIN_TAB):
                train_parts = train.build(visitor_bs, project_dd)
            with gr.Tab(texts.EVALUATE_TAB):
                evaluate_parts = evaluate.build(visitor_bs, project_dd)
            with gr.Tab(texts.CHAT_TAB):
                chat_parts = chat.build(visitor_bs, project_dd)
        clock = gr.Timer(POLL_SECONDS)
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        parts = [train_parts, evaluate_parts, chat_parts]
        tab_outputs = [component for part in parts for component in part["outputs"]]
        polled = [
            status_html,
            jobs_ac,
            *jobs_parts["outputs"],
            *train_parts["poll_outputs"],
            *evaluate_parts["poll_outputs"],
        ]
        page.load(arrive, [visitor_bs], [visitor_bs, project_dd], **quiet)
        page.load(decide_parts["restore"], None, decide_parts["restore_outputs"], **quiet)
        project_dd.change(choose, [visitor_bs, project_dd], tab_outputs, **quiet)
        project_dd.input(open_example, [visitor_bs, project_dd], [project_dd], **quiet)
        new_btn.click(make_project, [visitor_bs, new_tb], [project_dd, new_tb], **quiet)
        clock.tick(tick, [visitor_bs, project_dd, *evaluate_parts["poll_inputs"]], polled, concurrency_limit=4, **quiet)
        dark_btn.click(None, js=DARK_JS, **quiet)
        _wire_jobs(jobs_parts, visitor_bs, quiet)
    return page


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
def arrive(visitor: str) -> list[Any]:
    """Know the visitor again, or give an id; offer the examples and the visitor's own projects."""
    known = visitor if isinstance(visitor, str) and session.VISITOR.fullmatch(visitor) else session.new_visitor()
    names = projects.names(session.workspace(known))
    if not names and "support" in projects.examples():
        names = [_opened_example(known, "support")]
    return [known, _choices(known, names[-1] if names else None)]


def _choices(visitor: str, chosen: str | None) -> Any:
    names = projects.names(session.workspace(visitor))
    examples = [f"{EXAMPLE}{name}" for name in projects.examples() if name not in names]
    return gr.update(choices=[*names, *examples], value=chosen)


def _opened_example(visitor: str, name: str) -> str:
    """A copy of an example in the visitor's own workspace."""
    root = session.workspace(visitor)
    if name not in projects.names(root):
        workflows.new(root, name, name, recorded=True)
    return name


@session.guarded
def open_example(visitor: str, name: str | None) -> Any:
    if not name or not name.startswith(EXAMPLE):
        return gr.skip()
    return _choices(visitor, _opened_example(visitor, name.removeprefix(EXAMPLE)))


@session.guarded
def make_project(visitor: str, name: str) -> list[Any]:
    workflows.new(session.workspace(visitor), name.strip())
    return [_choices(visitor, name.strip()), ""]


@session.guarded
def choose(visitor: str, name: str | None) -> list[Any]:
    """Every tab turns to the project."""
    chosen = None if not name or name.startswith(EXAMPLE) else name
    return [*train.refresh(visitor, chosen), *evaluate.refresh(visitor, chosen), *chat.refresh(visitor, chosen)]


def tick(visitor: str, name: str | None, run: str | None) -> list[Any]:
    """What changes by itself: the model's state, the jobs, the training and the evaluation of this project."""
    try:
        chosen = None if not name or name.startswith(EXAMPLE) else name
        mine = jobs.listing(projects.home(), session.owner(visitor))
        going = sum(job["state"] not in jobs.ENDED for job in mine)
        return [
            status_line(visitor),
            gr.update(label=f"Jobs ({going} going)" if going else "Jobs"),
            _job_table(mine),
            gr.update(choices=[(f"{job['command'][:60]} · {job['state']}", job["id"]) for job in reversed(mine)]),
            *train.poll(visitor, chosen),
            *evaluate.poll(visitor, chosen, run),
        ]
    except FtragError:  # no visitor yet, or the project has just gone: the next tick knows better
        return [gr.skip()] * 8


def _job_table(mine: list[dict[str, Any]]) -> str:
    rows = [
        [job["command"], job["state"], f"{job['fraction'] * 100:.0f} %", job["message"]] for job in reversed(mine[-30:])
    ]
    return table(["command", "state", "done", "message"], rows, numeric=[2]) if rows else "<p>No jobs yet.</p>"


def status_line(visitor: str) -> Safe:
    kept = texts.KEPT if projects.survives_restart(projects.home()) else texts.NOT_KEPT
    return Safe(f"{escape(_status['line'])} &nbsp;·&nbsp; {kept}")


def load_in_background() -> threading.Thread:
    """Load the built-in model while the page already answers; the status line tells how far it is."""

    def load() -> None:
        title = models.MODELS[models.DEFAULT].title
        _status["line"] = texts.MODEL_LOADING.format(model=title)
        try:
            models.prepare(models.DEFAULT, lambda fraction, message: _status.update(line=f"{message} ({fraction:.0%})"))
            loaded = workflows.model(models.DEFAULT).loaded
            import torch

            where = (
                torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
            )
            _status["line"] = f"{title}, {where}, {loaded.dtype}"
        except FtragError as error:
            _status["line"] = texts.MODEL_FAILED.format(reason=error)
        except Exception as error:  # a thread that dies in silence would leave "loading" on the page for ever
            traceback.print_exception(error)
            _status["line"] = texts.MODEL_FAILED.format(reason=type(error).__name__)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    return thread


def main() -> int:
    """Serve the page on GRADIO_SERVER_PORT or 7860; 2 with one line when the port is taken."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    port = int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if os.environ.get("SYSTEM") == "spaces" else "127.0.0.1")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            print(f"ftrag: {texts.PORT_TAKEN.format(port=port)}", file=sys.stderr)
            return 2
    page = build()
    page.queue(default_concurrency_limit=8, max_size=200)
    page.launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css=CSS,
        show_error=True,
        max_file_size=MAX_FILE_SIZE,
        enable_monitoring=False,
        run_history=False,
        ssr_mode=False,
        footer_links=[],
        quiet=True,
        prevent_thread_lock=True,
    )
    print(f"ftrag: http://{host}:{port}", file=sys.stderr)
    load_in_background()
    page.block_thread()
    return 0
