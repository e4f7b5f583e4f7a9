"""Do the arms agree with each other against the gold answer? Then the gold answer is the first suspect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrag.evaluation.arms import ARMS
from ftrag.evaluation.metrics import STOP_WORDS, token_f1
from ftrag.evaluation.refusals import declines
from ftrag.evaluation.values import atoms

SAME = 0.6  # token F1 from which two answers without values say the same
SUPPORTED = 0.5  # share of an answer's sentences that its passages must support


def arms_agree_against_gold(rows: Sequence[Mapping[str, Any]]) -> dict[str | int, dict[str, Any]]:
    """Questions that every arm gets wrong in the same way, read from passages: id -> {arms, answer}.

    At least two arms with passages must say the same, and be most of those that answered from passages which support
    them. rows: as runner.run yields them.
    """
    by_id: dict[str | int, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_id.setdefault(row["id"], []).append(row)
    found = {}
    for id_, answers in by_id.items():
        if any(row["content"] for row in answers):
            continue
        readers = [row for row in answers if ARMS[row["arm"]].context != "none" and row["content"] is False]
        agreeing = _largest([row for row in readers if not declines(row["answer"])])
        if len(agreeing) >= 2 and 2 * len(agreeing) > len(readers):
            found[id_] = {"arms": [row["arm"] for row in agreeing], "answer": agreeing[0]["answer"]}
    return found


def _largest(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The largest group of supported answers that say what its first says."""
    supported = [row for row in rows if (row["scores"].get("faithfulness") or 0.0) >= SUPPORTED]
    groups = [[other for other in supported if _same(row["answer"], other["answer"])] for row in supported]
    return max(groups, key=len, default=[])


def _same(one: str, other: str) -> bool:
    values = [frozenset(reading for atom in atoms(text) for reading in atom.readings) for text in (one, other)]
    if any(values):
        return bool(values[0] & values[1])
    return token_f1(one, other, STOP_WORDS) >= SAME
