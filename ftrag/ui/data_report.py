"""The data report of the Train tab as HTML: what is there, what is wrong with it by row number, what is learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ftrag.ui.texts import train as words
from ftrag.ui.view import Safe, table

BLOCKING = "gold"  # the check whose findings stop a training
MANY = 12  # row numbers shown in one cell
TILE = "flex:1 1 92px;padding:.5rem .8rem;border-radius:10px;background:var(--background-fill-secondary)"


def tiles(rows: Iterable[tuple[str, str]]) -> str:
    """(value, label) pairs as a row of numbers."""
    cells = "".join(
        f'<div style="{TILE}"><b style="font-size:1.15rem;font-variant-numeric:tabular-nums">{escape(value)}</b>'
        f'<br><span class="ft-mute" style="font-size:.82rem">{escape(label)}</span></div>'
        for value, label in rows
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px;margin:.4rem 0">{cells}</div>'


def data_report(report: Mapping[str, Any], documents: int) -> str:
    """What inspect_data found, the blocking reasons first."""
    tokens, enough = report["tokens"], report["sufficiency"]
    head = words.COUNTS.format(documents=documents, rows=report["rows"], gold=report["gold"])
    numbers = [
        (f"{tokens['total']:,}", words.TOKENS_ALL),
        (f"{tokens['learned']:,}", words.TOKENS_LEARNED),
        (f"{tokens['median']:,}", words.TOKENS_USUAL),
        (f"{tokens['longest']:,}", words.TOKENS_LONGEST),
    ]
    blocked = "".join(
        f'<p><span class="ft-bad">{words.BLOCKED}</span> {escape(reason)}.</p>' for reason in report["blocked"]
    )
    different = words.DIFFERENT_ROWS.format(rows=enough["rows"])
    verdict = f"<p><b>{escape(enough['verdict']).capitalize()}</b>: {different}</p>"
    parts = [f"<p>{head}</p>", blocked, tiles(numbers), verdict, _checks(report), _first(report), _thresholds(enough)]
    return f'<div class="ft-card">{"".join(parts)}</div>'


def _checks(report: Mapping[str, Any]) -> str:
    """Every check with its finding; a clean one says so, so that a reader sees what was looked at."""
    number = report["upload"]["rows"]

    def rows(ids: Iterable[str]) -> str:
        return _listed([f"{number[id_]}" if id_ in number else id_ for id_ in ids])

    same = [rows(ids) for ids in report["duplicates"]]
    near = [f"{rows(pair['ids'])} ({pair['similarity']:.0%})" for pair in report["near_duplicates"]]
    opposed = [rows(conflict["ids"]) for conflict in report["conflicts"]]
    gold = [
        words.GOLD_ROW.format(row=rows([pair["id"]]), gold=pair["gold"], kind=pair["kind"])
        for pair in report["gold_overlap"]
    ]
    leaks = [words.HOLDS_GOLD.format(document=row["document"], gold=row["gold"]) for row in report["leaks"]]
    refused = [f"{row.get('row', '')} {row['reason']}".strip() for row in report["upload"]["refused"]]
    long = [rows(report["too_long"])] if report["too_long"] else []
    findings = {"refused": refused, "gold": gold, "opposed": opposed, "long": long, "same": same, "near": near}
    findings |= {"leaks": leaks, "shared": report["evidence_shared"]}
    wrong = [_check(*words.CHECKS[name], found, name == BLOCKING) for name, found in findings.items() if found]
    clean = [words.CHECKS[name][0] for name, found in findings.items() if not found]
    shown = table(words.CHECK_HEADERS, wrong, [1], stack=True) if wrong else ""
    said = words.NOT_FOUND.format(checks="; ".join(title[0].lower() + title[1:] for title in clean))
    return shown + (f'<p class="ft-note"><span class="ft-ok">✓</span> {said}</p>' if clean else "")


def _check(title: str, meaning: str, found: Sequence[str], blocks: bool) -> list[Any]:
    kind = "ft-bad" if blocks else "ft-lost"
    return [title, Safe(f'<span class="{kind}">{len(found)}</span>'), _listed(found, "; "), meaning]


def _listed(items: Sequence[str], between: str = ", ") -> str:
    more = words.MORE_ROWS.format(count=len(items) - MANY) if len(items) > MANY else ""
    return between.join(items[:MANY]) + more


def _first(report: Mapping[str, Any]) -> str:
    """Three parsed rows, and each exactly as the model sees it with the learned part marked; the first is open."""
    shown = ""
    for place, (parsed, (prompt, learned)) in enumerate(zip(report["first"], report["rendered"], strict=False)):
        number = report["upload"]["rows"].get(parsed["id"], parsed["id"])
        cells = [[words.PARSED.get(name, name), _short(value)] for name, value in parsed.items() if name != "id"]
        shown += (
            f"<details{'' if place else ' open'}><summary>{words.AS_READ.format(row=escape(str(number)))}</summary>"
            f"{table(words.FIELD_HEADERS, cells)}"
            f'<pre class="ft-pre" tabindex="0">{escape(prompt)}<mark>{escape(learned)}</mark></pre></details>'
        )
    return shown


def _short(value: Any) -> str:
    text = " · ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _thresholds(enough: Mapping[str, Any]) -> str:
    rows = [[row["rows"], row["verdict"], row["source"], "✓" if row["reached"] else ""] for row in enough["thresholds"]]
    listed = table(words.ENOUGH_HEADERS, rows, numeric=[0])
    why = f'<p class="ft-note">{escape(enough["why"])}</p>'
    return f"<details><summary>{words.ENOUGH}</summary>{why}{listed}</details>"
