"""The capability classifier: words, negation, unclear, meaning, and what feeds the questionnaire."""

import hashlib

import numpy as np
import pytest

from ftrag.decision.classify import NOTICE, TYPES, classify, fitted, overall, type_of
from ftrag.decision.indicators import INDICATORS, read
from ftrag.decision.prototypes import prototypes
from ftrag.errors import InputError


def bag_of_words(texts):
    """A small real embedding: hashed counts of words, so that shared words mean closeness."""
    rows = np.zeros((len(texts), 512))
    for row, text in zip(rows, texts, strict=True):
        for word in text.lower().split():
            row[int(hashlib.sha256(word.encode()).hexdigest(), 16) % 512] += 1
    return rows


def types(*lines, embed=None):
    return [row["type"] for row in classify(lines, embed)]


@pytest.mark.parametrize(
    ("capability", "kind"),
    [
        ("Answers must quote the clause", "retrieval"),
        ("Prices that change daily", "retrieval"),
        ("Always sound like our brand", "finetuning"),
        ("Emit valid FHIR", "finetuning"),
        ("Cite the current rate in our house style", "both"),
        ("Be helpful", "unclear"),
    ],
)
def test_words_decide_without_an_embedding(capability, kind):
    row = classify([capability], None)[0]
    assert row["type"] == kind and row["notice"] == NOTICE and row["reason"].endswith(".")


@pytest.mark.parametrize(
    "capability",
    [
        "No need for citations",
        "It doesn't need to cite anything",
        "Citations are not required",
        "The tone does not matter",
        "Without any citations",
        "Style isn't important",
        "Prices never change",
    ],
)
@pytest.mark.parametrize("embed", [None, bag_of_words])
def test_negated_needs_are_unclear(capability, embed):
    row = classify([capability], embed)[0]
    assert row["type"] == "unclear" and row["evidence"] == []


def test_a_negation_takes_back_only_its_own_part():
    row = classify(["Always sound like our brand, no need for citations"], None)[0]
    assert row["type"] == "finetuning" and "negated" in row["reason"]
    assert types("Never use slang in the reply format") == ["finetuning"]  # a rule, not a missing need


def test_no_evidence_is_unclear_and_one_axis_each():
    assert [type_of({"facts": f, "behaviour": b}) for f, b in ((0, 0), (1, 0), (0, 1), (1, 1))] == [
        "unclear",
        "retrieval",
        "finetuning",
        "both",
    ]


def test_meaning_reproduces_its_prototypes_and_says_which_is_nearest():
    rows = [row for row in prototypes() if row[1] in ("retrieval", "finetuning")]
    found = classify([text for text, _ in rows], bag_of_words)
    right = sum(row["type"] == kind for row, (_, kind) in zip(found, rows, strict=True))
    assert right / len(rows) > 0.8
    assert "closest to" in " ".join(row["reason"] for row in found)
    assert fitted(bag_of_words) is fitted(bag_of_words)  # prototypes are embedded once


def test_prototypes_and_indicators_are_distinct_and_cover_all_types():
    texts = [text for text, _ in prototypes()]
    assert len(set(texts)) == len(texts) and {kind for _, kind in prototypes()} == set(TYPES)
    assert {row.axis for row in INDICATORS} == {"facts", "behaviour"}


def test_pasted_lists_lose_their_bullets_and_blank_lines():
    rows = classify(["- Quote the clause", "", "2. Emit JSON", "* "], None)
    assert [row["capability"] for row in rows] == ["Quote the clause", "Emit JSON"]


def test_overall_feeds_the_questionnaire_after_correction_by_hand():
    rows = classify(["Answers must cite the page", "Prices change daily", "Emit JSON", "Be nice"], None)
    assert overall(rows) == {
        "problem": "both",  # 2 of 3 clear rows need facts, 1 of 3 behaviour
        "needs-citations": "true",
        "knowledge-changes": "daily",
        "style-requirements": "high",
    }
    by_hand = [{**row, "type": "unclear"} if row["type"] == "finetuning" else row for row in rows]
    assert overall(by_hand)["problem"] == "knowledge" and "style-requirements" not in overall(by_hand)
    assert overall(classify(["Be nice"], None)) == {}


@pytest.mark.parametrize("lines", [[], ["", "  "], ["x" * 3000], ["word"] * 501])
def test_nothing_or_too_much_is_refused(lines):
    with pytest.raises(InputError):
        classify(lines, None)


def test_a_reading_keeps_the_rest_for_the_embedding():
    assert read("Quote the clause, the tone does not matter").text == "quote the clause"
