"""The data report of the Train tab as HTML: what is there, what is wrong with it by row number, what is learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ftrag.ui.view import Safe, table

MANY = 12  # row numbers shown in one cell
TILE = "flex:1 1 92px;padding:.5rem .8rem;border-radius:10px;background:var(--background-fill-secondary)"
PARSED = {"prompt": "question", "response": "answer", "rejected": "worse answer", "context": "passages"}


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
    head = (
        f"<b>{documents} documents</b> · <b>{report['rows']} training rows</b> · <b>{report['gold']} gold questions</b>"
    )
    numbers = [
        (f"{tokens['total']:,}", "tokens in all rows"),
        (f"{tokens['learned']:,}", "of them learned: the answers"),
        (f"{tokens['median']:,}", "tokens in a usual row"),
        (f"{tokens['longest']:,}", "tokens in the longest row"),
    ]
    blocked = "".join(
        f'<p><span class="ft-bad">Training is blocked:</span> {escape(reason)}.</p>' for reason in report["blocked"]
    )
    verdict = f"<p><b>{escape(enough['verdict']).capitalize()}</b>: {enough['rows']} different rows.</p>"
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
    gold = [f"{rows([pair['id']])} = gold {pair['gold']} ({pair['kind']})" for pair in report["gold_overlap"]]
    leaks = [f"{row['document']} holds gold {row['gold']}" for row in report["leaks"]]
    refused = [f"{row.get('row', '')} {row['reason']}".strip() for row in report["upload"]["refused"]]
    long = [rows(report["too_long"])] if report["too_long"] else []
    lines = [
        ("Rows that cannot be used", refused, "left out; repair them and upload again", False),
        ("Training questions that are gold questions", gold, "blocks: remove them on one of the two sides", True),
        ("Same question, different answers", opposed, "the model cannot learn both; keep one", False),
        ("Longer than the model is trained on", long, "left out of the training", False),
        ("The same row more than once", same, "counts twice; the cleaned copy keeps one", False),
        ("Nearly the same row", near, "fine for wordings, not for copies", False),
        ("Gold questions inside a document", leaks, "retrieval would look better than it is", False),
        ("Evidence that training and gold share", report["evidence_shared"], "such facts may be known by heart", False),
    ]
    wrong = [_check(title, found, meaning, blocks) for title, found, meaning, blocks in lines if found]
    clean = [title[0].lower() + title[1:] for title, found, _, _ in lines if not found]
    shown = table(["found", "", "rows of the file", "what it means"], wrong, [1]) if wrong else ""
    said = f'<p class="ft-note"><span class="ft-ok">✓</span> Looked for and not found: {"; ".join(clean)}.</p>'
    return shown + (said if clean else "")


def _check(title: str, found: Sequence[str], meaning: str, blocks: bool) -> list[Any]:
    kind = "ft-bad" if blocks else "ft-lost"
    return [title, Safe(f'<span class="{kind}">{len(found)}</span>'), _listed(found, "; "), meaning]


def _listed(items: Sequence[str], between: str = ", ") -> str:
    more = f" … and {len(items) - MANY} more" if len(items) > MANY else ""
    return between.join(items[:MANY]) + more


def _first(report: Mapping[str, Any]) -> str:
    """Three parsed rows, and each exactly as the model sees it with the learned part marked; the first is open."""
    shown = ""
    for place, (parsed, (prompt, learned)) in enumerate(zip(report["first"], report["rendered"], strict=False)):
        number = report["upload"]["rows"].get(parsed["id"], parsed["id"])
        cells = [[PARSED.get(name, name), _short(value)] for name, value in parsed.items() if name != "id"]
        shown += (
            f"<details{'' if place else ' open'}><summary>Row {escape(str(number))}: as it was read, and as the model "
            f"sees it. What is learned is marked.</summary>{table(['field', 'read as'], cells)}"
            f'<pre class="ft-pre" tabindex="0">{escape(prompt)}<mark>{escape(learned)}</mark></pre></details>'
        )
    return shown


def _short(value: Any) -> str:
    text = " · ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _thresholds(enough: Mapping[str, Any]) -> str:
    rows = [[row["rows"], row["verdict"], row["source"], "✓" if row["reached"] else ""] for row in enough["thresholds"]]
    listed = table(["rows", "verdict", "source", "reached"], rows, numeric=[0])
    why = f'<p class="ft-note">{escape(enough["why"])}</p>'
    return f"<details><summary>How many examples are enough? The sources disagree</summary>{why}{listed}</details>"
