"""The Train tab: data in, what is wrong with it, an estimate, a training as a job, and what came out of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import jobs, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.training.settings import TrainSettings
from ftrag.ui import knowledge, session, texts, train_data, training_view
from ftrag.ui.texts import train as words
from ftrag.ui.view import data_link

FLAGS = ("epochs", "rank", "learning-rate", "dropout", "context-share", "seed")  # in the order of the settings


def build(visitor_bs: Any, project_dd: Any, chosen_st: Any) -> dict[str, Any]:
    gr.Markdown(texts.TRAIN_HELP)
    here = [visitor_bs, project_dd]
    data = train_data.build()
    known = knowledge.build(visitor_bs, project_dd, chosen_st)
    settings = _settings()
    run = _controls() | _live()
    shown = [data["report"], data["documents"], data["which"], run["train"], run["estimate"], run["why"]]
    shown += [data["lengths"], data["numbers"], run["machines"]]
    train_data.listen(data, here, shown)
    data["taken"].change(known["refresh"], here, known["outputs"], **train_data.SLOW).then(
        *known["cuts"], **knowledge.AFTER
    )
    _listen(run, here, settings)
    return {
        "refresh": train_data.refresh,
        "outputs": shown,
        "taken": data["taken"],
        "poll": poll,
        "poll_outputs": [run["job"], run["loss"], run["rate"], run["outcome"]],
    }


def _controls() -> dict[str, Any]:
    with gr.Row():
        train_btn = gr.Button(words.TRAIN, variant="primary", elem_id="train_start", scale=2, min_width=120)
        estimate_btn = gr.Button(words.ESTIMATE, elem_id="train_estimate", scale=1, min_width=160)
        cancel_btn = gr.Button(words.CANCEL, variant="stop", elem_id="train_cancel", scale=0, min_width=100)
    why = gr.HTML(elem_id="train_why", padding=False)
    return {"train": train_btn, "estimate": estimate_btn, "cancel": cancel_btn, "why": why}


def _live() -> dict[str, Any]:
    job = gr.HTML(elem_id="train_job")
    with gr.Row():
        loss = gr.LinePlot(x="step", y="loss", color="kind", title=words.LOSS_PLOT, height=260, visible=False, scale=2)
        rate = gr.LinePlot(x="step", y="rate", title=words.RATE_PLOT, height=260, visible=False, scale=1)
    outcome = gr.HTML(elem_id="train_outcome")
    with gr.Accordion(words.MACHINES, open=False):
        machines = gr.HTML(elem_id="machines")
    return {"job": job, "loss": loss, "rate": rate, "outcome": outcome, "machines": machines}


def _listen(run: Mapping[str, Any], here: Sequence[Any], settings: Sequence[Any]) -> None:
    private = train_data.PRIVATE
    run["train"].click(start, [*here, *settings], [run["job"]], **private)
    run["estimate"].click(estimate, [*here, *settings], [run["job"]], **private)
    run["cancel"].click(cancel, list(here), [run["job"]], **private)
    gr.on([part.change for part in settings], more_machines, [*here, *settings], [run["machines"]], **private)


def _settings() -> list[Any]:
    """The controls of a training, in the order of FLAGS."""
    usual = TrainSettings()
    with gr.Accordion(words.SETTINGS, open=False), gr.Row():
        return [
            gr.Slider(0.1, 10, value=usual.epochs, step=0.1, label=words.EPOCHS, info=words.BY_DATA, min_width=260),
            gr.Slider(1, 128, value=usual.rank, step=1, label=words.RANK, min_width=260),
            gr.Number(
                value=usual.learning_rate, step=1e-4, label=words.LEARNING_RATE, info=words.BY_DATA, min_width=260
            ),
            gr.Slider(0, 0.5, value=usual.dropout, step=0.05, label=words.DROPOUT, min_width=260),
            gr.Slider(0, 1, value=1, step=0.1, label=words.CONTEXT_SHARE, min_width=260),
            gr.Number(value=0, precision=0, label=words.SEED, min_width=260),
        ]


@session.guarded
def start(visitor: str, name: str | None, *settings: float) -> str:
    """Start `train` as a job; refused while one is going in this project."""
    return _start(visitor, name, _flags(settings))


@session.guarded
def estimate(visitor: str, name: str | None, *settings: float) -> str:
    """The same command as a dry run: a few steps are measured, nothing is trained."""
    return _start(visitor, name, [*_flags(settings), "--dry-run"])


def _start(visitor: str, name: str | None, flags: list[str]) -> str:
    project = session.project(visitor, name)
    if (going := newest_job(visitor, name, "train")) and going["state"] not in jobs.ENDED:
        raise InputError(words.BUSY)
    owner, root = session.owner(visitor), session.workspace(visitor)
    jobs.start(projects.home(), ["train", project.name, *flags], owner, project.name, root)
    return training_view.live(newest_job(visitor, name, "train"))


def _flags(settings: tuple[float, ...]) -> list[str]:
    """The settings as flags of the command; left out where empty, and where the data and the model shall decide."""
    usual = {"epochs": TrainSettings().epochs, "learning-rate": TrainSettings().learning_rate}
    given = zip(FLAGS, settings, strict=False)
    wanted = [(flag, value) for flag, value in given if value is not None and value != usual.get(flag)]
    return [part for flag, value in wanted for part in (f"--{flag}", f"{value:g}")]


@session.guarded
def more_machines(visitor: str, name: str | None, *settings: float) -> str:
    return training_view.machines(session.project(visitor, name).name, _flags(settings))


@session.guarded
def cancel(visitor: str, name: str | None) -> str:
    job = newest_job(visitor, name, "train")
    if job is None or job["state"] in jobs.ENDED:
        raise InputError(words.NOT_BUSY)
    jobs.cancel(projects.home(), job["id"], session.owner(visitor))
    return training_view.live(newest_job(visitor, name, "train"))


def newest_job(visitor: str, name: str | None, command: str) -> dict[str, Any] | None:
    """The visitor's newest job of this command in this project."""
    mine = [
        job
        for job in jobs.listing(projects.home(), session.owner(visitor))
        if job["project"] == name and job["command"].split()[3] == command
    ]
    return mine[-1] if mine else None


def poll(visitor: str, name: str | None) -> list[Any]:
    """The newest training's state and its numbers so far; the newest adapter below."""
    import pandas as pd

    job = newest_job(visitor, name, "train") if name else None
    came = _outcome(session.project(visitor, name)) if name else ""
    if job is None:
        return ["" if came else training_view.live(None), gr.update(visible=False), gr.update(visible=False), came]
    numbers = jobs.metrics(projects.home(), job["id"])
    losses = [
        {"step": row["step"], "loss": row[key], "kind": kind}
        for row in numbers
        for key, kind in zip(("loss", "eval_loss"), words.LOSS_KINDS, strict=True)
        if row.get(key) is not None
    ]
    rates = [{"step": row["step"], "rate": row["learning_rate"]} for row in numbers if row.get("learning_rate")]
    plots = [gr.update(value=pd.DataFrame(rows) if rows else None, visible=bool(rows)) for rows in (losses, rates)]
    return [training_view.live(job) + data_link("training", numbers), *plots, came]


def _outcome(project: Path) -> str:
    """What the project's adapters are like; read again only when there is another one."""
    newest = max((path.parent.name for path in project.glob("adapters/[!.]*/card.json")), default="")
    samples = project / "adapters" / newest / "samples.json"
    return _outcome_of(str(project), newest, samples.exists()) if newest else ""


@functools.lru_cache(maxsize=64)
def _outcome_of(project: str, newest: str, sampled: bool) -> str:
    samples: Mapping[str, Any] | None = (
        projects.read_json(Path(project) / "adapters" / newest / "samples.json") if sampled else None
    )
    return training_view.outcome(workflows.adapters(Path(project)), samples)
