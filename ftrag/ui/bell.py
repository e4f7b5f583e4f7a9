"""The bell: every job of this visitor with its progress, and a job that somebody else's link shows, to read only."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from ftrag import jobs
from ftrag import project as projects
from ftrag.errors import InputError, NotFound
from ftrag.ui import session, texts, training_view
from ftrag.ui.view import bar, time_left

SHOWN = 20  # newest jobs
RUN = re.compile(r"\d{8}-\d{6}-\d{9}-[0-9a-f]{32}")  # a job's id: its last 128 bits are the secret of its link
DOTS = {jobs.RUNNING: "●", jobs.WAITING: "◌", jobs.DONE: "✓", jobs.FAILED: "✗", jobs.CANCELLED: "■", jobs.LOST: "?"}
GOING = ("cancel", "log", "link")
ENDED = ("retry", "log", "link", "dismiss")
# The list is drawn anew while a job moves, so a press counts when it begins; keys make a click without one.
ACT_JS = """const act = (event) => {
  const hit = event.target.closest('[data-act]');
  if (!hit || (event.type === 'click' && event.detail)) return;
  const [kind, job] = [hit.dataset.act, hit.dataset.job];
  if (kind === 'link') {
    const link = location.origin + location.pathname + '?run=' + job;
    const said = (text) => { hit.textContent = text; };
    if (navigator.clipboard) navigator.clipboard.writeText(link).then(() => said(COPIED), () => prompt(LINK, link));
    else prompt(LINK, link);
  } else trigger('select', {index: 0, value: kind + ' ' + job});
};
element.addEventListener('pointerdown', act);
element.addEventListener('click', act);""".replace("COPIED", json.dumps(texts.COPIED)).replace(
    "LINK", json.dumps(texts.LINK)
)


def build() -> dict[str, Any]:
    """The panel under the header; `wire` connects it."""
    watched_st = gr.State("")
    watched_html = gr.HTML(elem_id="watched", padding=False)
    with gr.Accordion(texts.BELL, open=False, elem_id="jobs") as panel:
        list_html = gr.HTML(elem_id="job_list", js_on_load=ACT_JS)
        log_tb = gr.Textbox(label=texts.JOB_OUTPUT, lines=8, visible=False, elem_id="job_log")
    return {
        "panel": panel,
        "list": list_html,
        "log": log_tb,
        "watched": watched_st,
        "outputs": [panel, list_html, watched_html],
    }


def wire(page: Any, parts: Mapping[str, Any], visitor_bs: Any) -> None:
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    page.load(follow, None, [parts["watched"]], **quiet)
    outputs = [parts["list"], parts["log"]]
    parts["list"].select(act, [visitor_bs], outputs, **quiet)


def follow(request: gr.Request) -> str:
    """The job that ?run= names. Whoever holds the link may watch it; everything else needs its owner."""
    wanted = str(request.query_params.get("run", ""))
    return wanted if RUN.fullmatch(wanted) else ""


@session.guarded
def act(visitor: str, event: gr.SelectData) -> list[Any]:
    """Cancel, retry, dismiss, or show the log of one of the visitor's jobs."""
    kind, _, job = str(event.value).partition(" ")
    root, owner = projects.home(), session.owner(visitor)
    log: Any = gr.skip()
    if kind == "log":
        log = gr.update(value=jobs.read_log(jobs.find(root, job, owner)) or texts.NO_OUTPUT, visible=True)
    elif kind == "cancel":
        jobs.cancel(root, job, owner)
    elif kind == "retry":
        jobs.retry(root, job, owner)
    elif kind == "dismiss":
        jobs.dismiss(root, job, owner)
        log = gr.update(visible=False)
    else:
        raise InputError(texts.JOB_ACTIONS)
    return [_list(jobs.listing(root, owner)), log]


def poll(visitor: str, watched: str) -> list[Any]:
    """Label, jobs, and the job that is watched by link."""
    mine = jobs.listing(projects.home(), session.owner(visitor))
    going = sum(job["state"] == jobs.RUNNING for job in mine)
    queued = sum(job["state"] == jobs.WAITING for job in mine)
    counts = [f"{count} {word}" for count, word in zip((going, queued), texts.JOB_COUNTS, strict=True) if count]
    return [gr.update(label=" · ".join([texts.BELL, *counts])), _list(mine), _watched(watched, mine)]


def _list(mine: list[dict[str, Any]]) -> str:
    cards = [_card(job) for job in reversed(mine[-SHOWN:])]
    return "".join(cards) or f'<p class="ft-note">{texts.NO_JOBS}</p>'


def _card(job: Mapping[str, Any]) -> str:
    """One job: what, how far, how long still, and what can be done with it."""
    ended = job["state"] in jobs.ENDED
    kinds = [kind for kind in (ENDED if ended else GOING) if not (kind == "retry" and job["state"] == jobs.DONE)]
    buttons = " ".join(_button(kind, job) for kind in kinds)
    title = f"{DOTS[job['state']]} {job['command'].split()[3]} {job['project']}"
    note = " · ".join(filter(None, [job["state"], time_left(job), _ago(job["created"])]))
    shown = bar(job["fraction"], f"{title}: {job['message']}", note)
    return (
        f'<div style="margin-bottom:10px">{shown}'
        f'<div class="ft-note" style="margin-top:4px">{buttons} <code>{escape(job["command"])}</code></div></div>'
    )


def _button(kind: str, job: Mapping[str, Any]) -> str:
    resumes = kind == "retry" and job["command"].split()[3] == "train"
    words = texts.RESUME if resumes else texts.JOB_BUTTONS[kind]
    return f'<button type="button" class="ft-chip" data-act="{kind}" data-job="{job["id"]}">{words}</button>'


def _ago(moment: float) -> str:
    """In whole minutes, so that the list does not change from second to second under somebody's finger."""
    minutes = int((time.time() - moment) / 60)
    if minutes < 1:
        return texts.JUST_NOW
    return texts.MINUTES_AGO.format(minutes=minutes) if minutes < 90 else texts.HOURS_AGO.format(hours=minutes / 60)


def _watched(run: str, mine: list[dict[str, Any]]) -> str:
    """The job of a link, unless it is one's own and so in the list anyway."""
    if not run:
        return ""
    try:
        job = jobs.watch(projects.home(), run)
    except NotFound:
        return f'<p class="ft-note">{texts.NO_RUN}</p>'
    own = any(row["id"] == run for row in mine)
    return f"<p><b>{texts.OWN_RUN if own else texts.WATCHED_RUN}</b></p>{training_view.live(job)}"
