"""The capability classifier: words, negation, unclear, meaning, and what feeds the questionnaire."""

import importlib.util
import json

import numpy as np
import pytest

from ftrag import models
from ftrag.decision import weights
from ftrag.decision.classify import NOTICE, TYPES, classify, described, overall, type_of
from ftrag.decision.indicators import INDICATORS, read
from ftrag.decision.prototypes import prototypes
from ftrag.errors import InputError
from tests.conftest import ROOT


def silent(texts):
    """An embedding that says nothing, so that what the words add is seen alone."""
    return np.zeros((len(texts), weights.WIDTH))


def test_no_sentence_of_a_held_out_trade_takes_part_in_the_fit():
    found = importlib.util.spec_from_file_location("classify_benchmark", ROOT / "benchmarks" / "classify.py")
    benchmark = importlib.util.module_from_spec(found)
    found.loader.exec_module(benchmark)
    held = {row["trade"] for split in benchmark.HELD_OUT for row in benchmark.load(split)}
    fitted = benchmark.development()
    assert len(held) == 18 and not held & {row["trade"] for row in fitted}
    assert len({row["trade"] for row in fitted} - {""}) >= 75
    idf = benchmark.idf_of([read(row["capability"]).text for row in fitted])  # the shipped weights are of these rows
    assert list(json.loads(weights.FILE.read_text("utf-8"))["idf"]) == list(idf)


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
@pytest.mark.parametrize("embed", [None, silent])
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


@pytest.fixture(scope="module")
def embed():
    if not (models.cache() / "all-minilm-l6-v2" / "ftrag.json").is_file():
        pytest.skip("all-MiniLM-L6-v2 is not on this machine yet")
    return models.embedder()


@pytest.mark.parametrize(
    ("capability", "kind"),
    [
        ("Answers must quote the clause", "retrieval"),
        ("Prices move daily", "retrieval"),
        ("Tell the beekeeper which treatments the authority has withdrawn since spring", "retrieval"),
        ("Emit valid FHIR", "finetuning"),
        ("Talk to guests the way our head waiter does", "finetuning"),
        ("No need to look anything up, it only has to rhyme like our jingles", "finetuning"),
        ("The tone is up to you, but the dosage must come from the current leaflet", "retrieval"),
        ("Quote the current tariff in our house style", "both"),
        ("Make everybody happier at work", "unclear"),
    ],
)
def test_unseen_phrasing_with_the_real_embedding(embed, capability, kind):
    row = classify([capability], embed)[0]
    assert row["type"] == kind, row
    assert (row["decided_by"] in ("words", "meaning", "words and meaning")) == (kind != "unclear")


def test_the_reason_says_what_decided_and_which_prototype_is_nearest(embed):
    row = classify(["Cite the source document for every statement"], embed)[0]
    assert "decided by words" in row["reason"] and "closest to 'cite the source document" in row["reason"]
    assert any("cite" in word for word in row["evidence"])
    assert described(embed) is described(embed)  # prototypes are embedded once


def test_another_embedding_is_refused():
    with pytest.raises(InputError, match="384"):
        classify(["Quote the clause"], lambda texts: np.zeros((len(texts), 8)))


def test_a_chance_is_that_of_the_classes_with_the_need_and_words_are_their_mean_less_the_others():
    reading, fitted = read("Always cite the current price"), weights.model("words")
    weighed = weights.weigh([reading], None)[0]
    (row,) = weights.word_columns([reading], fitted.idf)
    odds = dict(zip(weights.KINDS, row @ fitted.slope + fitted.constant, strict=True))
    classes = {kind: np.exp(value) for kind, value in odds.items()}
    with_facts = classes["retrieval"] + classes["both"]
    assert weighed.chance["facts"] == pytest.approx(with_facts / sum(classes.values()))
    bare = dict(zip(weights.KINDS, row @ fitted.slope, strict=True))
    said = (bare["retrieval"] + bare["both"]) / 2 - (bare["finetuning"] + bare["unclear"]) / 2
    assert weighed.words["facts"] == pytest.approx(said)
    assert weighed.meaning == {"facts": 0.0, "behaviour": 0.0}


def test_the_stored_weights_fit_the_columns():
    stored = json.loads(weights.FILE.read_text("utf-8"))
    words = len(stored["idf"]) + len(INDICATORS) + 4
    assert weights.model("words").slope.shape == (words, len(weights.KINDS))
    assert weights.model("full").slope.shape == (words + 2 * weights.WIDTH, len(weights.KINDS))


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


@pytest.mark.parametrize(
    ("capability", "left"),
    [
        ("It need not sound like us, it has to quote the clause", "it has to quote the clause"),
        ("Not only the price, also our tone", "also our tone"),  # a demand, so nothing is lost
        ("A figure without its source is useless", "a figure with its source is useless"),
        ("Word it however you like, but name the page", "name the page"),
        ("There is nothing to look up, it has to fit our template", "it has to fit our template"),
    ],
)
def test_negations_take_back_a_clause_and_demands_do_not(capability, left):
    assert left in read(capability).text
