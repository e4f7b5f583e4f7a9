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
from ftrag.ui.texts import decide as words
from ftrag.ui.view import data_link

_STEP_KEYS = (
    ("knowledge-changes", "needs-citations", "problem", "corpus-size"),
    ("style-requirements", "domain-syntax", "training-data", "prompting-tried"),
    ("hardware", "retraining", "evaluation-set", "monthly-queries"),
    ("latency-requirement", "regulated", "languages", "data-may-leave"),
)
STEPS = tuple(zip(words.STEP_TITLES, _STEP_KEYS, strict=True))
KEYS = tuple(key for _, keys in STEPS for key in keys)  # the order of the answers in every handler
OUTPUTS = (
    *("headline", "status", "scores", "numbers", "why", "warnings", "changes", "recipe", "checklist"),
    *("costs", "plot", "lines", "prices", "link"),
)
VALUE = words.PRICE_COLUMNS[1]
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
        "scores": (bars := _bars(result)),
        "numbers": f"<small>{words.POINTS_NOTE}</small>" + data_link("points", bars.to_dict("records")),
        "why": exports.html_of(exports.why(result)) or f"<p>{words.NO_WHY}</p>",
        "warnings": exports.html_of(exports.warnings(result)) or f"<p>{words.NO_WARNINGS}</p>",
        "changes": exports.html_of(exports.changes(result)) or f"<p>{words.NO_CHANGES}</p>",
        "recipe": exports.html_of(exports.recipe(result)) or f"<p>{words.NO_RECIPE}</p>",
        "checklist": exports.html_of(exports.checklist(result)),
        "costs": exports.html_of(exports.costs(cost), stack=False) + exports.html_of(exports.break_even(cost)),
        "plot": break_even_svg(cost) + data_link("break-even", cost["curve"]),
        "lines": lines,
        "prices": pd.DataFrame(exports.cost_inputs(cost).rows, columns=list(words.PRICE_COLUMNS)),
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
    return words.UNREADABLE.format(question=BY_KEY[key].text, problem=text) if key in BY_KEY else text


def _headline(result: Mapping[str, Any]) -> str:
    route = result["route"]
    return f'<p class="dc-route" data-route="{route}">{words.ROUTES[route]}</p><p>{escape(result["sentence"])}</p>'


def _status(result: Mapping[str, Any], problems: Sequence[str], note: str) -> str:
    said = len(QUESTIONS) - len(result["skipped"])
    how = words.ANSWERED.format(answered=said, all=len(QUESTIONS))
    how = f"{how} {exports.decided(result)}".strip()
    lines = [f'<p class="dc-note">{escape(how)} {words.FIRST_GUESS}</p>']
    lines += [f'<p class="dc-note">{escape(note)}</p>'] if note else []
    lines += [
        f'<p class="dc-error" role="alert">{words.NOT_COUNTED.format(text=escape(text))}</p>' for text in problems
    ]
    return "".join(lines)


def _bars(result: Mapping[str, Any]) -> pd.DataFrame:
    effects = " ".join(row["effect"] for row in result["reasons"])
    rows = [
        (f"{route} {words.OUT}" if points == 0 and f"rules out {route}" in effects else route, points, route)
        for route, points in result["scores"].items()
    ]
    return pd.DataFrame(rows, columns=[words.ROUTE, words.POINTS, words.KIND])


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
    return words.CASE_NOTE.format(
        title=preset.title, source=preset.source, verdicts=words.OR.join(preset.verdicts), why=preset.why
    )


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
        if VALUE not in prices or len(prices) != len(before):
            raise InputError(words.PRICES_BROKEN)
        for row, text in zip(before, prices[VALUE].tolist(), strict=True):
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
