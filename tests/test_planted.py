"""Planted faults come out as the causes they are, with real retrieval, prompts, scores and attribution."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import planted_faults
from ftrag.evaluation.consensus import arms_agree_against_gold


@pytest.fixture(scope="module")
def planted() -> planted_faults.Planted:
    return planted_faults.plant()


def test_every_fault_is_planted_several_times(planted: planted_faults.Planted) -> None:
    faults = list(planted.fault.values())
    assert len(faults) >= 60
    assert all(faults.count(fault) >= 5 for fault in planted_faults.FAULTS)


def test_no_chunk_holds_an_answer_that_was_cut(planted: planted_faults.Planted) -> None:
    cut = [row for row in planted.gold if planted.fault[row.id] == "cut" and row.answers[0] in row.evidence[0]]
    assert len(cut) >= 5
    for row in cut:
        document = next(one for one in planted.documents if row.evidence[0] in one.text)
        start = document.text.index(row.evidence[0]) + row.evidence[0].index(row.answers[0])
        starts = [chunk.start for chunk in planted.chunks if chunk.document == document.name]
        assert any(start < border < start + len(row.answers[0]) for border in starts)


def test_what_was_not_planted_stands_beside_the_count(planted: planted_faults.Planted) -> None:
    few = planted_faults.few(planted, 1)
    script, counted = planted_faults.scripted(few), [one for one in planted_faults.FAULTS if one != "unreadable"]
    result = planted_faults.measure(few, script, ("base", "base+rag", "base+oracle"), None, counted)
    assert (result["right"], result["n"]) == (5, 5) and result["matrix"]["unreadable"] == {"unresolved": 1}
    row = next(row for row in result["rows"] if row["planted"] == "none")
    assert row["found"] == "retrieval fixes" and row["arms"]["base+rag"]["content"] is True


@pytest.mark.parametrize(("arms", "adapter"), [(planted_faults.TRAINED, "planted"), (planted_faults.UNTRAINED, None)])
def test_at_least_nine_in_ten_are_found(planted: planted_faults.Planted, arms: Any, adapter: str | None) -> None:
    result = planted_faults.measure(planted, planted_faults.scripted(planted), arms, adapter)
    assert result["right"] / result["n"] >= 0.9
    column = 1 if adapter else 2
    for fault, causes in planted_faults.EXPECTED.items():
        assert max(result["matrix"][fault], key=result["matrix"][fault].get) == causes[column]


def test_only_a_missing_passage_blames_the_retriever_and_only_wrong_gold_is_flagged(
    planted: planted_faults.Planted,
) -> None:
    result = planted_faults.measure(planted, planted_faults.scripted(planted), planted_faults.UNTRAINED, None)
    for fault, (found, asked) in result["retrieved"].items():
        assert found == 0 if fault in {"deleted", "cut"} else found >= 0.9 * asked
    wrong = sum(fault == "wrong gold" for fault in planted.fault.values())
    assert result["flagged"] == {fault: wrong if fault == "wrong gold" else 0 for fault in planted_faults.FAULTS}


def row(arm: str, answer: str, content: bool | None = False, faithfulness: float | None = 1.0) -> dict[str, Any]:
    return {"id": "q", "arm": arm, "answer": answer, "content": content, "scores": {"faithfulness": faithfulness}}


@pytest.mark.parametrize(
    ("rows", "flagged"),
    [
        ([row("base", "No."), row("base+rag", "It is €5."), row("base+oracle", "That costs 5 euros.")], True),
        ([row("base+rag", "It is €5."), row("base+oracle", "It is €7.")], False),  # they disagree
        ([row("base+rag", "It is €5."), row("base+oracle", "It is €5.", content=True)], False),  # one is right
        ([row("base", "It is €5."), row("lora", "It is €5.")], False),  # nobody read a passage
        ([row("base+rag", "It is €5.", faithfulness=0.0), row("base+oracle", "It is €5.", faithfulness=0.0)], False),
        ([row("base+rag", "I don't know."), row("base+oracle", "I don't know.")], False),
    ],
)
def test_arms_agree_against_gold(rows: list[dict[str, Any]], flagged: bool) -> None:
    assert ("q" in arms_agree_against_gold(rows)) is flagged
