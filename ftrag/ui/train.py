"""The Train tab: data in, what is wrong with it, a training as a job, and its losses live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import experiments, jobs, workflows
from ftrag import project as projects
from ftrag.errors import FtragError, InputError
from ftrag.training.settings import TrainSettings
from ftrag.ui import session, texts
from ftrag.ui.view import Safe, job_card, table

DOCUMENT_TYPES = [".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".csv", ".jsonl", ".zip"]
ROW_TYPES = [".jsonl", ".json", ".csv"]


def build(visitor_bs: Any, project_dd: Any) -> dict[str, Any]:
    usual = TrainSettings()
    gr.Markdown(texts.TRAIN_HELP)
    with gr.Row():
        documents_up = gr.File(
            label="Documents", file_count="multiple", file_types=DOCUMENT_TYPES, height=130, elem_id="up_documents"
        )
        examples_up = gr.File(label="Training examples", file_types=ROW_TYPES, height=130, elem_id="up_examples")
        gold_up = gr.File(label="Gold questions", file_types=ROW_TYPES, height=130, elem_id="up_gold")
    taken_html = gr.HTML(elem_id="taken")
    report_html = gr.HTML(elem_id="data_report")
    with gr.Accordion("Documents in this project", open=False):
        documents_html = gr.HTML()
        with gr.Row():
            remove_dd = gr.Dropdown([], label="Delete a document", scale=3)
            remove_btn = gr.Button("Delete", variant="stop", scale=1)
    with gr.Accordion("Training settings", open=False), gr.Row():
        epochs_sl = gr.Slider(0.1, 10, value=usual.epochs, step=0.1, label="Epochs", min_width=140)
        rank_sl = gr.Slider(1, 128, value=usual.rank, step=1, label="LoRA rank r (alpha is 2r)", min_width=140)
        share_sl = gr.Slider(0, 1, value=1, step=0.1, label="Share of rows that see passages", min_width=140)
        seed_nb = gr.Number(value=0, precision=0, label="Seed", min_width=100)
    with gr.Row():
        train_btn = gr.Button("Train", variant="primary", elem_id="train_start", scale=2)
        cancel_btn = gr.Button("Cancel", variant="stop", elem_id="train_cancel", scale=1)
    job_html = gr.HTML(elem_id="train_job")
    loss_plot = gr.LinePlot(
        x="step", y="loss", color="kind", title="Loss", height=260, visible=False, elem_id="loss_plot"
    )
    private: dict[str, Any] = {"api_visibility": "private"}
    shown = [report_html, documents_html, remove_dd, train_btn]
    here = [visitor_bs, project_dd]
    for upload, handler in ((documents_up, take_documents), (examples_up, take_examples), (gold_up, take_gold)):
        upload.upload(handler, [*here, upload], [taken_html, upload, *shown], **private)
    remove_btn.click(remove_document, [*here, remove_dd], [taken_html, *shown], **private)
    train_btn.click(start, [*here, epochs_sl, rank_sl, share_sl, seed_nb], [job_html], **private)
    cancel_btn.click(cancel, here, [job_html], **private)
    return {
        "refresh": refresh,
        "outputs": [*shown, taken_html],
        "poll": poll,
        "poll_outputs": [job_html, loss_plot],
    }


def refresh(visitor: str, name: str | None) -> list[Any]:
    """Report, documents, the delete list and whether Train may be pressed."""
    if not name:
        return [Safe(f"<p>{texts.EMPTY_TRAIN}</p>"), "", gr.update(choices=[], value=None), gr.update(), ""]
    return [*_shown(session.project(visitor, name)), ""]


def _shown(project: Path) -> list[Any]:
    from ftrag.retrieval import store

    names = [document.name for document in store.documents(project)]
    counts: dict[str, int] = {}
    for chunk in store.chunks(project):
        counts[chunk.document] = counts.get(chunk.document, 0) + 1
    listed = table(["document", "chunks"], [[name, counts.get(name, 0)] for name in names], numeric=[1])
    html, blocked = data_report(project, names)
    return [html, listed, gr.update(choices=names, value=None), gr.update(interactive=not blocked)]


def data_report(project: Path, documents: Sequence[str]) -> tuple[str, bool]:
    """What is in the project and what is wrong with it; True when Train must not be pressed."""
    try:
        report = experiments.inspect_data(project)
    except FtragError as error:
        return f'<div class="ft-card"><p>{len(documents)} documents. {escape(str(error))}</p></div>', True
    blocked, tokens, enough = report["blocked"], report["tokens"], report["sufficiency"]
    lines = [
        f"<b>{len(documents)}</b> documents · <b>{report['rows']}</b> training rows · <b>{report['gold']}</b> gold "
        f"questions · {tokens['total']:,} tokens, {tokens['learned']:,} learned, longest row {tokens['longest']}"
    ]
    lines += [f'<span class="ft-bad">Training is blocked:</span> {escape(reason)}.' for reason in blocked]
    lines += [escape(text) for text in _findings(report)]
    lines.append(f"{escape(enough['verdict'])} at {enough['rows']} different rows. {escape(enough['why'])}")
    html = "".join(f"<p>{line}</p>" for line in lines) + _rendered(report) + _thresholds(enough)
    return f'<div class="ft-card">{html}</div>', bool(blocked)


def _findings(report: Mapping[str, Any]) -> list[str]:
    """What a person should look at before training, one sentence each."""
    found = {
        "too_long": "rows are longer than the model is trained on and will be left out",
        "duplicates": "groups of rows are the same",
        "near_duplicates": "pairs of rows are nearly the same",
        "conflicts": "prompts have different answers",
        "leaks": "gold answers stand next to their question in a document",
        "evidence_shared": "gold questions rest on evidence that is trained too",
    }
    return [f"{len(report[key])} {text}." for key, text in found.items() if report[key]]


def _rendered(report: Mapping[str, Any]) -> str:
    """The first rows exactly as the model sees them, the learned part marked."""
    rows = "".join(
        f'<pre class="ft-pre">{escape(prompt)}<mark>{escape(learned)}</mark></pre>'
        for prompt, learned in report["rendered"]
    )
    title = "The first rows as the model sees them; what is learned is marked"
    return f"<details><summary>{title}</summary>{rows}</details>"


def _thresholds(enough: Mapping[str, Any]) -> str:
    rows = [[row["rows"], row["verdict"], row["source"], "✓" if row["reached"] else ""] for row in enough["thresholds"]]
    listed = table(["rows", "verdict", "source", "reached"], rows, numeric=[0])
    return f"<details><summary>How many examples are enough? The sources disagree</summary>{listed}</details>"


def _taken(value: Mapping[str, Any]) -> str:
    """Taken and refused files as a table, newest upload only."""
    taken = [[row["file"], Safe('<span class="ft-ok">taken</span>'), _counts(row)] for row in value["taken"]]
    refused = [
        [row["file"], Safe('<span class="ft-bad">refused</span>'), _place(row) + row["reason"]]
        for row in value["refused"][:50]
    ]
    return table(["file", "", "what"], taken + refused)


def _counts(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{value} {key}" for key, value in row.items() if key != "file" and value not in (None, [], ""))


def _place(row: Mapping[str, Any]) -> str:
    return f"row {row['row']}: " if row.get("row") is not None else ""


@session.guarded
def take_documents(visitor: str, name: str | None, files: list[str]) -> list[Any]:
    project = session.project(visitor, name)
    value = workflows.ingest(project, [Path(file) for file in files])
    return [_taken(value), None, *_shown(project)]


@session.guarded
def take_examples(visitor: str, name: str | None, file: str) -> list[Any]:
    project = session.project(visitor, name)
    return [_taken(workflows.add_examples(project, Path(file))), None, *_shown(project)]


@session.guarded
def take_gold(visitor: str, name: str | None, file: str) -> list[Any]:
    project = session.project(visitor, name)
    return [_taken(workflows.add_gold(project, Path(file))), None, *_shown(project)]


@session.guarded
def remove_document(visitor: str, name: str | None, document: str | None) -> list[Any]:
    from ftrag.retrieval import store

    project = session.project(visitor, name)
    if not document:
        raise InputError("choose a document to delete")
    store.remove(project, document)
    return [f'<p class="ft-note">{escape(document)} was deleted.</p>', *_shown(project)]


@session.guarded
def start(visitor: str, name: str | None, epochs: float, rank: float, share: float, seed: float) -> str:
    """Start `train` as a job; refused while one is going in this project."""
    project = session.project(visitor, name)
    if (going := newest_job(visitor, name, "train")) and going["state"] not in jobs.ENDED:
        raise InputError("this project is being trained already; wait for it or cancel it")
    arguments = ["train", project.name, "--epochs", f"{epochs:g}", "--rank", f"{int(rank)}"]
    arguments += ["--context-share", f"{share:g}", "--seed", f"{int(seed or 0)}"]
    jobs.start(projects.home(), arguments, session.owner(visitor), project.name, session.workspace(visitor))
    return job_card(newest_job(visitor, name, "train"), texts.NO_JOB)


@session.guarded
def cancel(visitor: str, name: str | None) -> str:
    job = newest_job(visitor, name, "train")
    if job is None or job["state"] in jobs.ENDED:
        raise InputError("nothing is being trained in this project")
    jobs.cancel(projects.home(), job["id"], session.owner(visitor))
    return job_card(newest_job(visitor, name, "train"), texts.NO_JOB)


def newest_job(visitor: str, name: str | None, command: str) -> dict[str, Any] | None:
    """The visitor's newest job of this command in this project."""
    mine = [
        job
        for job in jobs.listing(projects.home(), session.owner(visitor))
        if job["project"] == name and job["command"].split()[3] == command
    ]
    return mine[-1] if mine else None


def poll(visitor: str, name: str | None) -> list[Any]:
    """The newest training's state and its loss so far."""
    import pandas as pd

    job = newest_job(visitor, name, "train") if name else None
    if job is None:
        return [f'<p class="ft-note">{texts.NO_JOB}</p>', gr.update(visible=False)]
    rows = [
        {"step": row["step"], "loss": row[key], "kind": kind}
        for row in jobs.metrics(projects.home(), job["id"])
        for key, kind in (("loss", "training"), ("eval_loss", "held-out"))
        if row.get(key) is not None
    ]
    note = f'<p class="ft-note">{texts.NEXT_EVALUATE}</p>' if job["state"] == jobs.DONE else ""
    card = job_card(job, texts.NO_JOB) + numbers(job) + note
    return [card, gr.update(value=pd.DataFrame(rows), visible=True) if rows else gr.update(visible=False)]


def numbers(job: Mapping[str, Any]) -> str:
    """The live numbers of a training in one line."""
    parts = [
        f"{label} {job[key]:.{digits}f}"
        for key, label, digits in (
            ("loss", "loss", 3),
            ("eval_loss", "held-out loss", 3),
            ("tokens_per_second", "tokens/s", 0),
            ("memory_mib", "memory MiB", 0),
        )
        if isinstance(job.get(key), (int, float))
    ]
    return f'<p class="ft-note">{" · ".join(parts)}</p>' if parts else ""
