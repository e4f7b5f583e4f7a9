"""The Evaluate tab: every arm on the same questions, the verdict first, then the rows behind it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import experiments, jobs, outcomes, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.evaluation.arms import ARMS
from ftrag.evaluation.attribution import ADVICE
from ftrag.evaluation.stats import wilson
from ftrag.ui import session, texts
from ftrag.ui.theme import ROUTE_COLOURS
from ftrag.ui.train import newest_job
from ftrag.ui.view import Safe, job_card, percent, table, verdict_mark

ALL = "all"
AXES = ("content", "behaviour")
LONG_JOBS = ("evaluate", "compare", "reroute", "drill")


def build(visitor_bs: Any, project_dd: Any) -> dict[str, Any]:
    arms_cg = gr.CheckboxGroup(list(ARMS), value=list(ARMS), label="Arms", elem_id="arms")
    with gr.Row():
        evaluate_btn = gr.Button("Evaluate", variant="primary", elem_id="evaluate_start", scale=2, min_width=120)
        limit_nb = gr.Number(
            value=0, precision=0, minimum=0, label="Only the first N questions (0: all)", min_width=160
        )
        compare_btn = gr.Button("Compare with and without retrieval", scale=1, min_width=140)
        reroute_btn = gr.Button("Reroute to RAG", scale=1, min_width=120)
        cancel_btn = gr.Button("Cancel", variant="stop", scale=1, min_width=90)
    job_html = gr.HTML(elem_id="evaluate_job")
    run_dd = gr.Dropdown([], label="Run", elem_id="run_choice")
    verdict_html = gr.HTML(elem_id="verdict")
    arms_plot = gr.BarPlot(
        x="arm",
        y="share",
        color="axis",
        color_map=ROUTE_COLOURS,
        y_lim=[0, 1],
        title="Right answers per arm",
        elem_id="arms_plot",
        height=280,
        visible=False,
        sort=None,
        x_label_angle=-30,
    )
    table_html = gr.HTML(elem_id="arm_table")
    with gr.Row():
        filter_dd = gr.Dropdown([ALL], value=ALL, label="Questions with cause", min_width=200)
        report_btn = [gr.Button(f"Report as {form}", size="sm", min_width=100) for form in ("html", "md", "json")]
    report_fl = gr.File(label="Report", visible=False)
    rows_df = gr.Dataframe(
        headers=["id", "question", "content cause", "behaviour cause"],
        datatype="str",
        interactive=False,
        wrap=True,
        max_height=320,
        elem_id="rows",
    )
    row_html = gr.HTML(f'<p class="ft-note">{texts.OPEN_ROW}</p>', elem_id="row")

    private: dict[str, Any] = {"api_visibility": "private"}
    here = [visitor_bs, project_dd]
    shown = [verdict_html, arms_plot, table_html, filter_dd, rows_df, row_html]
    evaluate_btn.click(start, [*here, arms_cg, limit_nb], [job_html], **private)
    compare_btn.click(start_compare, here, [job_html], **private)
    reroute_btn.click(start_reroute, here, [job_html], **private)
    cancel_btn.click(cancel, here, [job_html], **private)
    run_dd.change(show, [*here, run_dd], shown, show_progress="hidden", **private)
    filter_dd.input(show_rows, [*here, run_dd, filter_dd], [rows_df], **private)
    rows_df.select(open_row, [*here, run_dd, rows_df], [row_html], **private)
    for form, button in zip(("html", "md", "json"), report_btn, strict=True):
        button.click(_reporter(form), [*here, run_dd], [report_fl], **private)
    return {
        "refresh": refresh,
        "outputs": [arms_cg, run_dd],
        "poll": poll,
        "poll_inputs": [run_dd],
        "poll_outputs": [job_html, run_dd],
    }


def refresh(visitor: str, name: str | None) -> list[Any]:
    """Arms that can run and the runs there are."""
    if not name:
        return [gr.update(), gr.update(choices=[], value=None)]
    project = session.project(visitor, name)
    try:
        arms = experiments.runnable_arms(project, workflows.choose_adapter(project, None))
    except InputError:
        arms = ["base"]
    return [gr.update(choices=list(ARMS), value=arms), _run_choices(project, None)]


def _run_choices(project: Path, chosen: str | None) -> Any:
    runs = experiments.runs(project)
    choices = [
        (f"{run['created'][:16].replace('T', ' ')} · {run['n']} questions · {run['route']}", run["id"]) for run in runs
    ]
    known = [run["id"] for run in runs]
    return gr.update(choices=choices, value=chosen if chosen in known else known[0] if known else None)


def poll(visitor: str, name: str | None, run: str | None) -> list[Any]:
    """The newest long job of this project, and the runs when a new one is there."""
    if not name:
        return ["", gr.skip()]
    project = session.project(visitor, name)
    found = [job for command in LONG_JOBS if (job := newest_job(visitor, name, command))]
    newest = max(found, key=lambda job: job["created"]) if found else None
    runs = [one["id"] for one in experiments.runs(project)]
    update = (
        _run_choices(project, None) if runs and runs[0] != run and (run not in runs or _is_new(newest)) else gr.skip()
    )
    return [job_card(newest, "") if newest else "", update]


def _is_new(job: Mapping[str, Any] | None) -> bool:
    """Just ended, so that the page should turn to its run."""
    import time

    return bool(job and job.get("ended") and time.time() - job["ended"] < 4)


def _start(visitor: str, name: str | None, arguments: Sequence[str]) -> str:
    project = session.project(visitor, name)
    command = arguments[0]
    if (going := newest_job(visitor, name, command)) and going["state"] not in jobs.ENDED:
        raise InputError(f"{command} is going on in this project already; wait for it or cancel it")
    jobs.start(
        projects.home(),
        [command, project.name, *arguments[1:]],
        session.owner(visitor),
        project.name,
        session.workspace(visitor),
    )
    return job_card(newest_job(visitor, name, command), "")


@session.guarded
def start(visitor: str, name: str | None, arms: list[str], limit: float | None) -> str:
    """Start `evaluate`. The base arm is always in, since everything is compared with it."""
    project = session.project(visitor, name)
    possible = experiments.runnable_arms(project, workflows.choose_adapter(project, None))
    wanted = [arm for arm in ARMS if arm in possible and (arm in arms or arm == "base")]
    arguments = ["evaluate", "--arms", ",".join(wanted), "--resume"]
    return _start(visitor, name, arguments + (["--limit", str(int(limit))] if limit else []))


@session.guarded
def start_compare(visitor: str, name: str | None) -> str:
    return _start(visitor, name, ["compare"])


@session.guarded
def start_reroute(visitor: str, name: str | None) -> str:
    return _start(visitor, name, ["reroute"])


@session.guarded
def cancel(visitor: str, name: str | None) -> str:
    for command in LONG_JOBS:
        job = newest_job(visitor, name, command)
        if job and job["state"] not in jobs.ENDED:
            jobs.cancel(projects.home(), job["id"], session.owner(visitor))
            return job_card(newest_job(visitor, name, command), "")
    raise InputError("nothing is being evaluated in this project")


@session.guarded
def show(visitor: str, name: str | None, run: str | None) -> list[Any]:
    """One run: verdict, plot, tables, rows."""
    import pandas as pd

    if not name or not run:
        empty = f'<div class="ft-card">{texts.EMPTY_RUN}</div>'.replace("**", "")
        return [empty, gr.update(visible=False), "", gr.update(choices=[ALL], value=ALL), [], ""]
    value = experiments.load_run(session.project(visitor, name), run)
    shares = [
        {"arm": f"{arm}, {axis}", "axis": axis, "share": numbers[axis]}  # one bar each: bars of one x are stacked
        for arm, numbers in value["arms"].items()
        for axis in AXES
        if numbers[axis] is not None
    ]
    plot = gr.update(value=pd.DataFrame(shares), visible=True)
    causes = [ALL, *sorted({cause for row in value["rows"] for cause in row["cause"].values()})]
    note = f'<p class="ft-note">{texts.OPEN_ROW}</p>'
    return [
        verdict_card(value),
        plot,
        arm_table(value) + difference_table(value) + cause_table(value) + cluster_table(value) + gate_table(value),
        gr.update(choices=causes, value=ALL),
        row_values(value, ALL),
        note,
    ]


def verdict_card(run: Mapping[str, Any]) -> str:
    decision = run["decision"]
    lines = [f'<p class="ft-route">{escape(decision["sentence"])}</p>']
    lines.append(two_by_two(run, decision["axis"]))
    lines += [f"<p>{escape(reason)}</p>" for reason in run["reasons"][:8]]
    effect = run["minimum_detectable_effect"] * 100
    lines.append(
        f'<p class="ft-note">{run["n"]} questions; the smallest gain they could have shown is {effect:.0f} points '
        f"(power 0.8, exact McNemar). {escape(run['machine'])}, {escape(run['created'])}.</p>"
    )
    if run.get("recorded"):
        command = f"python -m ftrag new demo --example {run['example']}, then train demo and evaluate demo"
        said = texts.RECORDED.format(machine=run["machine"], created=run["created"][:10], command=command)
        lines.append(f'<p class="ft-note">{escape(said)}</p>')
    if run["stale"]:
        lines.insert(0, f'<p class="ft-bad">{escape(texts.STALE.format(changed=", ".join(run["stale"])))}</p>')
    return f'<div class="ft-card">{"".join(lines)}</div>'


def two_by_two(run: Mapping[str, Any], axis: str) -> str:
    """With and without retrieval, with and without LoRA: the question of the product in four cells."""
    arms = run["arms"]
    cells = {arm: arms[arm].get(axis) for arm in ("base", "base+rag", "lora", "lora+rag") if arm in arms}
    if len(cells) < 2:
        return ""
    best = max((value for value in cells.values() if value is not None), default=None)

    def one(arm: str) -> str:
        value = cells.get(arm)
        mark = ' class="best"' if value is not None and value == best else ""
        return f'<div{mark}><b>{percent(value)}</b><span class="ft-mute">{arm}</span></div>'

    return (
        '<div class="ft-2x2"><div class="h"></div><div class="h">without retrieval</div>'
        f'<div class="h">with retrieval</div><div class="h">base model</div>{one("base")}{one("base+rag")}'
        f'<div class="h">fine-tuned</div>{one("lora")}{one("lora+rag")}</div>'
    )


def arm_table(run: Mapping[str, Any]) -> str:
    rows = [
        [
            arm,
            *(_with_interval(numbers, axis) for axis in (*AXES, "both")),
            f"{numbers['latency_p50_s']:.1f} s",
            ARMS[arm].why,
        ]
        for arm, numbers in run["arms"].items()
    ]
    headers = ["arm", "content", "behaviour", "both", "time p50", "what it shows"]
    return "<h3>Every arm, with 95 % intervals</h3>" + table(headers, rows, numeric=[1, 2, 3, 4])


def _with_interval(numbers: Mapping[str, Any], axis: str) -> str | None:
    value, n = numbers[axis], numbers.get(f"{axis}_n", numbers["n"])
    if value is None:
        return None
    low, high = wilson(round(value * n), n)
    return f"{percent(value)} ({low * 100:.0f}–{high * 100:.0f})"


def difference_table(run: Mapping[str, Any]) -> str:
    axis = run["decision"]["axis"]
    rows = [
        [
            f"{row['b']} − {row['a']}",
            f"{row['difference'] * 100:+.0f}",
            f"{row['low'] * 100:+.0f} to {row['high'] * 100:+.0f}",
            row["wins"],
            row["losses"],
            f"{row['p']:.3f}",
        ]
        for row in run["differences"]
        if row["axis"] == axis and row["n"]
    ]
    headers = ["difference", "points", "95 % interval", "repaired", "broken", "p"]
    return f"<h3>Paired differences ({axis})</h3>" + table(headers, rows, numeric=[1, 2, 3, 4, 5])


def cause_table(run: Mapping[str, Any]) -> str:
    names = [name for name in ADVICE if any(counts.get(name) for counts in run["causes"].values())]
    rows = [[name, *(run["causes"][axis].get(name) for axis in AXES), ADVICE[name]] for name in names]
    return "<h3>Causes</h3>" + table(["cause", "content", "behaviour", "what to do"], rows, numeric=[1, 2])


def cluster_table(run: Mapping[str, Any]) -> str:
    """Failures of one cause that look alike; what shows no pattern is left out."""
    rows = [
        [group["axis"], group["cause"], group["label"], group["size"], _examples(group), group["advice"]]
        for group in run["clusters"]
        if group["grouped"]
    ]
    if not rows:
        return '<h3>Clusters</h3><p class="ft-note">No group of failures stands out from the rest.</p>'
    return "<h3>Clusters</h3>" + table(
        ["axis", "cause", "words", "size", "for example", "what to do"], rows, numeric=[3]
    )


def _examples(group: Mapping[str, Any]) -> str:
    return " · ".join(example["question"] for example in group["examples"])


def gate_table(run: Mapping[str, Any]) -> str:
    """The gates of what the verdict holds; promotion needs all of them to pass, and an unmeasured one does not."""
    gates = run["gates"]
    if not gates:
        return ""
    rows = [
        [
            row["metric"],
            f"{row['direction']} {row['limit']:g}",
            None if row["bound"] is None else f"{row['bound']:.3g}",
            verdict_mark({"pass": True, "fail": False}.get(row["state"]), row["state"]),
            row["why"],
        ]
        for row in gates["rows"]
    ]
    head = f"<h3>Gates for {escape(gates['arm'])}: {escape(gates['state'])}</h3>"
    return head + table(["gate", "rule", "bound", "state", "why"], rows, numeric=[2])


def row_values(run: Mapping[str, Any], cause: str) -> list[list[str]]:
    return [
        [str(row["id"]), row["question"], row["cause"].get("content", "–"), row["cause"].get("behaviour", "–")]
        for row in run["rows"]
        if cause == ALL or cause in row["cause"].values()
    ]


@session.guarded
def show_rows(visitor: str, name: str | None, run: str | None, cause: str) -> list[list[str]]:
    if not run:
        raise InputError("there is no run yet; evaluate first")
    return row_values(experiments.load_run(session.project(visitor, name), run), cause)


@session.guarded
def open_row(visitor: str, name: str | None, run: str, shown: Any, event: gr.SelectData) -> str:
    """Every arm's answer to the question that was clicked."""
    value = experiments.load_run(session.project(visitor, name), run)
    wanted = str(shown.iloc[event.index[0], 0])
    row = next((row for row in value["rows"] if str(row["id"]) == wanted), None)
    return row_card(row) if row else ""


def row_card(row: Mapping[str, Any]) -> str:
    answers = [
        [
            arm,
            Safe(verdict_mark(said["content"], "content") + "<br>" + verdict_mark(said["behaviour"], "behaviour")),
            said["text"],
            said["why"]["content"],
        ]
        for arm, said in row["answers"].items()
    ]
    expected = " or ".join(row["expected"]) or "a refusal: no document answers it"
    return (
        f'<div class="ft-card"><p><b>{escape(row["question"])}</b></p><p>Expected: {escape(expected)}</p>'
        + table(["arm", "verdict", "answer", "why"], answers)
        + "</div>"
    )


def _reporter(form: str) -> Any:
    @session.guarded
    def write(visitor: str, name: str | None, run: str | None) -> Any:
        if not run:
            raise InputError("there is no run to report yet; evaluate first")
        text = outcomes.report(session.project(visitor, name), run, form)
        path = Path(tempfile.mkdtemp()) / f"ftrag-{name}.{form}"
        path.write_text(text, encoding="utf-8")
        return gr.update(value=str(path), visible=True)

    return write
