"""Gates as an editable table, promotion with who and why, and the history of releases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import conclusions, outcomes, records
from ftrag import project as projects
from ftrag.decision import gates
from ftrag.errors import InputError
from ftrag.ui import session, texts
from ftrag.ui.texts import evaluate as words
from ftrag.ui.view import table, verdict_mark

HEADERS = ["on", "metric", "arm", "direction", "limit", "why"]  # keys of a gate
TYPES = ["bool", "str", "str", "str", "number", "str"]


def build(visitor_bs: Any, project_dd: Any, run_dd: Any) -> dict[str, Any]:
    result_html = gr.HTML(elem_id="gate_table")
    gr.Markdown(
        words.GATES_HELP.format(metrics=", ".join(gates.METRICS), arms=", ".join(gates.ARMS)),
        elem_classes="ft-note",
    )
    gates_df = gr.Dataframe(
        headers=list(words.GATE_COLUMNS),
        datatype=TYPES,
        interactive=True,
        wrap=True,
        elem_id="gates",
        column_widths=["80px", "160px", "110px", "110px", "90px", "520px"],
        static_columns=[],
    )
    with gr.Row():
        save_btn = gr.Button(words.SAVE_GATES, size="sm", min_width=180, elem_id="gates_save")
        defaults_btn = gr.Button(words.DEFAULT_GATES, size="sm", min_width=140, elem_id="gates_defaults")
    with gr.Row(equal_height=False):
        who_tb = gr.Textbox(label=words.WHO, placeholder=words.WHO_HINT, scale=1, min_width=120, elem_id="promote_who")
        why_tb = gr.Textbox(label=words.WHY, placeholder=words.WHY_HINT, scale=3, min_width=180, elem_id="promote_why")
        promote_btn = gr.Button(words.PROMOTE, variant="primary", scale=0, min_width=110, elem_id="promote")
        retire_btn = gr.Button(words.RETIRE, variant="stop", scale=0, min_width=90, elem_id="retire")
    releases_html = gr.HTML(elem_id="releases")
    here, quiet = [visitor_bs, project_dd, run_dd], {"api_visibility": "private"}
    promote_btn.click(promote, [*here, who_tb, why_tb], [releases_html], **quiet)
    retire_btn.click(retire, [visitor_bs, project_dd, who_tb, why_tb], [releases_html], **quiet)
    return {
        "shown": [result_html, gates_df, releases_html],
        "gates": gates_df,
        "save": save_btn,
        "defaults": defaults_btn,
    }


def shown(project: Path, run: Mapping[str, Any]) -> list[Any]:
    """The result, the rows to edit, the releases."""
    return [gate_table(conclusions.gate_result(project, run)), gate_rows(project), release_table(project)]


def gate_rows(project: Path) -> list[list[Any]]:
    own = conclusions.own_gates(project)
    rows = gates.to_rows(gates.DEFAULTS if own is None else own)
    return [[row[name] for name in HEADERS] for row in rows]


def gate_table(result: Mapping[str, Any]) -> str:
    """The gates of what the verdict holds; promotion needs all of them to pass, and an unmeasured one does not."""
    rows = [
        [
            row["metric"],
            f"{row['direction']} {row['limit']:g}",
            None if row["value"] is None else f"{row['value']:.3g}",
            None if row["bound"] is None else f"{row['bound']:.3g}",
            verdict_mark({"pass": True, "fail": False}.get(row["state"]), row["state"]),
            row["why"],
        ]
        for row in result["rows"]
    ]
    origin = words.OWN_GATES if result["set"] else words.USUAL_GATES
    said = words.GATES_FOR.format(arm=escape(result["arm"]), state=escape(result["state"]), origin=origin)
    return f"<h3>{said}</h3>" + table(words.GATE_HEADERS, rows, numeric=[2, 3], stack=True)


def release_table(project: Path) -> str:
    rows = [
        [
            release["release"],
            release["state"],
            release["adapter"][:22] if release["adapter"] else texts.BASE_MODEL,
            release["run"][:22],
            step["state"],
            step["who"],
            step["when"],
            step["why"],
        ]
        for release in reversed(outcomes.releases(project))
        for step in reversed(release["history"])
    ]
    if not rows:
        return f'<p class="ft-note">{words.NO_PROMOTION}</p>'
    return f"<h3>{words.RELEASES}</h3>" + table(words.RELEASE_HEADERS, rows, stack=True)


def edited(value: Any) -> list[dict[str, Any]]:
    """The rows of the table as gates; empty rows are dropped. InputError for a limit that is no number."""
    rows = value.values.tolist() if hasattr(value, "values") else list(value)
    return [_edited(number, row) for number, row in enumerate(rows, 1) if str(row[1] or "").strip()]


def _edited(number: int, row: Sequence[Any]) -> dict[str, Any]:
    given = dict(zip(HEADERS, row, strict=True))
    try:
        limit = float(given["limit"])
    except (TypeError, ValueError):
        limit = math.nan
    if not math.isfinite(limit):
        raise InputError(words.NO_NUMBER.format(number=number, given=given["limit"]))
    on = given["on"] if isinstance(given["on"], bool) else str(given["on"]).strip().lower() in ("true", "1", "yes")
    said = {name: str(given[name] or "").strip() for name in ("metric", "arm", "direction", "why")}
    return said | {"on": on, "limit": limit}


def save(project: Path, run: str, rows: Any | None) -> None:
    """Keep the gates (None: the defaults again) and decide the run again by them."""
    conclusions.set_gates(project, None if rows is None else edited(rows))
    value = records.load_run(project, run)
    value.pop("stale")
    projects.write_json(project / "runs" / run / "run.json", conclusions.decide_again(project, value))


@session.guarded
def promote(visitor: str, name: str | None, run: str | None, who: str, why: str) -> str:
    project = session.project(visitor, name)
    if not run:
        raise InputError(words.NO_RUN_TO_PROMOTE)
    if not who.strip() or not why.strip():
        raise InputError(words.GIVE_BOTH)
    outcomes.promote(project, run, who=who.strip(), why=why.strip())
    return release_table(project)


@session.guarded
def retire(visitor: str, name: str | None, who: str, why: str) -> str:
    project = session.project(visitor, name)
    if (current := outcomes.promoted(project)) is None:
        raise InputError(words.NO_RELEASE)
    outcomes.retire(project, current["release"], who, why)
    return release_table(project)
