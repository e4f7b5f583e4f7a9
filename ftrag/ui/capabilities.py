"""The capabilities of an application, classified in a table that can be corrected by hand; a part of the Decide tab."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from ftrag.decision.classify import TYPES, overall
from ftrag.decision.questionnaire import verdict
from ftrag.errors import FtragError, InputError
from ftrag.text import inert
from ftrag.ui.decide_view import answers_in, base_of, filled, view, written
from ftrag.ui.texts import decide as words
from ftrag.ui.working import barred

Classify = Callable[[list[str]], list[dict[str, Any]]]
Rows = Sequence[Mapping[str, Any]]

LARGEST_FILE = 1_000_000  # bytes of a list of capabilities


def parts() -> dict[str, Any]:
    """The components, inside an open gr.Blocks, by name."""
    with gr.Accordion(words.CAPABILITIES, open=False):
        lines_tb = gr.Textbox(label=words.CAPABILITY_LINES, lines=4, max_lines=12, placeholder=words.CAPABILITY_EXAMPLE)
        with gr.Row():
            classify_btn = gr.Button(words.CLASSIFY, variant="primary", min_width=140)
            file_btn = gr.UploadButton(words.FROM_FILE, file_types=[".txt", ".md", ".csv"], min_width=140)
        overall_html = gr.HTML(elem_id="capability_overall")
        table_df = gr.Dataframe(
            headers=list(words.CAPABILITY_COLUMNS),
            column_count=3,
            interactive=True,
            static_columns=[0, 2],
            wrap=True,
            label=words.CORRECT_IT,
            column_widths=["190px", "120px", "700px"],  # the first two fit a phone
            max_height=800,
            visible=False,
            elem_id="capability_table",
        )
        type_rd = gr.Radio(list(TYPES), label=words.TYPE, visible=False, elem_id="capability_type")
        with gr.Row():
            use_btn = gr.Button(words.USE_CAPABILITIES, visible=False, min_width=240)
            export_btn = gr.Button(words.EXPORT_TABLE, visible=False, min_width=240)
        files = gr.Files(label=words.DOWNLOADS, visible=False)
    names = ("lines", "classify", "file", "overall", "table", "type", "use", "export", "files")
    made = (lines_tb, classify_btn, file_btn, overall_html, table_df, type_rd, use_btn, export_btn, files)
    return dict(zip(names, made, strict=True))


def wire(
    part: Mapping[str, Any],
    classify: Classify,
    answers: Sequence[Any],
    everything: Sequence[Any],
    quiet: Mapping[str, Any],
) -> None:
    """Connect the components. answers: the overrides, then every question; everything: what `filled` fills."""
    rows_st, picked_st = gr.State([]), gr.State(0)

    def on_classify(text: str) -> list[Any]:
        return classified(text, classify)

    shown = [rows_st, *(part[name] for name in ("overall", "table", "type", "use", "export"))]
    classifying = barred(words.CLASSIFYING, _lines, len(shown), 1)(on_classify)
    part["classify"].click(classifying, part["lines"], shown, **quiet)
    part["file"].upload(on_file, part["file"], part["lines"], **quiet)
    part["table"].select(on_pick, part["table"], [picked_st, part["type"]], **quiet)
    typed = [part["table"], rows_st]
    part["type"].input(on_type, [part["type"], picked_st, *typed], [part["table"], part["overall"]], **quiet)
    part["table"].input(on_typed, typed, part["overall"], **quiet)
    part["use"].click(on_use, [*typed, *answers], everything, **quiet)
    part["export"].click(on_export_table, typed, part["files"], **quiet)


def _lines(text: str) -> float:
    return float(max(1, len(text.splitlines())))


def classified(text: str, classify: Classify) -> list[Any]:
    """Rows of state, what they say together, the table, and what is of use only with a table."""
    hidden = gr.update(visible=False)
    try:
        rows = classify(text.splitlines())
    except FtragError as error:
        gr.Warning(str(error))
        return [[], "", hidden, hidden, hidden, hidden]
    table = pd.DataFrame(
        [[r["capability"], r["type"], r["reason"]] for r in rows], columns=list(words.CAPABILITY_COLUMNS)
    )
    seen = gr.update(visible=True)
    return [rows, overall_sentence(rows), gr.update(value=table, visible=True), hidden, seen, seen]


def overall_sentence(rows: Rows) -> str:
    """The application as a whole: what its capabilities need, the answers they give and the route of those alone."""
    answers = overall(rows)
    counts = ", ".join(f"{n} {kind}" for kind in TYPES if (n := sum(row["type"] == kind for row in rows)))
    notices = sorted({row["notice"] for row in rows if "notice" in row})
    if not answers:
        return " ".join([*notices, words.OVERALL_NOTHING.format(counts=counts)])
    said = ", ".join(f"{key} {value}" for key, value in answers.items())
    route = words.ROUTES[verdict(answers)[0]]
    return " ".join([*notices, words.OVERALL.format(route=route, counts=counts, said=said)])


def on_file(path: str) -> str:
    file = Path(path)
    if file.stat().st_size > LARGEST_FILE:
        gr.Warning(words.FILE_TOO_LARGE.format(file=file.name))
        return ""
    return file.read_text("utf-8", errors="replace")


def corrected(table: pd.DataFrame, rows: Rows) -> list[dict[str, Any]]:
    """The classified rows with the types as corrected by hand.

    Raises InputError for a type that does not exist, and where gradio's menu took a column or filtered rows away.
    """
    if words.TYPE not in table or len(table) != len(rows):
        raise InputError(words.TABLE_BROKEN)
    fixed = []
    for row, kind in zip(rows, table[words.TYPE].tolist(), strict=True):
        chosen = str(kind).strip().lower()
        if chosen not in TYPES:
            raise InputError(words.NO_TYPE.format(given=kind, types=", ".join(TYPES)))
        by_hand = {"reason": words.BY_HAND} if chosen != row["type"] else {}
        fixed.append({**row, **by_hand, "type": chosen})
    return fixed


def on_pick(table: pd.DataFrame, event: gr.SelectData) -> tuple[int, Any]:
    """The row that was clicked, and its type to choose."""
    row = int(event.index[0])
    if not {words.CAPABILITY, words.TYPE} <= set(table) or row >= len(table):
        return 0, gr.update(visible=False)
    kind = str(table[words.TYPE].iloc[row]).strip().lower()
    label = words.TYPE_OF.format(capability=table[words.CAPABILITY].iloc[row])
    return row, gr.update(value=kind if kind in TYPES else None, label=label, visible=True)


def on_type(kind: str, row: int, table: pd.DataFrame, rows: Rows) -> tuple[Any, Any]:
    """Another type for the row that was clicked; what the rows say together follows."""
    table.loc[row, words.TYPE] = kind
    return table, on_typed(table, rows)


def on_typed(table: pd.DataFrame, rows: Rows) -> Any:
    """What the rows say together, as they are now."""
    try:
        return overall_sentence(corrected(table, rows))
    except InputError as error:
        gr.Warning(str(error))
        return gr.skip()


def on_use(
    request: gr.Request, table: pd.DataFrame, rows: Rows, overrides: Mapping[str, float], *values: Any
) -> list[Any]:
    """Answer the questions that the capabilities settle; the others stay as they are."""
    answers = answers_in(values)
    try:
        answers |= overall(corrected(table, rows))
    except InputError as error:
        gr.Warning(str(error))
    return filled(answers, view(answers, overrides, words.FROM_CAPABILITIES, base_of(request)))


def on_export_table(table: pd.DataFrame, rows: Rows) -> Any:
    """The corrected table as CSV and JSON."""
    try:
        fixed = corrected(table, rows)
    except InputError as error:
        gr.Warning(str(error))
        return gr.update(visible=False)
    folder = Path(tempfile.mkdtemp(prefix="ftrag-"))
    keep = ("capability", "type", "evidence", "reason")
    plain = [{key: row[key] for key in keep} for row in fixed]
    file = folder / "capabilities.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(keep)
        cells = ([r["capability"], r["type"], "; ".join(r["evidence"]), r["reason"]] for r in plain)
        writer.writerows(map(inert, row) for row in cells)
    answers = overall(fixed)
    whole = {"capabilities": plain, "answers": answers, "route": verdict(answers)[0]}
    text = json.dumps(whole, indent=1, ensure_ascii=False)
    return gr.update(value=[str(file), written(folder / "capabilities.json", text)], visible=True)
