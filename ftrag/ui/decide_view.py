"""What the Decide tab's handlers do: read the answers, one call, show."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import gradio as gr
import pandas as pd

from ftrag.decision import exports
from ftrag.decision.charts import break_even_svg
from ftrag.decision.cost import number
from ftrag.decision.presets import PRESETS, Preset
from ftrag.decision.questionnaire import QUESTIONS, decide, parse_answer
from ftrag.decision.questions import BY_KEY
from ftrag.errors import InputError
from ftrag.ui import session
from ftrag.ui.view import data_link

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Facts", ("knowledge-changes", "needs-citations", "problem", "corpus-size")),
    ("Manner", ("style-requirements", "domain-syntax", "training-data", "prompting-tried")),
    ("Means", ("hardware", "retraining", "evaluation-set", "monthly-queries")),
    ("Limits", ("latency-requirement", "regulated", "languages", "data-may-leave")),
)
KEYS = tuple(key for _, keys in STEPS for key in keys)  # the order of the answers in every handler
OUTPUTS = (
    *("headline", "status", "scores", "why", "warnings", "changes", "recipe", "checklist"),
    *("costs", "plot", "lines", "prices", "link"),
)
PRICE_COLUMNS = ["Input", "Value", "Unit", "Basis", "Source", "Date"]
ROUTES = {
    "prompt": "Prompt",
    "rag": "RAG",
    "fine-tune": "Fine-tune",
    "both": "Both: RAG and fine-tuning",
    "not enough information": "Not enough information yet",
}
OUT = "(out)"  # of a route that is ruled out; longer, the bars' names run into each other on a phone
LARGEST_LINK = 2_000  # characters of a link's answers


def view(answers: Mapping[str, str], overrides: Mapping[str, float], note: str = "", base: str = "") -> dict[str, Any]:
    """Everything the page shows for a set of answers, by the names of OUTPUTS; unreadable answers are named."""
    readable, problems = _readable(answers)
    result = decide(readable, overrides)
    cost = result["cost"]
    lines = "".join(f"<h4>{escape(s.title)}</h4>{exports.html_of(s)}" for s in map(exports.cost_lines, cost["options"]))
    return {
        "headline": _headline(result),
        "status": _status(result, problems, note),
        "scores": _bars(result),
        "why": exports.html_of(exports.why(result)) or "<p>Answer a question to see what it changes.</p>",
        "warnings": exports.html_of(exports.warnings(result)) or "<p>None.</p>",
        "changes": exports.html_of(exports.changes(result)) or "<p>No one or two answers would change it.</p>",
        "recipe": exports.html_of(exports.recipe(result)) or "<p>There is nothing to build yet.</p>",
        "checklist": exports.html_of(exports.checklist(result)),
        "costs": exports.html_of(exports.costs(cost), stack=False) + exports.html_of(exports.break_even(cost)),
        "plot": break_even_svg(cost) + data_link("break-even", cost["curve"]),
        "lines": lines,
        "prices": pd.DataFrame(exports.cost_inputs(cost).rows, columns=PRICE_COLUMNS),
        "link": f"{base}?decide={link_of(readable)}" if readable else "",
    }


def _readable(answers: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The answers that can be read, and a sentence for each that cannot."""
    readable, problems = {}, []
    for key, value in answers.items():
        try:
            if value and value.strip():
                parse_answer(key, value)
                readable[key] = value
        except InputError as error:
            problems.append(_problem(key, error))
    return readable, problems


def _problem(key: str, error: InputError) -> str:
    text = str(error).removeprefix(f"--{key} ")
    return f"{BY_KEY[key].text} This {text}" if key in BY_KEY else text


def _headline(result: Mapping[str, Any]) -> str:
    route = result["route"]
    return f'<p class="dc-route" data-route="{route}">{ROUTES[route]}</p><p>{escape(result["sentence"])}</p>'


def _status(result: Mapping[str, Any], problems: Sequence[str], note: str) -> str:
    said = len(QUESTIONS) - len(result["skipped"])
    how = f"{said} of {len(QUESTIONS)} questions answered, the rest skipped."
    how = f"{how} {exports.decided(result)}".strip()
    lines = [f'<p class="dc-note">{escape(how)} This is a first guess; Evaluate measures it on your questions.</p>']
    lines += [f'<p class="dc-note">{escape(note)}</p>'] if note else []
    lines += [f'<p class="dc-error" role="alert">Not counted: {escape(text)}</p>' for text in problems]
    return "".join(lines)


def _bars(result: Mapping[str, Any]) -> pd.DataFrame:
    effects = " ".join(row["effect"] for row in result["reasons"])
    rows = [
        (f"{route} {OUT}" if points == 0 and f"rules out {route}" in effects else route, points, route)
        for route, points in result["scores"].items()
    ]
    return pd.DataFrame(rows, columns=["Route", "Points", "Kind"])


def link_of(answers: Mapping[str, str]) -> str:
    """key:value,key:value for the query of a link; commas inside numbers are dropped."""
    return ",".join(f"{key}:{quote(value.strip().replace(',', ''))}" for key, value in answers.items())


def answers_of_link(text: str) -> dict[str, str]:
    """The answers in a link; what is not a question of ours is left out."""
    pairs = [part.split(":", 1) for part in text[:LARGEST_LINK].split(",") if ":" in part]
    return {key: value for key, value in pairs if key in BY_KEY}


def base_of(request: gr.Request | None) -> str:
    """The page's own address without its query, as the browser knows it."""
    found = urlsplit(str(request.headers.get("referer", ""))) if request else None
    return f"{found.scheme}://{found.netloc}{found.path}" if found and found.netloc else ""


def _shown(values: Mapping[str, Any]) -> list[Any]:
    return [values[name] for name in OUTPUTS]


def answers_in(values: Sequence[Any]) -> dict[str, str]:
    return {key: str(value or "") for key, value in zip(KEYS, values, strict=True)}


def filled(answers: Mapping[str, str], values: Mapping[str, Any]) -> list[Any]:
    """Values for all questions, then for all outputs."""
    return [*(_canonical(key, answers.get(key, "")) for key in KEYS), *_shown(values)]


def _canonical(key: str, value: str) -> str:
    """A radio needs the option's own name; a text field takes what was typed."""
    try:
        return parse_answer(key, value).text if value and BY_KEY[key].kind == "choice" else value
    except InputError:
        return ""


def on_answer(request: gr.Request, overrides: Mapping[str, float], *values: Any) -> list[Any]:
    return _shown(view(answers_in(values), overrides, base=base_of(request)))


def on_preset(request: gr.Request, index: int, overrides: Mapping[str, float]) -> list[Any]:
    preset = PRESETS[index]
    return filled(preset.answers, view(preset.answers, overrides, preset_note(preset), base_of(request)))


def preset_note(preset: Preset) -> str:
    return f"{preset.title}: {preset.source} says {' or '.join(preset.verdicts)}. {preset.why}"


def on_reset() -> list[Any]:
    return [{}, *filled({}, view({}, {}))]


def restore(request: gr.Request) -> list[Any]:
    """For Blocks.load: answers the questions from the link that opened the page."""
    answers = answers_of_link(str(request.query_params.get("decide", "")))
    return filled(answers, view(answers, {}, base=base_of(request)))


def on_price(request: gr.Request, prices: pd.DataFrame, overrides: Mapping[str, float], *values: Any) -> list[Any]:
    """Keep every value that differs from the table before the edit; refuse what is no number."""
    answers = answers_in(values)
    before = decide(_readable(answers)[0], overrides)["cost"]["inputs"]
    changed = dict(overrides)
    try:
        if "Value" not in prices or len(prices) != len(before):
            raise InputError("A column or a row of the prices was missing, so the edit was not taken; they are back.")
        for row, text in zip(before, prices["Value"].tolist(), strict=True):
            if str(text) != exports.amount(row["value"]):
                changed[row["key"]] = number(row["key"], text)
    except InputError as error:
        gr.Warning(str(error))
    return [changed, *_shown(view(answers, changed, base=base_of(request)))]


def on_measure(visitor: str, name: str | None, overrides: Mapping[str, Any], *values: Any) -> list[Any]:
    """Token counts of the visitor's project in place of the assumed ones; the costs follow."""
    from ftrag.costing import measured_inputs

    changed = {**overrides, **measured_inputs(session.project(visitor, name))}
    shown = view(answers_in(values), changed)
    return [changed, *(shown[part] for part in ("costs", "plot", "lines", "prices"))]


def on_export(overrides: Mapping[str, float], *values: Any) -> Any:
    """Three files of the recommendation as it stands."""
    result = decide(_readable(answers_in(values))[0], overrides)
    texts = {"md": exports.to_markdown(result), "html": exports.to_html(result)}
    texts["json"] = json.dumps(result, indent=1, ensure_ascii=False)
    folder = Path(tempfile.mkdtemp(prefix="ftrag-"))
    return gr.update(value=[written(folder / f"recommendation.{k}", text) for k, text in texts.items()], visible=True)


def written(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)
