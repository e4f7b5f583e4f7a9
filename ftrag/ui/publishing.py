"""Publish and export: files to take home, and the Hub with the visitor's own token."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import hub, jobs, publish, quotas, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.pace import Pace, Progress
from ftrag.ui import session
from ftrag.ui.texts import publish as words
from ftrag.ui.view import Safe, bar, cell
from ftrag.ui.working import timed_bar, working

EXPORTS = {words.ADAPTER: "adapter", words.MERGED: "merged", words.WHOLE: "project"}
PUSHES = {words.ADAPTER: "adapter", words.MERGED: "merged", words.SPACE: "space"}
FLAGS = {"adapter": [], "merged": ["--merge"], "project": ["--whole"]}  # of the command `export`


def build(visitor_bs: Any, project_dd: Any, chosen_st: Any) -> None:
    """An accordion, wired by itself."""
    with gr.Accordion(words.PUBLISH, open=False, elem_id="publish") as accordion:
        adapter_dd = gr.Dropdown([], label=words.ADAPTER, elem_id="publish_adapter")
        with gr.Row():
            export_rd = gr.Radio(list(EXPORTS), value=words.ADAPTER, label=words.TAKE_HOME, min_width=220)
            export_btn = gr.Button(words.EXPORT, size="sm", min_width=90, elem_id="publish_export")
        export_fl = gr.File(label=words.DOWNLOAD, visible=False, elem_id="publish_file")
        push_rd = gr.Radio(list(PUSHES), value=words.ADAPTER, label=words.PUSH_TO_HUB)
        public_cb = gr.Checkbox(False, label=words.PUBLIC)
        with gr.Row():
            repo_tb = gr.Textbox(label=words.REPOSITORY, placeholder=words.REPOSITORY_HINT, min_width=180, max_lines=1)
            token_tb = gr.Textbox(label=words.TOKEN, type="password", min_width=180, max_lines=1, info=words.TOKEN_USE)
        if oauth():
            gr.LoginButton(size="sm")
        with gr.Row():
            push_btn = gr.Button(words.PUSH, size="sm", min_width=90)
            pull_btn = gr.Button(words.PULL, size="sm", min_width=250)
        said_html = gr.HTML(elem_id="publish_said")
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    here = [visitor_bs, project_dd]
    for event in (chosen_st.change, accordion.expand):
        event(offered, here, [adapter_dd], **private)
    slow: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "publish", **private}
    export_btn.click(export, [*here, adapter_dd, export_rd], [said_html, export_fl], **slow)
    push_inputs = [*here, adapter_dd, push_rd, repo_tb, public_cb, token_tb]
    push_btn.click(push_logged_in if oauth() else push, push_inputs, [said_html, token_tb], **slow)
    pull_btn.click(
        pull_logged_in if oauth() else pull,
        [*here, repo_tb, token_tb],
        [said_html, token_tb, adapter_dd],
        **slow,
    )


def oauth() -> bool:
    """Whether visitors can log in with their Hub account: on a Space whose front matter asks for it."""
    return quotas.on_space() and bool(os.environ.get("OAUTH_CLIENT_ID"))


@session.guarded
def offered(visitor: str, name: str | None) -> Any:
    """The adapters of the project that was chosen."""
    known = [card["id"] for card in workflows.adapters(session.project(visitor, name))] if name else []
    return gr.update(choices=known, value=known[-1] if known else None)


@session.guarded
def export(visitor: str, name: str | None, adapter: str | None, what: str) -> Iterator[list[Any]]:
    """A job that writes the files, then a zip of them to download; in the project they are removed again."""
    project = session.project(visitor, name)
    kind = EXPORTS.get(what, "adapter")
    quotas.room(session.workspace(visitor), [])
    chosen = workflows.choose_adapter(project, adapter or None)
    if kind != "project" and chosen is None:
        raise InputError(words.NO_ADAPTER)
    arguments = ["export", project.name, *FLAGS[kind], *([chosen] if kind != "project" and chosen else [])]
    owner = session.owner(visitor)
    job = jobs.start(projects.home(), arguments, owner, project.name, session.workspace(visitor))
    pace = Pace()
    while (status := jobs.watch(projects.home(), job))["state"] not in jobs.ENDED:
        yield [timed_bar(status["fraction"], status["message"], pace), gr.skip()]
        time.sleep(0.3)
    if status["state"] != jobs.DONE:
        raise InputError(words.EXPORT_FAILED.format(message=status["message"]))
    yield ["", gr.update(value=str(_zipped(project, kind, chosen)), visible=True)]


def _zipped(project: Path, kind: str, adapter: str | None) -> Path:
    """What an export job left under the project's exports, as one zip in a folder that is swept."""
    target = Path(tempfile.mkdtemp(prefix="ftrag-")) / f"{project.name}-{kind}.zip"
    if kind == "project":
        shutil.move(project / "exports" / f"{project.name}.zip", target)
    else:
        folder = project / "exports" / f"{adapter}{'-merged' if kind == 'merged' else ''}"
        publish.bundle(folder, target, f"{project.name}-{kind}")
        shutil.rmtree(folder)
    return target


@session.guarded
def push(
    visitor: str, name: str | None, adapter: str | None, what: str, repo: str, public: bool, token: str
) -> Iterator[list[Any]]:
    """Push with the token that was typed; it is cleared from the page at once and kept nowhere."""
    yield from _push(visitor, name, adapter, what, repo, public, token)


@session.guarded
def push_logged_in(
    visitor: str,
    name: str | None,
    adapter: str | None,
    what: str,
    repo: str,
    public: bool,
    token: str,
    login: gr.OAuthToken | None,
) -> Iterator[list[Any]]:
    """As `push`, with the login's token where none was typed."""
    yield from _push(visitor, name, adapter, what, repo, public, token or (login.token if login else ""))


def _push(
    visitor: str, name: str | None, adapter: str | None, what: str, repo: str, public: bool, token: str
) -> Iterator[list[Any]]:
    project = session.project(visitor, name)
    given = hub.checked_token(token)
    yield [bar(0.0, words.STARTING), ""]
    kind = PUSHES.get(what, "adapter")

    def work(report: Progress) -> Any:
        return publish.push(project, adapter or "", repo.strip(), given, kind, not public, report)

    for shown, value in working(work):
        yield [shown or _published(value), gr.skip()]


def _published(value: dict[str, Any]) -> Safe:
    where = Safe(f'<a href="{cell(value["url"])}" target="_blank" rel="noopener noreferrer">{cell(value["url"])}</a>')
    said = words.PUBLISHED.format(where=where, files=len(value["files"]))
    return Safe(f'<p class="ft-note">{said}</p>')


@session.guarded
def pull(visitor: str, name: str | None, repo: str, token: str) -> Iterator[list[Any]]:
    """Take an adapter from the Hub, checked like any other; a token is needed for private repositories only."""
    yield from _pull(visitor, name, repo, token)


@session.guarded
def pull_logged_in(
    visitor: str, name: str | None, repo: str, token: str, login: gr.OAuthToken | None
) -> Iterator[list[Any]]:
    yield from _pull(visitor, name, repo, token or (login.token if login else ""))


def _pull(visitor: str, name: str | None, repo: str, token: str) -> Iterator[list[Any]]:
    project = session.project(visitor, name)
    quotas.room(session.workspace(visitor), [])
    yield [bar(0.0, words.STARTING), "", gr.skip()]
    for shown, value in working(lambda report: publish.pull(project, repo.strip(), token, report=report)):
        if not shown:
            known = [card["id"] for card in workflows.adapters(project)]
            said = words.PULLED.format(repo=cell(repo), adapter=cell(value["adapter"]))
            yield [Safe(f'<p class="ft-note">{said}</p>'), gr.skip(), gr.update(choices=known, value=value["adapter"])]
        else:
            yield [shown, gr.skip(), gr.skip()]
