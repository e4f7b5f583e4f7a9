"""What would change the verdict: the smallest sets of answers that lead to another route, found by trying them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from ftrag.decision.answers import Answer
from ftrag.decision.questions import QUESTIONS
from ftrag.decision.rows import Option, Question
from ftrag.decision.scoring import UNKNOWN, Tally, add, route_of, tally_of

SHOWN = 6  # sets listed for each route, the least far-reaching first

Change = tuple[Question, Option, int]  # question, new option, how many options away from the present answer


def would_change(given: Mapping[str, Answer], route: str) -> list[dict[str, Any]]:
    """For each other route the smallest sets of changed or added answers that lead to it; at most two answers each.

    Rows {route, changes: [{factor, from, to}], text}. Every single change is tried, and every pair for a route that
    no single change reaches; what needs three or more answers is left out.
    """
    found: dict[str, list[tuple[Change, ...]]] = {}
    for size in (1, 2):
        reached = set(found)
        for other, changes in _flips(given, route, size):
            if other not in reached:
                found.setdefault(other, []).append(changes)
    rows = []
    for other in ("prompt", "rag", "fine-tune", "both"):
        nearest = sorted(found.get(other, []), key=lambda changes: sum(change[2] for change in changes))
        rows += [_row(given, other, changes) for changes in _one_per_question(nearest)[:SHOWN]]
    return rows


def _flips(given: Mapping[str, Answer], route: str, size: int) -> list[tuple[str, tuple[Change, ...]]]:
    tallies = {answer.question.key: tally_of(answer.question, answer.option) for answer in given.values()}
    options = {question.key: _changes(given, question) for question in QUESTIONS}
    moved = {key: [(change, tally_of(change[0], change[1])) for change in rows] for key, rows in options.items()}
    found = []
    for keys in combinations(moved, size):
        rest = add(tally for key, tally in tallies.items() if key not in keys)
        for changes, tally in _sums(rest, [moved[key] for key in keys]):
            other = route_of(tally)
            if other not in (route, UNKNOWN):
                found.append((other, changes))
    return found


def _sums(rest: Tally, choices: list[list[tuple[Change, Tally]]]) -> list[tuple[tuple[Change, ...], Tally]]:
    """Every combination of one change per question, added to the answers that stay."""
    sums: list[tuple[tuple[Change, ...], Tally]] = [((), rest)]
    for rows in choices:
        sums = [((*done, change), _plus(total, tally)) for done, total in sums for change, tally in rows]
    return sums


def _plus(a: Tally, b: Tally) -> Tally:
    (p, r, f), (q, s, g) = a.points, b.points
    return Tally((p + q, r + s, f + g), a.bits | b.bits)


def _changes(given: Mapping[str, Answer], question: Question) -> list[Change]:
    ids = [option.id for option in question.options]
    if question.key not in given:
        return [(question, option, 1) for option in question.options]
    now = ids.index(given[question.key].option.id)
    return [(question, option, abs(i - now)) for i, option in enumerate(question.options) if i != now]


def _one_per_question(flips: list[tuple[Change, ...]]) -> list[tuple[Change, ...]]:
    """Of several answers to the same questions only the nearest: "monthly" is enough, "daily" says no more."""
    kept: dict[tuple[str, ...], tuple[Change, ...]] = {}
    for changes in flips:
        kept.setdefault(tuple(question.key for question, _, _ in changes), changes)
    return list(kept.values())


def _row(given: Mapping[str, Answer], route: str, changes: tuple[Change, ...]) -> dict[str, Any]:
    rows = [
        {
            "factor": question.key,
            "from": given[question.key].text if question.key in given else None,
            "to": option.sample or option.id,
        }
        for question, option, _ in changes
    ]
    said = [_said(given, question, option) for question, option, _ in changes]
    return {"route": route, "changes": rows, "text": f"{' and '.join(said)}: {route}"}


def _said(given: Mapping[str, Answer], question: Question, option: Option) -> str:
    now = f", not '{given[question.key].option.label}'" if question.key in given else " (not answered yet)"
    return f"{question.text} '{option.label}'{now}"
