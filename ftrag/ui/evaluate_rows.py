"""The questions of a run: failures that are alike, the rows behind a click, one question opened; all escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ftrag.decision.wording import place_sentence
from ftrag.evaluation.arms import AXES
from ftrag.evaluation.attribution import CAUSES, advice
from ftrag.report_marks import LEGEND, colour, outline
from ftrag.ui.evaluate_tables import ORDER
from ftrag.ui.texts import evaluate as words
from ftrag.ui.view import Safe, data_link, table, verdict_mark

Run = Mapping[str, Any]
ALIKE = 0.25  # share of words in common from which two answers are compared word by word


def scatter(run: Run) -> str:
    """Every failure as a point, alike ones near each other; a click on one asks for the rows of its group."""
    if not run["clusters"]:
        return f'<p class="ft-note">{words.NO_FAILURES}</p>'
    plots = "".join(_plot(run, axis) for axis in AXES if any(one["axis"] == axis for one in run["clusters"]))
    return (
        f'<h3>{words.ALIKE}</h3><p class="ft-note">{words.ALIKE_NOTE} {LEGEND}</p><div class="ft-plots">{plots}</div>'
        f"{data_link('failures', _points(run))}"
    )


def _points(run: Run) -> list[dict[str, Any]]:
    kept = ("axis", "cause", "label", "grouped")
    return [
        {"question": point["id"], "x": point["x"], "y": point["y"]} | {key: group[key] for key in kept}
        for group in run["clusters"]
        for point in group["points"]
    ]


def _plot(run: Run, axis: str) -> str:
    groups = [(number, one) for number, one in enumerate(run["clusters"]) if one["axis"] == axis]
    dots = "".join(_dot(point, number, one) for number, one in groups for point in one["points"])
    chips = "".join(_chip(number, one) for number, one in groups)
    name = words.FAILURES_OF.format(axis=axis)
    drawn = f'<svg viewBox="0 0 420 300" role="img" aria-label="{name}">{dots}</svg>'
    return f'<div class="ft-scatter"><h4>{axis}</h4>{drawn}<div class="ft-chips">{chips}</div></div>'


def _mark(group: Mapping[str, Any], x: float, y: float, r: float) -> str:
    """The class and outline of a group's mark: filled where the group was confirmed, else a ring."""
    kind = "in" if group["grouped"] else "out"
    return f'class="{kind} {colour(group["cause"])}" d="{outline(group["cause"], x, y, r)}"'


def _dot(point: Mapping[str, Any], number: int, group: Mapping[str, Any]) -> str:
    title = escape(f"{point['id']} · {group['cause']} · {group['label']}")
    x, y = 210 + point["x"] * 195, 150 - point["y"] * 136
    return f'<path {_mark(group, x, y, 6)} data-group="{number}"><title>{title}</title></path>'


def _chip(number: int, group: Mapping[str, Any]) -> str:
    said = f"{group['cause']} · {group['label']} ({group['size']})"
    key = f"<path {_mark(group, 7, 7, 4.5)}/>"
    drawn = f'<svg viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">{key}</svg>'
    return f'<button type="button" data-group="{number}">{drawn} {escape(said)}</button>'


def cluster_table(run: Run) -> str:
    rows = [
        [
            f"{one['axis']}: {one['cause']}",
            one["label"],
            words.SIZE_OF.format(size=one["size"], of=one["of"]),
            ", ".join(f"{name} {count}" for name, count in list(one["slices"].items())[:4]) or None,
            " · ".join(example["question"] for example in one["examples"]),
            one["advice"],
        ]
        for one in run["clusters"]
    ]
    return table(words.CLUSTER_HEADERS, rows, numeric=[2]) if rows else ""


# --- questions


def filters(run: Run) -> list[tuple[str, str]]:
    """(label, value) of what the rows can be narrowed to: every cause and every group."""
    causes = {
        f"{axis}: {name}": f"cause|{axis}|{name}"
        for axis in AXES
        for name in CAUSES
        if run["causes"].get(axis, {}).get(name)
    }
    numbered = list(enumerate(run["clusters"]))
    groups = [(_named(words.GROUP, number, one), f"group|{number}") for number, one in numbered if one["grouped"]]
    rest = [(_named(words.REST, number, one), f"group|{number}") for number, one in numbered if not one["grouped"]]
    return [(words.ALL_QUESTIONS, "all"), *causes.items(), *groups, *rest]


def _named(form: str, number: int, group: Mapping[str, Any]) -> str:
    return form.format(number=number + 1, what=f"{group['axis']}: {group['cause']} · {group['label']}")


def chosen_rows(run: Run, wanted: str) -> list[Mapping[str, Any]]:
    kind, *rest = wanted.split("|")
    if kind == "cause":
        return [row for row in run["rows"] if row["cause"].get(rest[0]) == rest[1]]
    if kind == "group" and int(rest[0]) < len(run["clusters"]):
        ids = set(run["clusters"][int(rest[0])]["ids"])
        return [row for row in run["rows"] if row["id"] in ids]
    return list(run["rows"])


def row_values(run: Run, wanted: str) -> list[list[str]]:
    held = run["decision"]["held"]
    return [
        [
            str(row["id"]),
            row["question"],
            words.OR.join(row["expected"]) or words.A_REFUSAL,
            (row["answers"].get(held) or {}).get("text", ""),
            row["cause"].get("content", "–"),
            row["cause"].get("behaviour", "–"),
        ]
        for row in chosen_rows(run, wanted)
    ]


def telling(rows: Sequence[Mapping[str, Any]], held: str) -> Mapping[str, Any] | None:
    """The row to open first: a failure of base that what is held repairs, else any failure, else the first row."""
    failed = [row for row in rows if any(cause != "solved" for cause in row["cause"].values())]
    repaired = [row for row in failed if (row["answers"].get(held) or {}).get("content") and held != "base"]
    return next(iter([*repaired, *failed, *rows]), None)


def row_card(run: Run, row: Mapping[str, Any], passages: Sequence[tuple[str, str]] = ()) -> str:
    """One question: expected, causes, passages (name, text), and every arm's answer, differences from base marked."""
    base = (row["answers"].get("base") or {}).get("text", "")
    answers = "".join(
        _answer(arm, row["answers"][arm], base, row["expected"]) for arm in ORDER if arm in row["answers"]
    )
    expected = words.OR.join(row["expected"]) or words.REFUSAL_EXPECTED
    causes = "".join(_cause(axis, name, row) for axis, name in row["cause"].items())
    suspect = (run.get("suspects") or {}).get(str(row["id"]))
    doubt = f'<p class="ft-bad">{_doubt(suspect)}</p>' if suspect else ""
    return (
        f'<div class="ft-card"><p class="ft-q">{escape(row["question"])}</p>'
        f"<p>{words.EXPECTED} <b>{escape(expected)}</b></p>"
        f'<ul class="ft-list">{causes}</ul>{doubt}{_place(row)}{answers}{_passages(passages, row["evidence"])}</div>'
    )


def _cause(axis: str, name: str, row: Mapping[str, Any]) -> str:
    known = row.get("retrieved") if axis == "content" else None
    return f"<li>{axis}: <b>{escape(name)}</b> – {escape(advice(name, known))}</li>"


def _doubt(suspect: Mapping[str, Any]) -> str:
    named = ", ".join(suspect["arms"])
    return escape(words.DOUBT.format(arms=named, answer=suspect["answer"]))


def _place(row: Mapping[str, Any]) -> str:
    place = row.get("evidence_place")
    if not place:
        return ""
    return f'<p class="ft-note">{words.EVIDENCE.format(place=escape(place_sentence(place)))}</p>'


def _answer(arm: str, said: Mapping[str, Any], base: str, expected: Sequence[str]) -> str:
    text = difference(base if arm != "base" else said["text"], said["text"], expected)
    why = "; ".join(f"{axis}: {said['why'][axis]}" for axis in AXES if said["why"].get(axis))
    scores = said.get("scores") or {}
    numbers = ", ".join(
        f"{name} {scores[key]:.2f}" for key, name in words.SCORES.items() if scores.get(key) is not None
    )
    tokens = words.TOKENS.format(tokens=said["tokens"])
    judge = said.get("judge") or {}
    judged = f" {verdict_mark(judge['right'], words.JUDGE)}" if judge else ""
    if judge:
        why += f"; {words.JUDGE_SAYS.format(**judge)}"
    marks = f"{verdict_mark(said['content'], words.CONTENT)} {verdict_mark(said['behaviour'], words.BEHAVIOUR)}{judged}"
    return (
        f'<div class="ft-answer"><div class="h"><b>{arm}</b> {marks} <span class="ft-mute">{tokens}'
        f"{', ' + numbers if numbers else ''}</span></div><div>{text or f'<i>{words.NO_ANSWER}</i>'}</div>"
        f'<p class="ft-note">{escape(why)}</p></div>'
    )


def difference(base: str, text: str, expected: Sequence[str] = ()) -> Safe:
    """The text with what base does not say underlined, and what was expected marked.

    Nothing is underlined where hardly a word is shared: then all of it differs.
    """
    from difflib import SequenceMatcher

    one, two = base.split(), text.split()
    compared = SequenceMatcher(None, one, two, autojunk=False)
    alike = compared.ratio() >= ALIKE
    parts = []
    for kind, _, _, start, end in compared.get_opcodes():
        words = marked_facts(" ".join(two[start:end]), expected)
        parts += [f"<ins>{words}</ins>" if alike and kind != "equal" else words] if words else []
    return Safe(" ".join(parts))


def marked_facts(text: str, expected: Sequence[str]) -> str:
    """Escaped text in which every expected answer that stands there word for word is marked."""
    found = [one for one in sorted(expected, key=len, reverse=True) if one.strip()]
    if not found:
        return escape(text)
    pieces = re.split(f"({'|'.join(map(re.escape, found))})", text, flags=re.IGNORECASE)
    return "".join(
        f"<mark>{escape(piece)}</mark>" if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )


def _passages(passages: Sequence[tuple[str, str]], evidence: Sequence[str]) -> str:
    if not passages:
        return ""
    shown = []
    for name, text in passages:
        body = escape(text)
        for piece in evidence:
            body = body.replace(escape(piece), f"<mark>{escape(piece)}</mark>")
        shown.append(f'<div class="ft-source"><b>{escape(name)}</b><br>{body}</div>')
    return f"<details open><summary>{words.PASSAGES.format(count=len(shown))}</summary>{''.join(shown)}</details>"
