"""The cost model: every line is a formula over named inputs, so that each figure can be recomputed by hand.

US dollars throughout. The inputs with their defaults, units, sources and dates are the rows of `prices.json`.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any

from ftrag.decision.answers import Answer
from ftrag.decision.breakeven import crossings, curve
from ftrag.errors import InputError

OPTIONS = ("prompt", "rag", "fine-tune", "both")
MONTHS = 24
LARGEST = 1e12  # an input above this is a typing error
POSITIVE = ("gpu_tokens_per_second", "gpu_training_tokens_per_second", "gpu_hours_per_month")  # they divide
SWITCHES = ("base_on_gpu", "tuned_on_gpu")

RETRAINS = {"never": 0, "yearly": 1, "quarterly": 4, "monthly": 12, "weekly": 52}
REINDEXED = {"never": 0.0, "yearly": 0.02, "quarterly": 0.08, "monthly": 0.25, "weekly": 0.5, "daily": 1.0}
TOKENS_PER_DOCUMENT = 1000
CHECKING_MINUTES = 2  # for an example that exists already

TRAINING = "training_examples * example_tokens * epochs"
GPU = "max(1, ceil(monthly_queries * ({tokens}) * peak_factor / (gpu_tokens_per_second * 3600 * gpu_hours_per_month)))"
GPU_MONTH = f"{GPU} * gpu_hours_per_month * gpu_usd_per_hour"


@dataclass(frozen=True)
class Line:
    item: str
    routes: str  # the routes it is paid in, separated by blanks
    period: str  # "one-time" or "monthly"
    formula: str  # Python arithmetic over the inputs' keys; the result is US dollars
    when: str = ""  # "tuned_on_gpu": only if that switch is on; "not tuned_on_gpu": only if it is off


def _model_lines() -> tuple[Line, ...]:
    """What the model costs each month: tokens in and out by route, hosted or on a GPU of one's own."""
    rows = []
    for route, kind, read in (
        ("prompt", "base", "prompt_tokens + few_shot_tokens"),
        ("rag", "base", "prompt_tokens + few_shot_tokens + context_tokens"),
        ("fine-tune", "tuned", "prompt_tokens"),
        ("both", "tuned", "prompt_tokens + context_tokens"),
    ):
        price, switch = {"base": "llm", "tuned": "tuned"}[kind], f"{kind}_on_gpu"
        tokens_in = f"monthly_queries * ({read}) * {price}_input_usd / 1e6"
        tokens_out = f"monthly_queries * output_tokens * {price}_output_usd / 1e6"
        hosting = GPU_MONTH.format(tokens=f"{read} + output_tokens")
        rows += [
            Line("Model, tokens in", route, "monthly", tokens_in, f"not {switch}"),
            Line("Model, tokens out", route, "monthly", tokens_out, f"not {switch}"),
            Line("Model on own GPU", route, "monthly", hosting, switch),
        ]
    return tuple(rows)


GPU_TRAINING = f"{TRAINING} / gpu_training_tokens_per_second / 3600 * gpu_usd_per_hour"
LINES: tuple[Line, ...] = (
    Line("Writing the prompt", "prompt", "one-time", "prompt_build_hours * hourly_usd"),
    Line("Building retrieval", "rag both", "one-time", "rag_build_hours * hourly_usd"),
    Line("Setting up training", "fine-tune both", "one-time", "tune_build_hours * hourly_usd"),
    Line("Evaluation set", "prompt rag fine-tune both", "one-time", "evaluation_hours * hourly_usd"),
    Line("First index", "rag both", "one-time", "corpus_tokens * embedding_usd / 1e6"),
    Line("Data preparation", "fine-tune both", "one-time", "training_examples * minutes_per_example / 60 * hourly_usd"),
    Line(
        "Training, hosted",
        "fine-tune both",
        "one-time",
        f"training_runs * {TRAINING} * training_usd / 1e6",
        "not tuned_on_gpu",
    ),
    Line("Training, own GPU", "fine-tune both", "one-time", f"training_runs * {GPU_TRAINING}", "tuned_on_gpu"),
    *_model_lines(),
    Line("Embedding the questions", "rag both", "monthly", "monthly_queries * query_tokens * embedding_usd / 1e6"),
    Line("Index storage", "rag both", "monthly", "index_usd_per_month"),
    Line("Re-indexing", "rag both", "monthly", "reindex_fraction * corpus_tokens * embedding_usd / 1e6"),
    Line(
        "Retraining, hosted",
        "fine-tune both",
        "monthly",
        f"retrains_per_year / 12 * {TRAINING} * training_usd / 1e6",
        "not tuned_on_gpu",
    ),
    Line(
        "Retraining, own GPU", "fine-tune both", "monthly", f"retrains_per_year / 12 * {GPU_TRAINING}", "tuned_on_gpu"
    ),
    Line("Retraining, people", "fine-tune both", "monthly", "retrains_per_year / 12 * retrain_hours * hourly_usd"),
    Line("Upkeep of the prompt", "prompt", "monthly", "prompt_upkeep_hours * hourly_usd"),
    Line("Upkeep of the index", "rag both", "monthly", "rag_upkeep_hours * hourly_usd"),
    Line("Upkeep of the tuned model", "fine-tune both", "monthly", "tune_upkeep_hours * hourly_usd"),
)


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    text = Path(__file__).with_name("prices.json").read_text("utf-8")
    return tuple(json.loads(text))


def input_rows() -> list[dict[str, Any]]:
    """The inputs with their defaults: {key, label, value, unit, source, date, group}."""
    return [dict(row) for row in _rows()]


@cache
def _compiled(formula: str) -> CodeType:
    return compile(formula, "<cost formula>", "eval")


@cache
def _names(formula: str) -> tuple[str, ...]:
    return tuple(name for name in _compiled(formula).co_names if name not in ("max", "ceil"))


def evaluate(formula: str, values: Mapping[str, float]) -> float:
    """The value of one formula of LINES; formulas are rows of this file, never what a user typed."""
    scope = {"__builtins__": {}, "max": max, "ceil": math.ceil}
    return float(eval(_compiled(formula), scope, dict(values)))


def estimate(inputs: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Costs of prompt, rag, fine-tune and both: {options, break_even, curve, inputs}.

    An input is a number, or {"value", "basis", "source", "date"} for one that was measured. Raises InputError for an
    unknown name, NaN, infinity, a negative or an absurdly large number.
    """
    rows = _filled(inputs or {})
    values = {row["key"]: row["value"] for row in rows}
    bases = {row["key"]: row["basis"] for row in rows}
    total = partial(_total_at, values)
    return {
        "options": [_option(route, values, bases) for route in OPTIONS],
        "break_even": crossings(OPTIONS, total),
        "curve": curve(OPTIONS, total),
        "inputs": rows,
    }


def _filled(inputs: Mapping[str, object]) -> list[dict[str, Any]]:
    """The input rows with the given values in place, each with its basis: assumed, given or measured."""
    known = {row["key"] for row in _rows()}
    for key in inputs:
        if key not in known:
            raise InputError(f"The cost model has no input '{key}'; its inputs are {', '.join(sorted(known))}.")
    rows = []
    for row in _rows():
        given = inputs.get(row["key"])
        if given is None:
            rows.append({**row, "basis": "assumed"})
        elif isinstance(given, Mapping):
            extra = {name: str(given[name]) for name in ("source", "date") if name in given}
            basis = str(given.get("basis", "given"))
            rows.append({**row, **extra, "value": number(row["key"], given.get("value")), "basis": basis})
        else:
            value = number(row["key"], given)
            rows.append({**row, "value": value, "basis": "given", "source": "you", "date": ""})
    return rows


def number(key: str, value: object) -> float:
    """One input as a finite number of at least 0. Raises InputError in one sentence."""
    try:
        result = float(str(value).strip().replace(",", ""))
    except ValueError:
        result = math.nan
    if not 0 <= result <= LARGEST or (key in POSITIVE and result == 0):
        least = "above 0" if key in POSITIVE else "of at least 0"
        raise InputError(f"The cost input '{key}' takes a number {least} and up to {LARGEST:.0e}, not '{value}'.")
    if key in SWITCHES and result not in (0, 1):
        raise InputError(f"The cost input '{key}' is a switch: 0 or 1, not '{value}'.")
    return result


def lines_of(route: str, values: Mapping[str, float]) -> list[Line]:
    """The lines that are paid in this route under these switches."""
    return [line for line in LINES if route in line.routes.split() and _applies(line.when, values)]


def _applies(when: str, values: Mapping[str, float]) -> bool:
    if not when:
        return True
    return not values[when.removeprefix("not ")] if when.startswith("not ") else bool(values[when])


def _option(route: str, values: Mapping[str, float], bases: Mapping[str, str]) -> dict[str, Any]:
    chosen = lines_of(route, values)
    lines = [_line(line, values, bases) for line in chosen]
    one_time, monthly = (
        round(sum(row["usd"] for line, row in zip(chosen, lines, strict=True) if line.period == period), 6)
        for period in ("one-time", "monthly")
    )
    totals = {"one_time_usd": one_time, "monthly_usd": monthly, "two_year_usd": round(one_time + MONTHS * monthly, 6)}
    return {"route": route, **totals, "lines": lines}


def _line(line: Line, values: Mapping[str, float], bases: Mapping[str, str]) -> dict[str, Any]:
    """One line with its formula and inputs; "measured" only if none of its inputs is assumed and one was measured."""
    names = _names(line.formula)
    measured = [name for name in names if bases[name] == "measured"]
    assumed = any(bases[name] == "assumed" for name in names)
    return {
        "item": line.item,
        "period": line.period,
        "formula": line.formula,
        "inputs": {name: values[name] for name in names},
        "usd": round(evaluate(line.formula, values), 6),
        "basis": "measured" if measured and not assumed else "assumed",
        "measured": measured,
    }


def _total_at(values: Mapping[str, float], route: str, monthly_queries: float) -> float:
    """One-time plus 24 months of one route at another volume."""
    at = {**values, "monthly_queries": monthly_queries}
    return sum(evaluate(x.formula, at) * (MONTHS if x.period == "monthly" else 1) for x in lines_of(route, at))


def inputs_from_answers(given: Mapping[str, Answer]) -> dict[str, object]:
    """What the questionnaire's answers say about the cost inputs, each with the question as its source."""
    said = {key: answer.option.id for key, answer in given.items()}
    counts = {key: answer.number for key, answer in given.items() if answer.number is not None}
    found = [
        ("monthly_queries", "monthly-queries", counts.get("monthly-queries")),
        ("training_examples", "training-data", counts.get("training-data")),
        ("corpus_tokens", "corpus-size", counts.get("corpus-size", 0) * TOKENS_PER_DOCUMENT or None),
        ("retrains_per_year", "retraining", RETRAINS.get(said.get("retraining", ""))),
        ("reindex_fraction", "knowledge-changes", REINDEXED.get(said.get("knowledge-changes", ""))),
        ("tuned_on_gpu", "hardware", 1 if said.get("hardware") == "own" else None),
        ("tuned_on_gpu", "data-may-leave", 1 if said.get("data-may-leave") == "false" else None),
        ("base_on_gpu", "data-may-leave", 1 if said.get("data-may-leave") == "false" else None),
    ]
    inputs: dict[str, object] = {
        key: {"value": min(LARGEST, value), "basis": "given", "source": f"your answer to {question}", "date": ""}
        for key, question, value in found
        if value is not None
    }
    if counts.get("training-data"):
        source = "ftrag's assumption: the examples exist and are only checked"
        inputs["minutes_per_example"] = {"value": CHECKING_MINUTES, "basis": "assumed", "source": source}
    return inputs


def add_cost_arguments(parser: argparse.ArgumentParser) -> None:
    """One flag for each input, and --prices for a JSON file that overrides many."""
    parser.add_argument("--prices", metavar="FILE", help='JSON object of inputs, such as {"llm_input_usd": 2.5}')
    for row in _rows():
        text = f"{row['label']} ({row['unit']}; default {row['value']:g}; {row['source']})".replace("%", "%%")
        parser.add_argument(f"--{row['key'].replace('_', '-')}", metavar="NUMBER", help=text)


def inputs_from(namespace: argparse.Namespace) -> dict[str, object]:
    """The flags that were given, over the file of --prices. Raises InputError for a file that cannot be used."""
    given = {row["key"]: getattr(namespace, row["key"], None) for row in _rows()}
    return {**_prices(namespace.prices), **{key: value for key, value in given.items() if value is not None}}


def _prices(path: str | None) -> dict[str, object]:
    """A prices file: {key: number}, or a list of rows such as `prices.json` itself."""
    if path is None:
        return {}
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"--prices {path} is not readable JSON ({error}); give a file such as prices.json.") from error
    if isinstance(found, list):
        found = {row["key"]: row for row in found if isinstance(row, dict) and "key" in row}
    if not isinstance(found, dict) or not found:
        raise InputError(f"--prices {path} holds no inputs; give an object of numbers by input name.")
    return found
