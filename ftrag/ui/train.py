"""The Train tab: data in, what is wrong with it, an estimate, a training as a job, and what came out of it."""

from __future__ import annotations

import base64
import functools
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import experiments, jobs, workflows
from ftrag import project as projects
from ftrag.errors import FtragError, InputError
from ftrag.training import launch, uploads
from ftrag.training.settings import TrainSettings
from ftrag.ui import knowledge, session, texts, training_view
from ftrag.ui.data_report import data_report
from ftrag.ui.texts import train as words
from ftrag.ui.view import Safe, data_link, table
from ftrag.ui.working import barred

DOCUMENT_TYPES = [".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".csv", ".jsonl", ".zip"]
ROW_TYPES = [".jsonl", ".ndjson", ".json", ".csv", ".tsv"]
FLAGS = ("epochs", "rank", "learning-rate", "dropout", "context-share", "seed")  # in the order of the settings


def build(visitor_bs: Any, project_dd: Any, chosen_st: Any) -> dict[str, Any]:
    gr.Markdown(texts.TRAIN_HELP)
    with gr.Row():
        documents_up = gr.File(
            label=words.DOCUMENTS, file_count="multiple", file_types=DOCUMENT_TYPES, height=130, elem_id="up_documents"
        )
        examples_up = gr.File(label=words.EXAMPLES, file_types=ROW_TYPES, height=130, elem_id="up_examples")
        gold_up = gr.File(label=words.GOLD, file_types=ROW_TYPES, height=130, elem_id="up_gold")
    gr.HTML(_template_links(), elem_id="templates", padding=False)
    taken_html = gr.HTML(elem_id="taken")
    mapping = _mapping()
    report_html = gr.HTML(elem_id="data_report")
    with gr.Accordion(words.LENGTHS, open=False):
        lengths_plot = gr.BarPlot(
            x="tokens", y="rows", sort=None, title=words.LENGTHS_PLOT, height=240, x_label_angle=-40
        )
        lengths_html = gr.HTML(elem_id="lengths_numbers", padding=False)
        clean_btn = gr.Button(words.CLEAN, size="sm", elem_id="clean")
        clean_fl = gr.File(label=words.DOWNLOADS, file_count="multiple", visible=False, elem_id="clean_files")
    with gr.Accordion(words.IN_PROJECT, open=False):
        documents_html = gr.HTML()
        with gr.Row():
            remove_dd = gr.Dropdown([], label=words.DELETE_ONE, scale=3)
            remove_btn = gr.Button(words.DELETE, variant="stop", scale=1)
    known = knowledge.build(visitor_bs, project_dd, chosen_st)
    settings = _settings()
    with gr.Row():
        train_btn = gr.Button(words.TRAIN, variant="primary", elem_id="train_start", scale=2, min_width=120)
        estimate_btn = gr.Button(words.ESTIMATE, elem_id="train_estimate", scale=1, min_width=160)
        cancel_btn = gr.Button(words.CANCEL, variant="stop", elem_id="train_cancel", scale=0, min_width=100)
    why_html = gr.HTML(elem_id="train_why", padding=False)
    job_html = gr.HTML(elem_id="train_job")
    with gr.Row():
        loss_plot = gr.LinePlot(
            x="step", y="loss", color="kind", title=words.LOSS_PLOT, height=260, visible=False, scale=2
        )
        rate_plot = gr.LinePlot(x="step", y="rate", title=words.RATE_PLOT, height=260, visible=False, scale=1)
    outcome_html = gr.HTML(elem_id="train_outcome")
    with gr.Accordion(words.MACHINES, open=False):
        machines_html = gr.HTML(elem_id="machines")
    private: dict[str, Any] = {"api_visibility": "private"}
    shown = [report_html, documents_html, remove_dd, train_btn, estimate_btn, why_html]
    shown += [lengths_plot, lengths_html, machines_html]
    here = [visitor_bs, project_dd]
    done = [taken_html, *mapping["outputs"], *shown]
    slow: dict[str, Any] = private | {"show_progress": "hidden"}  # each has a bar with the time that is left
    outputs = [taken_html, documents_up, *shown]
    reading = barred(words.READING, uploaded_bytes, len(outputs))
    documents_up.upload(reading(take_documents), [*here, documents_up], outputs, **slow)
    gold_up.upload(reading(take_gold), [*here, gold_up], [taken_html, gold_up, *shown], **slow)
    reading = barred(words.READING, uploaded_bytes, len(done) + 1, 1)
    examples_up.upload(reading(take_examples), [*here, examples_up], [examples_up, *done], **slow)
    mapped = [*here, mapping["file"], *mapping["columns"]]
    mapping["use"].click(reading(map_columns), mapped, [examples_up, *done], **slow)
    clean_btn.click(clean, here, [clean_fl], **private)
    removing = barred(words.REMOVING, data_bytes, len(shown) + 1)(remove_document)
    remove_btn.click(removing, [*here, remove_dd], [taken_html, *shown], **slow)
    taken_html.change(known["refresh"], here, known["outputs"], show_progress="hidden", **private)
    train_btn.click(start, [*here, *settings], [job_html], **private)
    estimate_btn.click(estimate, [*here, *settings], [job_html], **private)
    cancel_btn.click(cancel, here, [job_html], **private)
    gr.on([part.change for part in settings], more_machines, [*here, *settings], [machines_html], **private)
    return {
        "refresh": refresh,
        "outputs": [*shown, taken_html],
        "poll": poll,
        "poll_outputs": [job_html, loss_plot, rate_plot, outcome_html],
    }


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


def _mapping() -> dict[str, Any]:
    """Which column is which, asked where no shape fits."""
    with gr.Group(visible=False, elem_id="mapping") as group:
        gr.HTML(f"<p>{words.NO_SHAPE}</p>")
        with gr.Row():
            columns = [gr.Dropdown([], label=label, min_width=140) for label in words.COLUMNS]
            use_btn = gr.Button(words.USE_COLUMNS, variant="primary", min_width=140, elem_id="map_columns")
        file_fl = gr.File(visible=False)
    return {"file": file_fl, "columns": columns, "use": use_btn, "outputs": [group, file_fl, *columns]}


def _template_links() -> str:
    """A download of one row in each shape, made of the link alone."""
    links = " · ".join(
        f'<a download="{name}" href="data:application/jsonl;base64,{base64.b64encode(text.encode()).decode()}">'
        f"{escape(name.removesuffix('.jsonl').replace('-', '/'))}</a>"
        for name, text in uploads.templates().items()
    )
    return f'<p class="ft-note">{words.TEMPLATES.format(links=links)}</p>'


def uploaded_bytes(visitor: str, name: str | None, files: list[str] | str | None, *_: Any) -> float:
    """Of an upload, and of the rows that are looked at again after it."""
    given = [files] if isinstance(files, str) else files or []
    sizes = [Path(file).stat().st_size for file in given if Path(file).is_file()]
    return sum(sizes) + data_bytes(visitor, name)


def data_bytes(visitor: str, name: str | None, *_: Any) -> float:
    """Of the project's training rows."""
    path = session.project(visitor, name) / uploads.ROWS if name else None
    return float(path.stat().st_size) if path and path.is_file() else 1.0


def refresh(visitor: str, name: str | None) -> list[Any]:
    """Report, documents, the delete list and whether Train may be pressed."""
    if not name:
        empty = [Safe(f"<p>{texts.EMPTY_TRAIN}</p>"), "", gr.update(choices=[], value=None), gr.update(), gr.update()]
        return [*empty, "", gr.update(value=None), "", "", ""]
    return [*_shown(session.project(visitor, name)), ""]


def _shown(project: Path) -> list[Any]:
    """Everything that depends on the project's data: the outputs called `shown`."""
    import pandas as pd

    from ftrag.retrieval import store

    names = [document.name for document in store.documents(project)]
    counts: dict[str, int] = {}
    for chunk in store.chunks(project):
        counts[chunk.document] = counts.get(chunk.document, 0) + 1
    listed = table(words.DOCUMENT_HEADERS, [[name, counts.get(name, 0)] for name in names], numeric=[1])
    html, blocked, lengths = _report(project, len(names))
    why = f'<p class="ft-note">{words.NOT_YET.format(reason=escape(blocked))}</p>' if blocked else ""
    bars = pd.DataFrame([{"tokens": f"{row['low']}–{row['high']}", "rows": row["rows"]} for row in lengths])
    return [
        html,
        listed,
        gr.update(choices=names, value=None),
        gr.update(interactive=not blocked),
        gr.update(interactive=not blocked),
        why,
        gr.update(value=bars if lengths else None, sort=list(bars["tokens"]) if lengths else None),
        data_link("lengths", lengths),
        _machines(project.name, []),
    ]


def _report(project: Path, documents: int) -> tuple[str, str, list[dict[str, int]]]:
    """(the report, why Train must not be pressed or "", rows by length)."""
    try:
        report = experiments.inspect_data(project)
    except FtragError as error:
        said = words.ONLY_DOCUMENTS.format(documents=documents, reason=escape(str(error)))
        return f'<div class="ft-card"><p>{said}</p></div>', str(error), []
    return data_report(report, documents), "; ".join(report["blocked"]), report["histogram"]


def _taken(value: Mapping[str, Any]) -> str:
    """Taken and refused files as a table, newest upload only."""
    taken = [[row["file"], Safe(f'<span class="ft-ok">{words.TAKEN}</span>'), _counts(row)] for row in value["taken"]]
    refused = [
        [row["file"], Safe(f'<span class="ft-bad">{words.REFUSED}</span>'), _place(row) + row["reason"]]
        for row in value["refused"][:50]
    ]
    return table(words.TAKEN_HEADERS, taken + refused)


def _counts(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{value} {key}" for key, value in row.items() if key != "file" and value not in (None, [], ""))


def _place(row: Mapping[str, Any]) -> str:
    return words.ROW.format(row=row["row"]) if row.get("row") is not None else ""


@session.guarded
def take_documents(visitor: str, name: str | None, files: list[str]) -> list[Any]:
    project = session.project(visitor, name)
    value = workflows.ingest(project, [Path(file) for file in files])
    return [_taken(value), None, *_shown(project)]


@session.guarded
def take_examples(visitor: str, name: str | None, file: str) -> list[Any]:
    """Take the rows; where no shape fits, ask which column is which."""
    project = session.project(visitor, name)
    value = workflows.add_examples(project, Path(file))
    unknown = not value["taken"] and any("row" not in row for row in value["refused"])
    columns = uploads.column_names(Path(file)) if unknown else []
    return [None, _taken(value), *_asked(file, columns), *_shown(project)]


def _asked(file: str | None, columns: list[str]) -> list[Any]:
    """The mapping panel, open where there are columns to choose from."""
    guesses = [*columns[:2], None] if len(columns) > 1 else [None] * 3
    lists = [gr.update(choices=columns, value=guess) for guess in guesses]
    return [gr.update(visible=bool(columns)), file if columns else None, *lists]


@session.guarded
def map_columns(
    visitor: str, name: str | None, file: str | None, prompt: str | None, response: str | None, rejected: str | None
) -> list[Any]:
    """Take the same file again with the columns named by hand."""
    project = session.project(visitor, name)
    if not file or not prompt or not response or prompt == response:
        raise InputError(words.SAME_COLUMN)
    answer = {"chosen": response, "rejected": rejected} if rejected else {"response": response}
    value = workflows.add_examples(project, Path(file), {"prompt": prompt} | answer)
    columns = [] if value["taken"] else uploads.column_names(Path(file))
    return [None, _taken(value), *_asked(file, columns), *_shown(project)]


@session.guarded
def clean(visitor: str, name: str | None) -> Any:
    """The cleaned copy and the rows it leaves out, as two files."""
    project = session.project(visitor, name)
    rows = workflows.training_rows(project)
    if not rows:
        raise InputError(texts.EMPTY_TRAIN)
    report = experiments.inspect_data(project)
    folder = Path(tempfile.mkdtemp(prefix="ftrag-"))
    kept, refused = folder / f"{project.name}-cleaned.jsonl", folder / f"{project.name}-left-out.csv"
    kept.write_text(uploads.cleaned(rows, report), encoding="utf-8")
    refused.write_text(uploads.refused_csv(report["upload"], report), encoding="utf-8-sig")
    return gr.update(value=[str(kept), str(refused)], visible=True)


@session.guarded
def take_gold(visitor: str, name: str | None, file: str) -> list[Any]:
    project = session.project(visitor, name)
    return [_taken(workflows.add_gold(project, Path(file))), None, *_shown(project)]


@session.guarded
def remove_document(visitor: str, name: str | None, document: str | None) -> list[Any]:
    from ftrag.retrieval import store

    project = session.project(visitor, name)
    if not document:
        raise InputError(words.NO_DOCUMENT)
    store.remove(project, document)
    return [f'<p class="ft-note">{words.DELETED.format(document=escape(document))}</p>', *_shown(project)]


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
    return _machines(session.project(visitor, name).name, _flags(settings))


def _machines(name: str, flags: list[str]) -> str:
    blocks = "".join(
        f'<p><b>{escape(title)}</b></p><pre class="ft-pre" tabindex="0">{escape(line)}</pre>'
        for title, line in launch.lines(name, flags)
    )
    return f'{blocks}<p class="ft-note">{words.MACHINES_NOTE}</p>'


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
