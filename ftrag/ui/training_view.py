"""A training as HTML: its state while it runs, the estimate before it, and what came out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ftrag import jobs
from ftrag.ui import texts
from ftrag.ui.data_report import tiles
from ftrag.ui.view import Safe, job_card, percent, seconds, table

LIVE = (  # key of a job's numbers, label, format
    ("loss", "loss", "{:.3f}"),
    ("eval_loss", "held-out loss", "{:.3f}"),
    ("learning_rate", "learning rate", "{:.1e}"),
    ("tokens_per_second", "tokens per second", "{:.0f}"),
    ("memory_mib", "MiB of memory", "{:,.0f}"),
)
GATES = {
    "general": "General questions",
    "safety": "Safe answers",
    "reading": "Reads its passages (this project's gold questions)",
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
    shown = [(form.format(job[key]), label) for key, label, form in LIVE if isinstance(job.get(key), (int, float))]
    if job["state"] == jobs.RUNNING and job.get("seconds_left"):
        shown.append((seconds(job["seconds_left"]), "left"))
    return tiles(shown) if shown else ""


def _after(job: Mapping[str, Any]) -> str:
    """What to do next where the job has ended."""
    said = {
        jobs.DONE: texts.NEXT_EVALUATE,
        jobs.CANCELLED: "Cancelled; the last checkpoint is kept. Press Train with the same settings to go on from it.",
        jobs.LOST: "Press Train with the same settings: it goes on from the last checkpoint.",
        jobs.FAILED: "Nothing was changed. Repair what the message names, then press Train again.",
    }
    return f'<p class="ft-note">{said[job["state"]]}</p>' if job["state"] in said else ""


def _estimate(job: Mapping[str, Any]) -> str:
    """The measured estimate, before Train is pressed."""
    shown = [
        (seconds(job["estimate_seconds"]), "about, from a few measured steps"),
        (f"{job['memory_mib']:,} MiB", "of memory"),
        (f"{job['steps']}", "steps"),
        (f"{job['trainable_parameters']:,}", "trainable parameters"),
        (f"{job['rows']}", f"rows, {job['held_out']} more held out"),
    ]
    notes = "".join(f'<p class="ft-note">{escape(text)}</p>' for text in job.get("warnings") or [])
    command = f'<p class="ft-note ft-code">Estimated: <code>{escape(job["command"])}</code></p>'
    return f'<div class="ft-card"><b>Nothing is trained yet. It would take</b>{tiles(shown)}{notes}{command}</div>'


def outcome(cards: Sequence[Mapping[str, Any]], samples: Mapping[str, Any] | None) -> str:
    """The newest adapter: losses, what was forgotten, the same prompts with and without it; then all adapters."""
    if not cards:
        return ""
    card = cards[-1]
    fall = "" if card.get("eval_loss") is None else f", held-out loss {card['eval_loss']:.3f}"
    head = f"<b>Newest adapter</b> · loss {card.get('train_loss') or 0:.3f}{fall} · {card['data']['rows']} rows · "
    head += f"{card['trainable_parameters']:,} trainable parameters · {seconds(card['seconds'])}"
    warnings = "".join(f'<p class="ft-bad">{escape(text)}</p>' for text in card.get("warnings") or [])
    listed = table(["adapter", "rows", "loss", "held-out", "time"], [_line(row) for row in reversed(cards)], [1, 2, 3])
    more = f"<details><summary>All {len(cards)} adapters</summary>{listed}</details>" if len(cards) > 1 else ""
    parts = [f"<p>{head}</p>", warnings, _forgotten(card), _samples(samples), more]
    return f'<div class="ft-card">{"".join(parts)}</div>'


def _line(card: Mapping[str, Any]) -> list[Any]:
    losses = [None if card.get(key) is None else f"{card[key]:.3f}" for key in ("train_loss", "eval_loss")]
    return [card["id"], card["data"]["rows"], *losses, seconds(card["seconds"])]


def _forgotten(card: Mapping[str, Any]) -> str:
    """Base against adapter on what the training must not cost."""
    found = card.get("forgetting") or {}
    rows = [_gate(title, found[name]) for name, title in GATES.items() if name in found]
    if not rows:
        return ""
    listed = table(["what must not be lost", "base", "adapter", "difference, 95 %", "gate"], rows, [1, 2])
    plain = found.get("perplexity")
    note = ""
    if plain:
        note = (
            f'<p class="ft-note">Perplexity on plain text: {plain["base"]:.1f} before, {plain["adapter"]:.1f} after '
            f"({plain['ratio']:.2f} times, 95 % {plain['low']:.2f} to {plain['high']:.2f}).</p>"
        )
    return listed + note


def _gate(title: str, row: Mapping[str, Any]) -> list[Any]:
    kind = {"passed": "ft-ok", "failed": "ft-bad"}.get(row["state"], "ft-mute")
    span = "–" if row["low"] is None else f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
    state = Safe(f'<span class="{kind}">{row["state"]}</span> <span class="ft-mute">{escape(row["why"])}</span>')
    return [f"{title} ({row['n']})", percent(row["base"]), percent(row["adapter"]), span, state]


def _samples(samples: Mapping[str, Any] | None) -> str:
    """Five prompts, answered by base and by the adapter; said in words where nothing differs."""
    if not samples or not samples["rows"]:
        return ""
    rows = [[row["prompt"], row["base"], row["adapter"]] for row in samples["rows"]]
    alike = sum(row["base"] == row["adapter"] for row in samples["rows"])
    note = "The same prompts, answered without and with the adapter."
    if alike == len(rows):
        note = f'<span class="ft-bad">The LoRA had no effect: all {alike} answers are the same without it.</span>'
    return f"<p>{note}</p>" + table(["prompt", "base", "with the adapter"], rows)
