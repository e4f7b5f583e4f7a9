"""A training as HTML: its state while it runs, the estimate before it, and what came out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ftrag import jobs
from ftrag.training import launch
from ftrag.ui import texts
from ftrag.ui.data_report import tiles
from ftrag.ui.texts import train as words
from ftrag.ui.view import Safe, job_card, percent, seconds, table

LIVE = {  # key of a job's numbers -> format
    "loss": "{:.3f}",
    "eval_loss": "{:.3f}",
    "learning_rate": "{:.1e}",
    "tokens_per_second": "{:.0f}",
    "memory_mib": "{:,.0f}",
}


def live(job: Mapping[str, Any] | None) -> str:
    """The newest training, or estimate, of the project."""
    if job is None:
        return f'<p class="ft-note">{texts.NO_JOB}</p>'
    if job["state"] == jobs.DONE and is_estimate(job):
        return _estimate(job)
    warnings = "".join(f'<p class="ft-bad">{escape(text)}</p>' for text in job.get("warnings") or [])
    return job_card(job, texts.NO_JOB) + numbers(job) + warnings + _after(job)


def is_estimate(job: Mapping[str, Any]) -> bool:
    return "--dry-run" in job["command"].split()


def numbers(job: Mapping[str, Any]) -> str:
    """The live numbers as tiles; what is not known yet has none."""
    shown = [
        (form.format(job[key]), words.LIVE[key]) for key, form in LIVE.items() if isinstance(job.get(key), (int, float))
    ]
    if job["state"] == jobs.RUNNING and job.get("seconds_left"):
        shown.append((seconds(job["seconds_left"]), words.TIME_LEFT))
    return tiles(shown) if shown else ""


def _after(job: Mapping[str, Any]) -> str:
    """What to do next where the job has ended."""
    said = {
        jobs.DONE: texts.NEXT_EVALUATE,
        jobs.CANCELLED: words.CANCELLED,
        jobs.LOST: words.LOST,
        jobs.FAILED: words.FAILED,
    }
    return f'<p class="ft-note">{said[job["state"]]}</p>' if job["state"] in said else ""


def _estimate(job: Mapping[str, Any]) -> str:
    """The measured estimate, before Train is pressed."""
    shown = [
        (seconds(job["estimate_seconds"]), words.ABOUT),
        (words.MEMORY.format(mib=job["memory_mib"]), words.OF_MEMORY),
        (f"{job['steps']}", words.STEPS),
        (f"{job['trainable_parameters']:,}", words.TRAINABLE),
        (f"{job['rows']}", words.ROWS_HELD.format(held_out=job["held_out"])),
    ]
    notes = "".join(f'<p class="ft-note">{escape(text)}</p>' for text in job.get("warnings") or [])
    command = f'<p class="ft-note ft-code">{words.ESTIMATED_BY} <code>{escape(job["command"])}</code></p>'
    return f'<div class="ft-card"><b>{words.ESTIMATED}</b>{tiles(shown)}{notes}{command}</div>'


def outcome(cards: Sequence[Mapping[str, Any]], samples: Mapping[str, Any] | None) -> str:
    """The newest adapter: losses, what was forgotten, the same prompts with and without it; then all adapters."""
    if not cards:
        return ""
    card = cards[-1]
    fall = "" if card.get("eval_loss") is None else f", {words.HELD_OUT_LOSS.format(loss=card['eval_loss'])}"
    facts = [
        words.LOSS.format(loss=card.get("train_loss") or 0) + fall,
        words.ROWS.format(rows=card["data"]["rows"]),
        words.PARAMETERS.format(count=card["trainable_parameters"]),
        seconds(card["seconds"]),
    ]
    head = " · ".join([f"<b>{words.NEWEST}</b>", *facts])
    warnings = "".join(f'<p class="ft-bad">{escape(text)}</p>' for text in card.get("warnings") or [])
    listed = table(words.ADAPTER_HEADERS, [_line(row) for row in reversed(cards)], [1, 2, 3])
    more = (
        f"<details><summary>{words.ALL_ADAPTERS.format(count=len(cards))}</summary>{listed}</details>"
        if len(cards) > 1
        else ""
    )
    parts = [f"<p>{head}</p>", warnings, _forgotten(card), _samples(samples), more]
    return f'<div class="ft-card">{"".join(parts)}</div>'


def _line(card: Mapping[str, Any]) -> list[Any]:
    losses = [None if card.get(key) is None else f"{card[key]:.3f}" for key in ("train_loss", "eval_loss")]
    return [card["id"], card["data"]["rows"], *losses, seconds(card["seconds"])]


def _forgotten(card: Mapping[str, Any]) -> str:
    """Base against adapter on what the training must not cost."""
    found = card.get("forgetting") or {}
    rows = [_gate(title, found[name]) for name, title in words.GATES.items() if name in found]
    if not rows:
        return ""
    listed = table(words.GATE_HEADERS, rows, [1, 2], stack=True)
    plain = found.get("perplexity")
    note = ""
    if plain:
        note = f'<p class="ft-note">{words.PERPLEXITY.format(**plain)}</p>'
    return listed + note


def _gate(title: str, row: Mapping[str, Any]) -> list[Any]:
    kind = {"passed": "ft-ok", "failed": "ft-bad"}.get(row["state"], "ft-mute")
    span = "–" if row["low"] is None else words.GATE_SPAN.format(**row)
    state = Safe(f'<span class="{kind}">{row["state"]}</span> <span class="ft-mute">{escape(row["why"])}</span>')
    return [f"{title} ({row['n']})", percent(row["base"]), percent(row["adapter"]), span, state]


def _samples(samples: Mapping[str, Any] | None) -> str:
    """Five prompts, answered by base and by the adapter; said in words where nothing differs."""
    if not samples or not samples["rows"]:
        return ""
    rows = [[row["prompt"], row["base"], row["adapter"]] for row in samples["rows"]]
    alike = sum(row["base"] == row["adapter"] for row in samples["rows"])
    note = words.SAMPLES
    if alike == len(rows):
        note = f'<span class="ft-bad">{words.NO_EFFECT.format(count=alike)}</span>'
    return f"<p>{note}</p>" + table(words.SAMPLE_HEADERS, rows, stack=True)


def machines(name: str, flags: list[str]) -> str:
    """The launch lines of a training for more processors, GPUs and machines."""
    blocks = "".join(
        f'<p><b>{escape(title)}</b></p><pre class="ft-pre" tabindex="0">{escape(line)}</pre>'
        for title, line in launch.lines(name, flags)
    )
    return f'{blocks}<p class="ft-note">{words.MACHINES_NOTE}</p>'
