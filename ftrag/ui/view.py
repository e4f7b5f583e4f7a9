"""Values -> small pieces of HTML. Everything that a user or a model wrote is escaped."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ftrag.text import inert
from ftrag.ui import texts


def table(
    headers: Sequence[str], rows: Iterable[Sequence[Any]], numeric: Sequence[int] = (), stack: bool = False
) -> str:
    """A plain table; numeric columns are right-aligned. Cells are escaped unless they are Safe.

    stack: on a phone each row becomes a block with its headers inside, for columns of sentences.
    """
    head = "".join(f"<th{_class(place in numeric)}>{escape(title)}</th>" for place, title in enumerate(headers))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(place in numeric)}{_label(headers[place]) if stack else ''}>{cell(value)}</td>"
            for place, value in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    whole = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    kind = "ft-table ft-stack" if stack else "ft-table"
    return f'<div class="ft-scroll" tabindex="0"><table class="{kind}">{whole}</table></div>'


class Safe(str):
    """HTML that this package wrote itself."""


def cell(value: Any) -> str:
    return value if isinstance(value, Safe) else "–" if value is None else escape(str(value))


def _class(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _label(header: str) -> str:
    return f' data-label="{escape(header)}: "' if header else ""


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def verdict_mark(value: bool | None, name: str) -> Safe:
    if value is None:
        return Safe(f'<span class="ft-mute">{escape(name)} –</span>')
    kind, sign = ("ok", "✓") if value else ("bad", "✗")
    return Safe(f'<span class="ft-{kind}">{sign} {escape(name)}</span>')


def bar(fraction: float, message: str, note: str = "") -> str:
    share = min(max(fraction, 0.0), 1.0) * 100
    return (
        f'<div class="ft-card" role="status"><b>{escape(message)}</b> <span class="ft-mute">{escape(note)}</span>'
        f'<div class="ft-bar" role="progressbar" aria-valuenow="{share:.0f}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-label="{texts.PROGRESS}"><i style="width:{share:.1f}%"></i></div></div>'
    )


def data_link(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """A link that holds the numbers behind a plot as a CSV named NAME.csv; "" without rows."""
    if not rows:
        return ""
    file = io.StringIO()
    writer = csv.writer(file)
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(names)
    for row in rows:
        cells = [row.get(name) for name in names]
        writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in cells])
    held = base64.b64encode(file.getvalue().encode("utf-8-sig")).decode()
    return (
        f'<p class="ft-note"><a download="{escape(name)}.csv" href="data:text/csv;charset=utf-8;base64,{held}">'
        f"{texts.PLOT_NUMBERS}</a></p>"
    )


def seconds(value: float) -> str:
    return texts.SECONDS.format(value=value) if value < 90 else texts.MINUTES.format(value=value / 60)


def time_left(job: Mapping[str, Any]) -> str:
    """How long a running job still takes, in words; "" for another one, or where its message says it."""
    if job["state"] != "running" or job["message"].endswith(" left"):
        return ""
    left = job.get("seconds_left")
    return texts.ABOUT_LEFT.format(time=seconds(left)) if left else texts.NO_TIME_YET


def job_card(job: Mapping[str, Any] | None, empty: str) -> str:
    """A job's state as a progress bar with its command."""
    if job is None:
        return f'<p class="ft-note">{escape(empty)}</p>'
    note = " · ".join(filter(None, [job["state"], time_left(job)]))
    command = f'<div class="ft-code ft-note">{texts.SAME_BY} <code>{escape(job["command"])}</code></div>'
    return bar(job["fraction"], job["message"], note) + command
