"""Why a question fails: the arm that repairs it is its cause. The table of the README, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftrag.errors import InputError
from ftrag.evaluation.arms import ARMS, AXES
from ftrag.text import words
from ftrag.types import Verdict

Right = Mapping[str, bool]  # arm -> right; an arm that was not run, or could not be scored, is absent


@dataclass(frozen=True)
class Rule:
    cause: str
    right: tuple[str, ...]  # arms that must be right
    wrong: tuple[str, ...] = ()  # arms that must have been run and be wrong
    absent: tuple[str, ...] = ()  # arms that must not have been run
    advice: str = ""


# The first row that holds names the cause: repairs that can be deployed come before diagnoses.
RULES = (
    Rule("solved", ("base",), advice="nothing to repair"),
    Rule("prompt", ("prompt",), advice="a few examples in the prompt repair it: no training, no index"),
    Rule(
        "suspect evidence",
        ("base+rag",),
        wrong=("base+oracle",),
        advice="right with retrieved passages, wrong with the gold ones: check this row's evidence and answers",
    ),
    Rule("retrieval fixes", ("base+rag",), advice="retrieval repairs it: index these documents"),
    Rule(
        "prompted retrieval", ("prompt+rag",), advice="retrieval repairs it once the prompt shows how to use passages"
    ),
    Rule("behaviour", ("lora",), advice="fine-tuning repairs it: write more examples of this shape"),
    Rule("reading", ("lora+rag",), advice="retrieval finds it, but only the tuned model reads it: do both"),
    Rule(
        "retrieval bound",
        ("base+oracle",),
        wrong=("base+rag",),
        advice="the model answers from the right passage alone, and not from those it got",
    ),
    Rule(
        "retrieval untested",
        ("base+oracle",),
        absent=("base+rag",),
        advice="the right passage repairs it; base+rag was not run or has no verdict: run it",
    ),
    Rule(
        "reading", ("lora+oracle",), advice="only the tuned model reads the right passage: tune, and fix the retriever"
    ),
)
UNRESOLVED = "unresolved"
ADVICE = {rule.cause: rule.advice for rule in reversed(RULES)} | {
    UNRESOLVED: "no arm repairs it: a larger model, or a wrong gold answer"
}
FOUND = {  # of a retrieval-bound question: whether retrieval found the evidence -> what to do
    False: "the right passage, which the model could read, was not retrieved: add the document or fix the retriever",
    True: "the right passage was retrieved, and the model reads it only when it stands alone: show it fewer or shorter "
    "passages, or train it with passages; a better retriever changes nothing",
}
CAUSES = tuple(dict.fromkeys([rule.cause for rule in RULES] + [UNRESOLVED]))


def cause(right: Right) -> str:
    """The cause of one question on one axis. `right` must hold a verdict for base."""
    for rule in RULES:
        if (
            all(right.get(arm) is True for arm in rule.right)
            and all(right.get(arm) is False for arm in rule.wrong)
            and not any(arm in right for arm in rule.absent)
        ):
            return rule.cause
    return UNRESOLVED


def advice(name: str, retrieved: bool | None = None) -> str:
    """What to do about a question of this cause; "" for an unknown one. Only retrieved False blames the retriever."""
    if name == "retrieval bound" and retrieved is not None:
        return FOUND[retrieved]
    return ADVICE.get(name, "")


def by_question(verdicts: Iterable[Verdict], axis: str) -> dict[str | int, dict[str, bool]]:
    """id -> arm -> right, ids in the order in which they first appear; unscored answers are left out."""
    table: dict[str | int, dict[str, bool]] = {}
    for verdict in verdicts:
        arms = table.setdefault(verdict.id, {})
        if (value := axis_value(verdict, axis)) is not None:
            arms[verdict.arm] = value
    return table


def axis_value(verdict: Verdict, axis: str) -> bool | None:
    """content, behaviour, or both: content and behaviour where the two exist."""
    if axis != "both":
        return verdict.content if axis == "content" else verdict.behaviour
    if verdict.content is None or verdict.behaviour is None:
        return None
    return verdict.content and verdict.behaviour


def attribute(verdicts: Sequence[Verdict], retrieved: Mapping[str | int, bool] | None = None) -> dict[str, Any]:
    """{causes, regressions, excluded, unscored, rows}: causes per axis, regressions per arm, each question's causes.

    excluded: questions without a base row. unscored: questions per axis whose base answer could not be scored, so that
    they have no cause; an axis without verdicts is left out.
    retrieved: where gold evidence is known, whether retrieval found it; kept on retrieval-bound rows, since only false
    blames the retriever. Raises InputError when no question has a base row.
    """
    ids = list(dict.fromkeys(verdict.id for verdict in verdicts))
    with_base = {verdict.id for verdict in verdicts if verdict.arm == "base"}
    if not with_base:
        raise InputError("no row has the arm base, so nothing can be compared; add the base model's answers")
    kept = [verdict for verdict in verdicts if verdict.id in with_base]
    tables = {axis: by_question(kept, axis) for axis in AXES}
    causes = {axis: _causes(table) for axis, table in tables.items()}
    return {
        "causes": {axis: _counts(found) for axis, found in causes.items()},
        "regressions": _regressions(kept, tables),
        "excluded": len(ids) - len(with_base),
        "unscored": {
            axis: sum("base" not in right for right in table.values())
            for axis, table in tables.items()
            if any(table.values())
        },
        "rows": [_row(id_, causes, retrieved or {}) for id_ in ids if id_ in with_base],
    }


def _causes(table: Mapping[str | int, Right]) -> dict[str | int, str]:
    return {id_: cause(right) for id_, right in table.items() if "base" in right}


def _counts(found: Mapping[str | int, str]) -> dict[str, int]:
    """Zeros included; an axis without verdicts is empty."""
    named = list(found.values())
    return {name: named.count(name) for name in CAUSES} if named else {}


def _regressions(verdicts: Sequence[Verdict], tables: Mapping[str, Mapping[str | int, Right]]) -> dict[str, Any]:
    """Wrong under an arm where base is right, per arm that was run and axis that has verdicts."""
    run = {verdict.arm for verdict in verdicts}
    axes = [axis for axis in AXES if any(tables[axis].values())]
    return {
        arm: {
            axis: sum(right.get("base") is True and right.get(arm) is False for right in tables[axis].values())
            for axis in axes
        }
        for arm in ARMS
        if arm in run and arm != "base"
    }


def _row(id_: str | int, causes: Mapping[str, Mapping[str | int, str]], retrieved: Mapping[str | int, bool]) -> Any:
    row: dict[str, Any] = {"id": id_} | {axis: found[id_] for axis, found in causes.items() if id_ in found}
    if id_ in retrieved and "retrieval bound" in row.values():
        row["retrieved"] = retrieved[id_]
    return row


def agreement(answers: Mapping[str, str], least: int = 3) -> dict[str, Any] | None:
    """{answer, arms} of the largest group of arms that say the same, or None: for a question that no arm gets right, a
    sign that its gold answer is wrong.

    The same: equal sets of numbers, and a Jaccard overlap of the words of at least 0.7 with the answer that speaks for
    the group. At least three arms have to agree, and they have to be most of those that answered.
    """
    said = {arm: frozenset(words(text)) for arm, text in answers.items() if text.strip()}
    groups = [[other for other in said if _same(said[arm], said[other])] for arm in said]
    largest = max(groups, key=len, default=[])
    if len(largest) < least or 2 * len(largest) <= len(said):
        return None
    return {"answer": answers[largest[0]], "arms": largest}


def _same(a: frozenset[str], b: frozenset[str]) -> bool:
    def numbers(tokens: frozenset[str]) -> set[str]:
        return {token for token in tokens if any(character.isdigit() for character in token)}

    return numbers(a) == numbers(b) and len(a & b) >= 0.7 * len(a | b)
