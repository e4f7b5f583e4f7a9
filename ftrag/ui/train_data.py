"""The data half of the Train tab: what was uploaded, what is wrong with it, and what of it is in the project."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import experiments, workflows
from ftrag.errors import FtragError, InputError
from ftrag.training import uploads
from ftrag.ui import session, texts, training_view
from ftrag.ui.data_report import data_report
from ftrag.ui.texts import train as words
from ftrag.ui.view import Safe, data_link, table
from ftrag.ui.working import barred

DOCUMENT_TYPES = [".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".csv", ".jsonl", ".zip"]
ROW_TYPES = [".jsonl", ".ndjson", ".json", ".csv", ".tsv"]
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
SLOW: dict[str, Any] = PRIVATE | {"show_progress": "hidden"}  # each has a bar with the time that is left


def build() -> dict[str, Any]:
    """The parts of the page, by name."""
    return _uploads() | _lengths() | _held()


def _uploads() -> dict[str, Any]:
    with gr.Row():
        documents = gr.File(
            label=words.DOCUMENTS, file_count="multiple", file_types=DOCUMENT_TYPES, height=130, elem_id="up_documents"
        )
        examples = gr.File(label=words.EXAMPLES, file_types=ROW_TYPES, height=130, elem_id="up_examples")
        gold = gr.File(label=words.GOLD, file_types=ROW_TYPES, height=130, elem_id="up_gold")
    gr.HTML(_template_links(), elem_id="templates", padding=False)
    taken = gr.HTML(elem_id="taken")
    mapping = _mapping()
    report = gr.HTML(elem_id="data_report")
    return {
        "up_documents": documents,
        "up_examples": examples,
        "up_gold": gold,
        "taken": taken,
        "mapping": mapping,
        "report": report,
    }


def _lengths() -> dict[str, Any]:
    with gr.Accordion(words.LENGTHS, open=False):
        plot = gr.BarPlot(x="tokens", y="rows", sort=None, title=words.LENGTHS_PLOT, height=240, x_label_angle=-40)
        numbers = gr.HTML(elem_id="lengths_numbers", padding=False)
        clean_btn = gr.Button(words.CLEAN, size="sm", elem_id="clean")
        cleaning = gr.HTML(elem_id="cleaning", padding=False)
        files = gr.File(label=words.DOWNLOADS, file_count="multiple", visible=False, elem_id="clean_files")
    return {"lengths": plot, "numbers": numbers, "clean": clean_btn, "cleaning": cleaning, "clean_files": files}


def _held() -> dict[str, Any]:
    with gr.Accordion(words.IN_PROJECT, open=False):
        documents = gr.HTML()
        with gr.Row():
            which = gr.Dropdown([], label=words.DELETE_ONE, scale=3)
            remove_btn = gr.Button(words.DELETE, variant="stop", scale=1)
    return {"documents": documents, "which": which, "remove": remove_btn}


def listen(part: Mapping[str, Any], here: Sequence[Any], shown: Sequence[Any]) -> None:
    """What the buttons of `build` do; here: visitor and project; shown: the outputs of `refresh`."""
    mapping, taken = part["mapping"], part["taken"]
    done = [taken, *mapping["outputs"], *shown]
    reading = barred(words.READING, uploaded_bytes, len(shown) + 2)
    for take, upload in ((take_documents, part["up_documents"]), (take_gold, part["up_gold"])):
        upload.upload(reading(take), [*here, upload], [taken, upload, *shown], **SLOW)
    reading = barred(words.READING, uploaded_bytes, len(done) + 1, 1)
    examples = part["up_examples"]
    examples.upload(reading(take_examples), [*here, examples], [examples, *done], **SLOW)
    mapped = [*here, mapping["file"], *mapping["columns"]]
    mapping["use"].click(reading(map_columns), mapped, [examples, *done], **SLOW)
    cleaning = barred(words.CLEANING, data_bytes, 2)(clean)
    part["clean"].click(cleaning, list(here), [part["cleaning"], part["clean_files"]], **SLOW)
    removing = barred(words.REMOVING, data_bytes, len(shown) + 1)(remove_document)
    part["remove"].click(removing, [*here, part["which"]], [taken, *shown], **SLOW)


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
        return [*empty, "", gr.update(value=None), "", ""]
    return _shown(session.project(visitor, name))


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
        training_view.machines(project.name, []),
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
def clean(visitor: str, name: str | None) -> list[Any]:
    """No bar any more, and the cleaned copy and the rows it leaves out as two files."""
    project = session.project(visitor, name)
    rows = workflows.training_rows(project)
    if not rows:
        raise InputError(texts.EMPTY_TRAIN)
    report = experiments.inspect_data(project)
    folder = Path(tempfile.mkdtemp(prefix="ftrag-"))
    kept, refused = folder / f"{project.name}-cleaned.jsonl", folder / f"{project.name}-left-out.csv"
    kept.write_text(uploads.cleaned(rows, report), encoding="utf-8")
    refused.write_text(uploads.refused_csv(report["upload"], report), encoding="utf-8-sig")
    return ["", gr.update(value=[str(kept), str(refused)], visible=True)]


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
