"""The header: whose page this is, which project, what answers, where results live; making, sharing and deleting."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import jobs, quotas, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.ui import session, texts
from ftrag.ui.choice import Choice
from ftrag.ui.steps import COUNTED, facts
from ftrag.ui.view import Safe
from ftrag.ui.working import barred

EXAMPLE = texts.EXAMPLE  # before the name of an example that the visitor has not opened yet
EMPTY = texts.FROM_NOTHING
OWN = "my-project"
FIRST_TAB = "evaluate"  # where most visits begin: the page is built on it, so that it need not turn to it later
PANELS = ("new", "share", "delete")
_opening = [threading.Lock() for _ in range(64)]  # a visitor opens one example at a time, others hardly ever wait

# The choice is kept in the browser; without one the page follows the system, as Gradio does. ?__theme= wins.
RESTORE_SCHEME_JS = """() => { try {
  const kept = localStorage.getItem('ftrag-scheme');
  const forced = new URL(location.href).searchParams.get('__theme');
  if (kept && !forced) document.body.classList.toggle('dark', kept === 'dark');
} catch (error) { /* storage is switched off: the system's scheme stays */ } }"""
SWITCH_SCHEME_JS = """() => { const dark = document.body.classList.toggle('dark');
  try { localStorage.setItem('ftrag-scheme', dark ? 'dark' : 'light'); }
  catch (error) { /* storage is switched off: for this visit only */ } }"""
# What is copied, by a button or by hand, is what was written, without the signs that keep it inert.
COPY_JS = """() => { const plain = (text) => text.replaceAll('\\u2060', '');
  const board = navigator.clipboard;
  if (board && !board.ftrag) { const write = board.writeText.bind(board);
    board.writeText = (text) => write(plain(text)); board.ftrag = true; }
  document.addEventListener('copy', (event) => { const text = String(document.getSelection() || '');
    if (!text.includes('\\u2060')) return;
    event.clipboardData.setData('text/plain', plain(text)); event.preventDefault(); });
}"""
LINK_JS = "(path) => path ? location.origin + location.pathname + path : ''"


def build(visitor_bs: Any) -> dict[str, Any]:
    """The components; `wire` connects them once the tabs are there."""
    with gr.Row(elem_id="top"):
        gr.HTML(
            f'<div class="ft-head"><h1>{texts.TITLE}</h1><p>{texts.PITCH}</p></div>',
            scale=5,
            min_width=250,
            padding=False,
        )
        project_dd = Choice(
            [], label=texts.PROJECT, elem_id="project", scale=3, min_width=190, container=False, show_label=False
        )
        with gr.Row(elem_id="top_buttons", scale=0):
            buttons = {
                name: gr.Button(title, size="sm", min_width=56, scale=0, elem_id=f"open_{name}")
                for name, title in zip(PANELS, texts.HEADER_BUTTONS, strict=True)
            }
            dark_btn = gr.Button(texts.SCHEME, size="sm", min_width=56, scale=0, elem_id="scheme")
    status_html = gr.HTML(elem_id="status", elem_classes="ft-note", padding=False, render=False)  # beside the jobs
    working_html = gr.HTML(elem_id="making", padding=False)
    panels = {"new": _new_panel(), "share": _share_panel(), "delete": _delete_panel()}
    chosen_st = gr.State("")  # the project once it is there; what shows a project listens to this
    return {
        "visitor": visitor_bs,
        "project": project_dd,
        "chosen": chosen_st,
        "status": status_html,
        "scheme": dark_btn,
        "working": working_html,
        "buttons": buttons,
        "panels": panels,
    }


def _new_panel() -> dict[str, Any]:
    with gr.Group(visible=False, elem_classes="ft-panel") as group, gr.Row(equal_height=False):
        name_tb = gr.Textbox(label=texts.NAME, placeholder=OWN, scale=2, min_width=160, elem_id="new_name", max_lines=1)
        start_dd = gr.Dropdown(
            [EMPTY, *(f"{EXAMPLE}{name}" for name in projects.examples())],
            value=EMPTY,
            label=texts.START_FROM,
            scale=2,
            min_width=180,
        )
        make_btn = gr.Button(texts.MAKE, variant="primary", scale=0, min_width=130, elem_id="new_make")
        close_btn = gr.Button(texts.CLOSE, scale=0, min_width=90)
    return {"group": group, "name": name_tb, "start": start_dd, "go": make_btn, "close": close_btn}


def _share_panel() -> dict[str, Any]:
    with gr.Group(visible=False, elem_classes="ft-panel") as group:
        note_html = gr.HTML()
        with gr.Row(equal_height=False):
            path_tb = gr.Textbox(visible=False)
            link_tb = gr.Textbox(
                label=texts.LINK, interactive=False, buttons=["copy"], scale=4, min_width=200, elem_id="share_link"
            )
            close_btn = gr.Button(texts.CLOSE, scale=0, min_width=90)
    return {"group": group, "note": note_html, "path": path_tb, "link": link_tb, "close": close_btn}


def _delete_panel() -> dict[str, Any]:
    with gr.Group(visible=False, elem_classes="ft-panel") as group:
        note_html = gr.HTML(elem_id="delete_note")
        with gr.Row():
            delete_btn = gr.Button(texts.DELETE, variant="stop", scale=0, min_width=130, elem_id="delete_go")
            close_btn = gr.Button(texts.KEEP, scale=0, min_width=110)
    return {"group": group, "note": note_html, "go": delete_btn, "close": close_btn}


def wire(page: Any, parts: Mapping[str, Any], tabs: Any) -> None:
    """Arriving, opening, making, sharing and deleting projects, and the colour scheme."""
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    visitor_bs, project_dd = parts["visitor"], parts["project"]
    new, share, delete = (parts["panels"][name] for name in PANELS)
    groups = [parts["panels"][name]["group"] for name in PANELS]
    # Alone: gradio 6.31 calls all listeners of one event again when one of them was still busy, without end.
    project_dd.change(chosen, [project_dd], [parts["chosen"]], **quiet)
    page.load(arrive, [visitor_bs], [visitor_bs, project_dd, tabs], **quiet)
    page.load(None, js=RESTORE_SCHEME_JS, **quiet)
    page.load(None, js=COPY_JS, **quiet)
    parts["scheme"].click(None, js=SWITCH_SCHEME_JS, **quiet)
    bar_html = parts["working"]  # an example is indexed in seconds
    opened = barred(texts.OPENING, _one, outputs=5, place=4)(_then_empty(open_example))
    project_dd.input(opened, [visitor_bs, project_dd], [project_dd, *groups, bar_html], **quiet)
    parts["buttons"]["new"].click(lambda: _only("new"), None, groups, **quiet)
    asked = parts["buttons"]["share"].click(
        show_share, [visitor_bs, project_dd], [share["note"], share["path"], share["link"], *groups], **quiet
    )
    asked.success(None, [share["path"]], [share["link"]], js=LINK_JS, **quiet)
    parts["buttons"]["delete"].click(show_delete, [visitor_bs, project_dd], [delete["note"], *groups], **quiet)
    for panel in (new, share, delete):
        panel["close"].click(lambda: _only(""), None, groups, **quiet)
    made = [project_dd, new["name"], tabs, *groups, bar_html]
    making = barred(texts.MAKING, _one, outputs=7, place=6)(_then_empty(make))
    gr.on([new["go"].click, new["name"].submit], making, [visitor_bs, new["name"], new["start"]], made, **quiet)
    delete["go"].click(delete_project, [visitor_bs, project_dd], [project_dd, *groups], **quiet)


def _one(*_: Any) -> float:
    return 1.0


def chosen(name: str | None) -> Any:
    """The project that is chosen; an example that is still being opened is none yet."""
    return gr.skip() if not name or name.startswith(EXAMPLE) else name


def _then_empty(handler: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """The handler, and the place of its bar empty again."""

    @functools.wraps(handler)
    def done(*args: Any) -> list[Any]:
        return [*handler(*args), ""]

    return done


def _only(name: str) -> list[Any]:
    """Open one panel, or none."""
    return [gr.update(visible=panel == name) for panel in PANELS]


# --- handlers


@session.guarded
def arrive(visitor: str, request: gr.Request) -> list[Any]:
    """Know the visitor again, or give an id. A link names an example; a first visit opens one that is finished."""
    known = visitor if isinstance(visitor, str) and session.VISITOR.fullmatch(visitor) else session.new_visitor()
    names = projects.names(session.workspace(known))
    linked = str(request.query_params.get("project", ""))
    if linked in names:
        chosen: str | None = linked
    elif linked in projects.examples() or not names:
        chosen = opened_example(known, linked if linked in projects.examples() else projects.first_example())
    else:
        chosen = names[-1]
    tab = "decide" if request.query_params.get("decide") else _landing(known, chosen)
    turned = gr.skip() if tab == FIRST_TAB else gr.update(selected=tab)  # a visitor may have turned elsewhere by now
    return [known, choices(known, chosen), turned]


def _landing(visitor: str, name: str | None) -> str:
    """The tab that a project opens on: its evidence where there is a run, else the questions."""
    path = session.workspace(visitor) / "projects" / (name or "")
    return FIRST_TAB if name and any(path.glob("runs/*/run.json")) else "decide"


def choices(visitor: str, chosen: str | None) -> Any:
    """The visitor's own projects, then the examples that are not among them."""
    names = projects.names(session.workspace(visitor))
    examples = [f"{EXAMPLE}{name}" for name in projects.examples() if name not in names]
    return gr.update(choices=[*names, *examples], value=chosen)


def opened_example(visitor: str, name: str) -> str:
    """A copy of an example in the visitor's own workspace, with its recorded run and adapters."""
    root = session.workspace(visitor)
    with _opening[hash(root) % len(_opening)]:  # the page asks twice where a click also leaves the list
        if name not in projects.names(root):
            _new(root, name, name)
    return name


def _new(root: Path, name: str, example: str | None = None) -> None:
    """A project within the visitor's quota; an example brings its recorded run and adapters."""
    quotas.projects(projects.names(root))
    quotas.room(root, [])
    workflows.new(root, name, example, recorded=bool(example))


@session.guarded
def open_example(visitor: str, name: str | None) -> list[Any]:
    """An example's name in the list opens it; the panels, which spoke of the project before, close."""
    if not name or not name.startswith(EXAMPLE):
        return [gr.skip(), *_only("")]
    return [choices(visitor, opened_example(visitor, name.removeprefix(EXAMPLE))), *_only("")]


@session.guarded
def make(visitor: str, name: str, start: str) -> list[Any]:
    """A new project, empty or from an example; an empty one goes on in Train, where its data go in."""
    root, wanted = session.workspace(visitor), (name or "").strip() or _free(session.workspace(visitor))
    example = start.removeprefix(EXAMPLE) if start and start.startswith(EXAMPLE) else None
    _new(root, wanted, example)
    return [choices(visitor, wanted), "", gr.update(selected="evaluate" if example else "train"), *_only("")]


@session.guarded
def use_own(visitor: str) -> list[Any]:
    """`Use my own data`: an empty project, turned to the tab where its data go in."""
    root = session.workspace(visitor)
    name = _free(root)
    _new(root, name)
    gr.Info(texts.OWN_MADE.format(name=name), duration=6)
    return [choices(visitor, name), gr.update(selected="train")]


def _free(root: Path) -> str:
    names, number, name = set(projects.names(root)), 2, OWN
    while name in names:
        name, number = f"{OWN}-{number}", number + 1
    return name


@session.guarded
def show_share(visitor: str, name: str | None) -> list[Any]:
    """The link of an example; what is one's own has none, since it is private."""
    project = session.project(visitor, name)
    example = projects.settings(project).get("example")
    note = texts.SHARE_EXAMPLE if example else texts.SHARE_OWN
    path = f"?project={example}" if example else ""
    return [f"<p>{note}</p>", path, gr.update(visible=bool(example)), *_only("share")]


@session.guarded
def show_delete(visitor: str, name: str | None) -> list[Any]:
    """What would go, counted, before anything goes."""
    project = session.project(visitor, name)
    found = facts(project)
    again = texts.DELETE_EXAMPLE if found["example"] else texts.DELETE_OWN
    counted = texts.DELETE_ASK.format(name=escape(project.name), **{key: found[key] for key in COUNTED})
    return [f"<p><b>{counted}</b> {again}</p>", *_only("delete")]


@session.guarded
def delete_project(visitor: str, name: str | None) -> list[Any]:
    """Delete the project that is chosen; refused while a job works in it."""
    project = session.project(visitor, name)
    mine = jobs.listing(projects.home(), session.owner(visitor))
    if any(job["project"] == project.name and job["state"] not in jobs.ENDED for job in mine):
        raise InputError(texts.DELETE_BUSY.format(name=project.name))
    projects.delete(project)
    gr.Info(texts.DELETED.format(name=project.name), duration=6)
    left = projects.names(session.workspace(visitor))
    return [choices(visitor, left[-1] if left else opened_example(visitor, projects.first_example())), *_only("")]


# --- what answers, and where results live


def status_line(model: str) -> Safe:
    """Model and machine, and whether results survive a restart."""
    kept = projects.survives_restart(projects.home())
    where = texts.KEPT if kept else texts.NOT_KEPT
    place = "" if os.environ.get("SYSTEM") == "spaces" else f' title="{escape(str(projects.home()))}"'
    mark = "ft-dot" if model and not model.startswith("…") else "ft-dot wait"
    return Safe(
        f'<span><span class="{mark}" aria-hidden="true"></span>{escape(model.lstrip("… "))}</span>'
        f' · <span class="{"ft-kept" if kept else "ft-lost"}"{place}>{where}</span>'
    )
