"""The page: header, four tabs, one clock. It answers before any model is loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from ftrag import workflows
from ftrag.errors import FtragError
from ftrag.ui import (
    bell,
    chat,
    decide,
    evaluate,
    header,
    prior,
    programs,
    publishing,
    session,
    space,
    steps,
    texts,
    train,
    train_data,
    warm,
)
from ftrag.ui.working import barred

POLL_SECONDS = 1.5
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build() -> Any:
    """The Blocks. Nothing here touches a model or a visitor's file."""
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        programs.build()  # first, so that no handler of the page takes an endpoint's name
        visitor_bs = gr.BrowserState("", storage_key="ftrag-visitor", secret=session.secret())
        head = header.build(visitor_bs)
        project_dd = head["project"]
        space.build()
        with gr.Row(elem_id="now", equal_height=False):
            head["status"].render()
            jobs_parts = bell.build()
        strips: list[Any] = []
        commands: list[Any] = []
        with gr.Tabs(elem_id="tabs", selected=header.FIRST_TAB) as tabs:
            tabs.overflow_behavior = "wrap"
            parts = _tabs(visitor_bs, head, strips, commands)
        header.wire(page, head, tabs)
        for strip in strips:
            steps.wire_step(strip, tabs)
            strip["own"].click(header.use_own, [visitor_bs], [project_dd, tabs], **QUIET)
        page.load(parts["decide"]["restore"], None, parts["decide"]["restore_outputs"], **QUIET)
        here = [visitor_bs, project_dd]
        _follow(parts, head["chosen"], here)
        said = [*(strip["said"] for strip in strips), *commands]
        gr.on([head["chosen"].change, tabs.select], orient, here, said, trigger_mode="always_last", **QUIET)
        asked = [*here, jobs_parts["watched"], *parts["evaluate"]["poll_inputs"]]
        polled = [head["status"], *jobs_parts["outputs"]]
        polled += [*parts["train"]["poll_outputs"], *parts["evaluate"]["poll_outputs"]]
        gr.Timer(POLL_SECONDS).tick(tick, asked, polled, concurrency_limit=4, **QUIET)
        bell.wire(page, jobs_parts, visitor_bs)
    return page


def _tabs(visitor_bs: Any, head: dict[str, Any], strips: list[Any], commands: list[Any]) -> dict[str, dict[str, Any]]:
    """The four tabs; what each gives back, by its name."""
    project_dd, parts = head["project"], {}
    with _tab("decide", texts.DECIDE_TAB, strips, commands):
        parts["decide"] = decide.build_decide(workflows.classify, visitor_bs, project_dd)
        prior.build(head, parts["decide"]["questions"], parts["decide"]["restore_outputs"])
    with _tab("train", texts.TRAIN_TAB, strips, commands):
        parts["train"] = train.build(visitor_bs, project_dd, head["chosen"])
    with _tab("evaluate", texts.EVALUATE_TAB, strips, commands):
        parts["evaluate"] = evaluate.build(visitor_bs, project_dd)
        publishing.build(visitor_bs, project_dd, head["chosen"])
    with _tab("chat", texts.CHAT_TAB, strips, commands):
        parts["chat"] = chat.build(visitor_bs, project_dd)
    return parts


def _follow(parts: dict[str, dict[str, Any]], chosen_st: Any, here: list[Any]) -> None:
    """Each tab turns to the chosen project by itself: none waits for a slower one."""
    # at once, not when the tab has turned: what was uploaded meanwhile has its table there
    chosen_st.change(lambda: "", None, parts["train"]["taken"], queue=False, **QUIET)
    for name in ("evaluate", "chat", "train"):
        part = parts[name]
        turned = _turned(part["refresh"])
        if name == "train":  # a hundred thousand rows are looked at for a while
            turned = barred(texts.LOOKING, _rows_of, len(part["outputs"]))(turned)
        event = chosen_st.change(turned, here, part["outputs"], **QUIET)
        if name == "evaluate":  # two examples may have runs of the same name
            event.then(*part["show"], trigger_mode="multiple", **QUIET)  # the next is not dropped for the last


@contextlib.contextmanager
def _tab(name: str, title: str, strips: list[Any], commands: list[Any]) -> Iterator[None]:
    """A tab between its next step and its commands."""
    with gr.Tab(title, id=name):
        strips.append(steps.step(name))
        yield
        commands.append(steps.commands(name))


def _rows_of(visitor: str, name: str | None) -> float:
    return train_data.data_bytes(visitor, _opened(name))


def _turned(refresh: Callable[[str, str | None], list[Any]]) -> Any:
    @session.guarded
    def choose(visitor: str, name: str | None) -> list[Any]:
        """A tab turns to the project."""
        return refresh(visitor, _opened(name))

    return choose


@session.guarded
def orient(visitor: str, name: str | None) -> list[Any]:
    """What every tab's strip says, and its commands, for this project."""
    chosen = _opened(name)
    project = session.project(visitor, chosen) if chosen else None
    return [*steps.steps(visitor, chosen), *(steps.command_lines(tab, project) for tab in texts.NEXT)]


def _opened(name: str | None) -> str | None:
    """The project's name; None for an example that is still being opened."""
    return None if not name or name.startswith(header.EXAMPLE) else name


def tick(visitor: str, name: str | None, watched: str, run: str | None) -> Any:
    """What changes by itself: the model's state, the jobs, the training and the evaluation of this project."""
    try:
        chosen = _opened(name)
        return [
            header.status_line(warm.model_line()),
            *bell.poll(visitor, watched),
            *train.poll(visitor, chosen),
            *evaluate.poll(visitor, chosen, run),
        ]
    except FtragError:  # no visitor yet, or the project has just gone: the next tick knows better
        return gr.skip()
