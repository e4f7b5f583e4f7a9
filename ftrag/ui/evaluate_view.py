"""A run -> the pieces of the Evaluate tab, verdict first. Everything that a user or a model wrote is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ftrag.decision.wording import expected_sentence, gate_sentences, usd
from ftrag.decision.wording import percent as whole
from ftrag.evaluation.arms import ARMS, AXES
from ftrag.evaluation.attribution import ADVICE, CAUSES
from ftrag.evaluation.stats import wilson
from ftrag.ui import texts
from ftrag.ui.evaluate_tables import ORDER
from ftrag.ui.texts import evaluate as words
from ftrag.ui.view import Safe, data_link, percent, table

Run = Mapping[str, Any]
REASONS = 3  # that are read at once; the rest unfolds


def marked(text: str) -> Safe:
    """Escaped text in which `this` is code and **this** is bold."""
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return Safe(re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", coded))


def verdict_card(run: Run) -> str:
    decision = run["decision"]
    parts = [_warnings(run), f'<p class="ft-route">{escape(decision["sentence"])}</p>']
    parts += [two_by_two(run, decision["axis"]), _reasons(run["reasons"])]
    parts += [f"<p>{sentence}</p>" for sentence in (*_prior(run), *_gates(run), *_costs(run))]
    parts.append(_would_change(decision["would_change"]))
    parts.append(f'<p class="ft-note">{_facts(run)}</p>')
    if run.get("recorded"):
        said = texts.RECORDED.format(machine=run["machine"], created=run["created"][:10], command=run["reproduce"])
        parts.append(f'<p class="ft-note">{marked(said)}</p>')
    return f'<div class="ft-card">{"".join(parts)}</div>'


def _warnings(run: Run) -> str:
    if not run["stale"]:
        return ""
    return f'<p class="ft-bad" id="stale">{escape(texts.STALE.format(changed=", ".join(run["stale"])))}</p>'


def _reasons(reasons: Sequence[str]) -> str:
    """What decided is the last comparison and what follows it; the comparisons before unfold."""
    beaten = [reason for reason in reasons if " beats " in reason]
    shown = [*beaten, *(reason for reason in reasons if "beat" not in reason)][: REASONS + 2] or list(reasons[:REASONS])
    rest = [reason for reason in reasons if reason not in shown]
    more = (
        f"<details><summary>{words.ALL_COMPARISONS.format(count=len(rest))}</summary>{_list(rest)}</details>"
        if rest
        else ""
    )
    return _list(shown) + more


def _list(lines: Sequence[str]) -> str:
    return f'<ul class="ft-list">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def _prior(run: Run) -> list[str]:
    """The questionnaire, and what the example was built to show, against the evidence."""
    prior = run["decision"].get("prior")
    expected = expected_sentence(run.get("expected_route") or "", run["decision"]["route"])
    said = [(words.QUESTIONNAIRE, prior["sentence"] if prior else ""), (words.EXPECTED_ROUTE, expected)]
    return [f"<b>{name}:</b> {escape(sentence)}" for name, sentence in said if sentence]


def _gates(run: Run) -> list[str]:
    if not run["gates"]:
        return []
    return [f"<b>{words.GATES_SAY}:</b> {escape(' '.join(gate_sentences(run['gates'], run['decision'])))}"]


def _costs(run: Run) -> list[str]:
    rows = {row["arm"]: row for row in run.get("costs") or []}
    held = rows.get(run["decision"]["held"])
    if not held or held["arm"] == "base":
        return []
    more = held["usd_per_additional"]
    form = words.PER_ADDITIONAL if more and more > 0 else words.SAVED
    extra = "" if more is None else form.format(usd=usd(abs(more)))
    return [words.COST.format(arm=held["arm"], usd=usd(held["usd"]), base=usd(rows["base"]["usd"]), extra=extra)]


def _would_change(rows: Sequence[Mapping[str, str]]) -> str:
    if not rows:
        return ""
    lines = [f"{row['change'][0].upper()}{row['change'][1:]}: {row['why']}." for row in rows]
    return f"<details><summary>{words.WOULD_CHANGE.format(count=len(rows))}</summary>{_list(lines)}</details>"


def _facts(run: Run) -> str:
    unscored = sum((run.get("unscored") or {}).values())
    return words.FACTS.format(
        n=run["n"],
        effect=run["minimum_detectable_effect"] * 100,
        left_out=words.UNSCORED.format(count=unscored) if unscored else "",
        machine=escape(run["machine"]),
        created=escape(run["created"]),
    )


def two_by_two(run: Run, axis: str) -> str:
    """With and without retrieval, with and without LoRA: the question of the product in four cells."""
    arms = run["arms"]
    cells = {arm: arms[arm].get(axis) for arm in ("base", "base+rag", "lora", "lora+rag") if arm in arms}
    if len(cells) < 2:
        return ""
    best = max((value for value in cells.values() if value is not None), default=None)

    def one(arm: str) -> str:
        value = cells.get(arm)
        mark = ' class="best"' if value and value == best else ""
        return f'<div{mark}><b>{percent(value)}</b><span class="ft-mute">{arm}</span></div>'

    def head(said: str) -> str:
        return f'<div class="h">{said}</div>'

    top = "".join(map(head, (words.RIGHT_IN[axis], words.WITHOUT, words.WITH)))
    base = f"{head(words.BASE)}{one('base')}{one('base+rag')}"
    tuned = f"{head(words.TUNED)}{one('lora')}{one('lora+rag')}"
    return f'<div class="ft-2x2">{top}{base}{tuned}</div>{_interaction(run, axis)}'


def _interaction(run: Run, axis: str) -> str:
    value = (run.get("interaction") or {}).get(axis)
    if not value:
        return ""
    said = words.INTERACTION.format(
        points=abs(value["difference"]) * 100,
        verb=words.MORE if value["difference"] >= 0 else words.LESS,
        low=value["low"] * 100,
        high=value["high"] * 100,
        sure="" if value["low"] <= 0 <= value["high"] else words.SURE,
    )
    return f'<p class="ft-note">{said}</p>'


def bars(run: Run) -> str:
    """Two bars per arm with their intervals, arms in the order of their cost, diagnoses last."""
    rows = [_bar_row(arm, run["arms"][arm]) for arm in ORDER if arm in run["arms"]]
    legend = "".join(f'<span class="ft-key {axis}">{axis}</span>' for axis in AXES)
    head = f'<h3>{words.BARS}</h3><p class="ft-note">{legend} {words.BARS_NOTE}</p>'
    return f'{head}<div class="ft-bars">{"".join(rows)}</div>{data_link("arms", _bar_numbers(run))}'


def _bar_numbers(run: Run) -> list[dict[str, Any]]:
    found = []
    for arm, numbers in run["arms"].items():
        for axis in (axis for axis in AXES if numbers[axis] is not None):
            value, n = numbers[axis], numbers[f"{axis}_n"]
            low, high = wilson(round(value * n), n)
            found.append({"arm": arm, "axis": axis, "right": value, "low": low, "high": high, "questions": n})
    return found


def _bar_row(arm: str, numbers: Mapping[str, Any]) -> str:
    lines = [_bar(numbers[axis], numbers[f"{axis}_n"], axis) for axis in AXES if numbers[axis] is not None]
    return f'<div class="l" title="{escape(ARMS[arm].why)}">{arm}</div><div>{"".join(lines)}</div>'


def _bar(value: float, n: int, axis: str) -> str:
    low, high = wilson(round(value * n), n)
    return (
        f'<div class="b {axis}"><span class="t"><i style="width:{value * 100:.1f}%"></i>'
        f'<u style="left:{low * 100:.1f}%;width:{(high - low) * 100:.1f}%"></u></span><b>{whole(value)}</b></div>'
    )


def cause_table(run: Run) -> str:
    names = [name for name in CAUSES if any(counts.get(name) for counts in run["causes"].values())]
    rows = [[_cause(name), *(run["causes"][axis].get(name) for axis in AXES)] for name in names]
    wanted = run.get("shopping") or []
    get = f"<p><b>{words.TO_GET}</b></p>{_list(wanted)}" if wanted else ""
    listed = table([words.CAUSE_HEADER, words.CONTENT, words.BEHAVIOUR], rows, numeric=[1, 2])
    return f"<h3>{words.CAUSES}</h3>{listed}{_regressions(run)}{get}"


def _cause(name: str) -> Safe:
    return Safe(f'<b>{escape(name)}</b><br><span class="ft-mute">{escape(ADVICE[name])}</span>')


def _regressions(run: Run) -> str:
    broken = [
        f"{arm} ({', '.join(f'{count} {axis}' for axis, count in counts.items() if count)})"
        for arm, counts in run["regressions"].items()
        if any(counts.values())
    ]
    said = words.REGRESSIONS.format(broken=escape("; ".join(broken)))
    return f'<p class="ft-note">{said}</p>' if broken else ""


# --- before the run


def plan_card(plan: Mapping[str, Any]) -> str:
    """How long the chosen arms take and what so many questions can show."""
    needed = "; ".join(
        words.NEEDED.format(effect=row["effect"] * 100, questions=row["questions"])
        for row in plan["needed"]
        if row["questions"]
    )
    time = words.NO_ESTIMATE if plan["seconds"] is None else words.ABOUT.format(time=_minutes(plan["seconds"]))
    said = words.PLAN.format(
        arms=len(plan["arms"]),
        n=plan["n"],
        time=time,
        basis=escape(plan["basis"]),
        effect=plan["smallest_effect"] * 100,
        needed=needed,
        comparisons=plan["comparisons"],
    )
    alone = words.PLAN_ALONE if list(plan["arms"]) == ["base"] else ""
    return f'<p class="ft-note">{said}{alone}</p>'


def _minutes(seconds: float) -> str:
    short = seconds < 90
    return (words.SECONDS if short else words.MINUTES).format(value=seconds if short else seconds / 60)
