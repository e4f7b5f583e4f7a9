"""Every number of a run in tables: arms with intervals, paired differences, costs."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from ftrag.decision.wording import usd
from ftrag.evaluation.arms import ARMS, AXES, COST_ORDER
from ftrag.evaluation.stats import wilson
from ftrag.report import timing
from ftrag.report_judge import sentences as judge_sentences
from ftrag.ui.texts import evaluate as words
from ftrag.ui.view import percent, table

Run = Mapping[str, Any]
ORDER = (*COST_ORDER, *(arm for arm in ARMS if arm not in COST_ORDER))  # deployable arms by cost, then diagnoses


def details(run: Run) -> str:
    return arm_table(run) + difference_table(run) + cost_table(run)


def arm_table(run: Run) -> str:
    rows = [
        [
            arm,
            *(_with_interval(numbers, axis) for axis in (*AXES, "both")),
            words.TWO_TIMES.format(p50=numbers["first_token_p50_s"], p95=numbers["first_token_p95_s"]),
            words.TWO_TIMES.format(p50=numbers["latency_p50_s"], p95=numbers["latency_p95_s"]),
            f"{numbers['tokens']:.0f}",
            ARMS[arm].why,
        ]
        for arm in ORDER
        if (numbers := run["arms"].get(arm))
    ]
    judged = f'<p class="ft-note">{_judge(run)}</p>' if run.get("judge") else ""
    times = f'<p class="ft-note">{escape(timing(run))}</p>'
    listed = table(words.ARM_HEADERS, rows, numeric=[1, 2, 3, 4, 5, 6])
    return f"<h3>{words.ARM_TABLE}</h3>{listed}{times}{judged}"


def _judge(run: Run) -> str:
    judge = run["judge"]
    shares = ", ".join(f"{arm} {percent(value)}" for arm, value in judge["arms"].items())
    return escape(" ".join([words.JUDGED.format(model=judge["model"], shares=shares), *judge_sentences(judge)]))


def _with_interval(numbers: Mapping[str, Any], axis: str) -> str | None:
    value, n = numbers[axis], numbers.get(f"{axis}_n", numbers["n"])
    if value is None:
        return None
    low, high = wilson(round(value * n), n)
    return f"{percent(value)} ({low * 100:.0f}–{high * 100:.0f})"


def difference_table(run: Run) -> str:
    axis = run["decision"]["axis"]
    rows = [
        [
            f"{row['b']} − {row['a']}",
            f"{row['difference'] * 100:+.0f}",
            words.TO.format(low=row["low"] * 100, high=row["high"] * 100),
            row["wins"],
            row["losses"],
            row["ties"],
            "< 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}",
        ]
        for row in run["differences"]
        if row["axis"] == axis and row["n"]
    ]
    listed = table(words.DIFFERENCE_HEADERS, rows, numeric=[1, 2, 3, 4, 5, 6])
    return f"<h3>{words.DIFFERENCES.format(axis=axis)}</h3>{listed}"


def cost_table(run: Run) -> str:
    costs = {row["arm"]: row for row in run.get("costs") or []}
    rows = [
        [
            arm,
            usd(row["usd"]),
            None if row["usd_per_right"] is None else usd(row["usd_per_right"]),
            None if row["usd_per_additional"] is None else usd(row["usd_per_additional"]),
            row["formula"],
        ]
        for arm in ORDER
        if (row := costs.get(arm))
    ]
    if not rows:
        return ""
    listed = table(words.COST_HEADERS, rows, numeric=[1, 2, 3])
    head = words.COSTS.format(axis=run["decision"]["axis"])
    return f'<h3>{head}</h3>{listed}<p class="ft-note">{words.COST_NOTE}</p>'
