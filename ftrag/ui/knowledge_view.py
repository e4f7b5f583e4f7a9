"""Chunks, hits, retrievers and flipped facts as HTML. Everything that a document or a visitor says is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ftrag.ui.texts import knowledge as words
from ftrag.ui.view import Safe, data_link, percent, table

SHOWN = 60  # chunks of a preview
KS = (1, 3, 5)
LONG_ID = re.compile(r"-\d{9}-[0-9a-f]{32}$")  # what follows the time in an id says nothing to a reader
LINE = "border-left:3px solid {};padding:.3rem .7rem;margin:.4rem 0;overflow-wrap:anywhere;white-space:pre-wrap"


def note(text: str) -> str:
    return f'<p class="ft-note">{escape(text)}</p>'


def documents(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The documents with their chunks and twins, and what could not be read."""
    if not found["documents"] and not found["unreadable"]:
        return note(words.NO_DOCUMENTS)
    rows = [
        [row["document"], row["chunks"], f"{row['characters']:,}", row["near_duplicate_of"] or ""]
        for row in found["documents"]
    ]
    listed = table(words.DOCUMENT_HEADERS, rows, numeric=[1, 2])
    refused = "".join(
        f'<p><span class="ft-bad">{words.NOT_READ}</span> {escape(row["file"])}: {escape(row["reason"])}</p>'
        for row in found["unreadable"]
    )
    return listed + refused


def chunks(rows: Sequence[Mapping[str, Any]]) -> str:
    """Where the cuts fall: each chunk with its place and size, what it repeats of the one before dimmed."""
    if not rows:
        return note(words.NO_TEXT)
    tokens = sorted(row["tokens"] for row in rows)
    middle = tokens[len(tokens) // 2]
    said = words.CHUNKS.format(count=len(rows), least=tokens[0], most=tokens[-1], middle=middle)
    cards = "".join(_chunk(number, row) for number, row in enumerate(rows[:SHOWN], start=1))
    more = note(words.MORE.format(count=len(rows) - SHOWN)) if len(rows) > SHOWN else ""
    return f'<p><b>{escape(said)}</b></p><div class="ft-chunks" tabindex="0">{cards}</div>{more}'


def _chunk(number: int, row: Mapping[str, Any]) -> str:
    repeated, new = row["text"][: row["overlap"]], row["text"][row["overlap"] :]
    colour = "#0284c7" if number % 2 else "#b45309"
    where = f" · {escape(row['where'])}" if row["where"] else ""
    place = words.CHARACTERS.format(start=row["start"], end=row["end"])
    head = f"<b>{number}</b> · {words.TOKENS.format(tokens=row['tokens'])} · {place}{where}"
    dim = f'<i class="ft-mute">{escape(repeated)}</i>' if repeated else ""
    return (
        f'<div style="{LINE.format(colour)}"><div class="ft-note">{head}</div>'
        f'<div style="font-size:.88rem">{dim}{escape(new)}</div></div>'
    )


def hits(found: Mapping[str, Any]) -> str:
    """Passages with the query's words marked."""
    if not found["hits"]:
        return note(words.NO_HITS)
    cards = "".join(_hit(hit) for hit in found["hits"])
    return note(words.FOUND.format(count=len(found["hits"]), milliseconds=found["milliseconds"])) + cards


def _hit(hit: Mapping[str, Any]) -> str:
    where = f" {escape(hit['where'])} ·" if hit["where"] else ""
    place = words.CHARACTERS.format(start=hit["start"], end=hit["end"])
    return (
        f'<div style="{LINE.format("#0284c7")}"><b>{hit["rank"]}. {escape(hit["document"])}</b> '
        f'<span class="ft-note">{where} {place} · {words.SCORE.format(score=hit["score"])}</span>'
        f'<div style="font-size:.88rem">{marked(hit["text"], hit["marks"])}</div></div>'
    )


def marked(text: str, marks: Iterable[Sequence[int]]) -> str:
    parts, at = [], 0
    for start, end in marks:
        parts.append(f"{escape(text[at:start])}<mark>{escape(text[start:end])}</mark>")
        at = end
    return "".join(parts) + escape(text[at:])


def quality(rows: Sequence[Mapping[str, Any]]) -> str:
    """A bar per retriever and k with its interval, and the table behind; the best of each k is marked."""
    shown = [row for row in rows if row["k"] in KS]
    plots = "".join(_bars(k, [row for row in shown if row["k"] == k]) for k in KS)
    lines = [
        [
            Safe(f"<b>{escape(_named(row, row['best']))}</b>") if row["best"] else _named(row),
            "" if row["best"] else _below(row),
            f"{row['mrr']:.2f}",
            f"{row['ndcg']:.2f}",
            f"{percent(row['hit_rate'])} [{percent(row['low'])}, {percent(row['high'])}]",
        ]
        for row in shown
    ]
    n, skipped = shown[0]["n"], shown[0]["skipped"]
    said = words.WITH_EVIDENCE.format(count=n) + (words.LEFT_OUT.format(count=skipped) if skipped else "")
    listed = table(words.QUALITY_HEADERS, lines, range(1, 5)) + note(said + words.QUALITY_LEGEND)
    return f'<div style="display:flex;flex-wrap:wrap;gap:18px">{plots}</div>{data_link("retrievers", rows)}{listed}'


def _named(row: Mapping[str, Any], best: bool = False) -> str:
    return words.SETTING.format(star="★ " if best else "", retriever=row["retriever"], k=row["k"])


def signed(value: float) -> str:
    """Two decimals with a sign, and zero without the sign that rounding would leave it."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


def within(middle: float, low: float, high: float) -> str:
    """A difference and its interval in one cell, so that neither is read without the other."""
    return f"{signed(middle)} [{signed(low)}, {signed(high)}]"


def _below(row: Mapping[str, Any]) -> Safe:
    """What a retriever has less than the best one, and below it whether that is real: both fit on a phone."""
    gap = within(-row["difference"], -row["difference_high"], -row["difference_low"])
    return Safe(f'{escape(gap)}<div class="ft-note">{escape(significance(row["p"]))}</div>')


def chance(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def significance(p: float | None) -> str:
    if p is None:
        return ""
    shown = f"p = {chance(p)}" if p >= 0.001 else f"p {chance(p)}"
    return (words.REAL if p < 0.05 else words.NOT_SHOWN).format(p=shown)


def _bars(k: int, rows: Sequence[Mapping[str, Any]]) -> str:
    bars = "".join(
        f'<div style="display:flex;gap:8px;align-items:center;margin:.25rem 0"><span style="width:4.6rem">'
        f"{'★ ' if row['best'] else ''}{escape(row['retriever'])}</span>"
        f'<span style="position:relative;flex:1;height:12px;border-radius:4px;background:var(--border-color-primary)">'
        f'<i style="position:absolute;left:0;top:0;bottom:0;border-radius:4px;background:'
        f'{"#0284c7" if row["best"] else "#64748b"};width:{row["hit_rate"] * 100:.1f}%"></i>'
        f'<u style="position:absolute;top:5px;height:2px;background:var(--body-text-color);'
        f'left:{row["low"] * 100:.1f}%;width:{(row["high"] - row["low"]) * 100:.1f}%"></u></span>'
        f'<b style="width:3.4rem;text-align:right;white-space:nowrap">{percent(row["hit_rate"])}</b></div>'
        for row in rows
    )
    return f'<div style="flex:1 1 240px;font-size:.88rem"><b>{words.FOUND_IN_FIRST.format(k=k)}</b>{bars}</div>'


def comparison(value: Mapping[str, Any] | None) -> str:
    """With retrieval minus without, on the same questions, for every setting that was run."""
    if value is None:
        return note(words.NO_COMPARISON)
    rows = value.get("rows") or [{key: value[key] for key in ("retriever", "k", "with", "difference")}]
    lines = [_setting(row, value["without"]) for row in rows]
    arms = words.AGAINST.join(reversed(value.get("arms") or words.ARMS))
    said = words.COMPARED.format(n=value["n"], arms=arms, axis=rows[0]["difference"]["axis"])
    said += words.HOLM if len(rows) > 1 else ""
    listed = table(words.COMPARISON_HEADERS, lines, numeric=range(1, len(words.COMPARISON_HEADERS)))
    return _made(value, "") + listed + note(said)


def _made(value: Mapping[str, Any], settings: str) -> str:
    """When a result was made and with what; and a line where it no longer describes the project."""
    parts = [words.MADE.format(when=value["made"])] if value.get("made") else []
    if "adapter" in value:
        id_ = LONG_ID.sub("", value["adapter"] or "")
        parts.append(words.WITH_ADAPTER.format(id=id_) if id_ else words.WITHOUT_ADAPTER)
    said = note(" · ".join(filter(None, [*parts, settings]))) if parts else ""
    return said + (f'<p class="ft-bad">{words.OUTDATED}</p>' if value.get("outdated") else "")


def _setting(row: Mapping[str, Any], without: Mapping[str, Any]) -> list[Any]:
    gap = row["difference"]
    name = _named(row, row.get("best", False))
    shares = [percent(side[gap["axis"]]) for side in (without, row["with"])]
    if not gap["n"]:
        return [name, *[words.NO_SCORES] * 2, *shares, *[words.NO_SCORES] * 2]
    interval = within(*(gap[key] for key in ("difference", "low", "high")))
    return [name, interval, chance(row.get("p_holm", gap["p"])), *shares, gap["wins"], gap["losses"]]


def drill(value: Mapping[str, Any] | None) -> str:
    """How many edited facts each arm noticed, and what it said."""
    if value is None:
        return note(words.NO_DRILL)
    counts = [[arm, words.COUNT_OF.format(count=n, all=value["edits"])] for arm, n in value["flipped"].items()]
    lines = [[row["id"], row["new"], row["arm"], row["answer"]] for row in value["rows"]]
    took = words.FOLLOWED.format(milliseconds=value["milliseconds"]) if "milliseconds" in value else ""
    answers = table(words.ANSWER_HEADERS, lines, stack=True)
    head = f"<p><b>{words.WHO_KNOWS}</b>{escape(took)}</p>"
    used = _named(value) if "k" in value else ""
    return (
        _made(value, used)
        + head
        + table(words.WHO_HEADERS, counts, [1])
        + f"<details><summary>{words.EVERY_ANSWER}</summary>{answers}</details>"
    )


def column(title: str, state: Mapping[str, Any] | None) -> str:
    """One side of the live drill."""
    text = escape(state["text"]) if state else '<span class="ft-mute">…</span>'
    return f'<div class="ft-card" style="min-height:6rem"><b>{escape(title)}</b><p>{text}</p></div>'
