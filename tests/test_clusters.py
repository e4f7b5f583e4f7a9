"""Groups of alike failures: found where they were planted, and not found in noise."""

import json
import random

import pytest

from ftrag.evaluation import clusters
from ftrag.evaluation.shopping import locate, ordinal, shopping

TOPICS = {
    "deposits": ["deposit", "damage", "hull", "scratch", "refund", "boat"],
    "fobs": ["fob", "pairing", "button", "battery", "pillar", "blink"],
    "dogs": ["dog", "luggage", "bicycle", "pike", "leash", "deck"],
}
FILLER = ["tell", "much", "when", "would", "need", "if", "on", "saturday", "with", "my", "friends", "about", "does"]
VOCABULARY = [a + b for a in ("ba", "de", "fi", "go", "ku", "la", "me", "no") for b in ("ran", "ten", "mil", "sop")]


def planted(per_topic, seed=0, cause="retrieval bound", topics=TOPICS):
    rng = random.Random(seed)
    return [
        {
            "id": f"{topic}{i}",
            "question": " ".join(rng.sample(words, 4) + rng.sample(FILLER, 3)),
            "answer": "I do not know",
            "slice": topic,
            "cause": cause,
        }
        for topic, words in topics.items()
        for i in range(per_topic)
    ]


def noise(n, seed):
    rng = random.Random(seed)
    return [
        {"id": i, "question": " ".join(rng.sample(VOCABULARY, 8)), "answer": "", "cause": "unresolved"}
        for i in range(n)
    ]


def test_planted_topics_are_found_and_named_by_their_words():
    found = [one for one in clusters.cluster(planted(10)) if one["grouped"]]
    assert len(found) == 3
    for one in found:
        (topic,) = one["slices"]
        assert one["size"] >= 8 and one["of"] == 30
        assert set(one["label"].split(", ")) <= set(TOPICS[topic])
        assert len(one["examples"]) == 3 and {example["id"] for example in one["examples"]} <= set(one["ids"])


def test_one_topic_is_not_split_for_the_sake_of_it():
    (one,) = clusters.cluster(planted(24, topics={"dogs": TOPICS["dogs"]}))
    assert not one["grouped"] and one["size"] == 24


def test_noise_is_hardly_ever_dressed_up_as_a_group():
    dressed = sum(any(one["grouped"] for one in clusters.cluster(noise(24, seed))) for seed in range(12))
    assert dressed <= 1


def test_what_only_lies_apart_from_a_few_outliers_is_no_group():
    rng = random.Random(0)
    sparse = [f"{rng.choice('abcdefghij')}{rng.randrange(3000)}" for _ in range(8 * 80)]  # hardly a word twice
    rows = [
        {"id": i, "question": " ".join(sparse[8 * i : 8 * i + 8]), "answer": "", "cause": "unresolved"}
        for i in range(80)
    ]
    assert max((one["size"] for one in clusters.cluster(rows) if one["grouped"]), default=0) < 8


def test_without_groups_an_over_represented_slice_is_named():
    rows = [row | {"slice": "unanswerable" if row["id"] < 5 else "fees"} for row in noise(40, 0)]
    rows = [row | {"cause": "unresolved" if row["id"] < 6 else "retrieval bound"} for row in rows]
    labels = {one["cause"]: one["label"] for one in clusters.cluster(rows) if not one["grouped"]}
    assert labels["unresolved"] == "mostly unanswerable"  # 5 of 6, where 5 of 40 are expected everywhere
    assert clusters.cluster(noise(4, 0))[0]["label"] == "too few to group"


def test_embeddings_are_used_where_they_are_given():
    import numpy as np

    rows = noise(30, 3)

    def embed(texts):
        near = np.random.default_rng(0).normal(scale=0.05, size=(len(texts), 16))
        near[np.arange(len(texts)), np.arange(len(texts)) % 2] += 1
        return near

    found = [one for one in clusters.cluster(rows, embed) if one["grouped"]]
    assert [one["size"] for one in found] == [15, 15]
    assert {i % 2 for i in found[0]["ids"]} != {i % 2 for i in found[1]["ids"]}


def test_causes_and_axes_are_kept_apart_and_every_failure_is_somewhere_once():
    rows = planted(6) + [row | {"axis": "behaviour", "cause": "behaviour"} for row in planted(6, seed=1)]
    found = clusters.cluster(rows)
    assert [one["axis"] for one in found] == sorted((one["axis"] for one in found), reverse=True)
    assert sorted(i for one in found for i in one["ids"]) == sorted(row["id"] for row in rows)
    assert {one["cause"] for one in found if one["axis"] == "behaviour"} == {"behaviour"}


def test_the_same_failures_give_the_same_bytes_and_points_in_the_unit_square():
    rows = planted(8)
    once, again = clusters.cluster(rows), clusters.cluster(rows)
    assert json.dumps(once) == json.dumps(again)
    points = [point for one in once for point in one["points"]]
    assert len(points) == len(rows)
    assert max(abs(point[axis]) for point in points for axis in "xy") == 1.0


@pytest.mark.parametrize("n", [0, 1, 2, 11])
def test_a_handful_is_listed_and_not_grouped(n):
    found = clusters.cluster(noise(n, 0))
    assert [one["size"] for one in found] == ([n] if n else [])
    assert not any(one["grouped"] for one in found)


@pytest.mark.parametrize("question", ["", "the of and", "同じ", "x" * 5000])
def test_equal_and_empty_questions_do_not_break_it(question):
    rows = [{"id": i, "question": question, "answer": None, "cause": "unresolved"} for i in range(12)]
    (one,) = clusters.cluster(rows)
    assert one["size"] == 12


def test_behaviour_asks_for_examples():
    rows = [row | {"cause": "behaviour", "axis": "behaviour"} for row in planted(10)]
    assert all("write about 5" in one["advice"] for one in clusters.cluster(rows) if one["size"] == 10)
    assert clusters.examples_wanted(1) == 20 and clusters.examples_wanted(10) == 50
    assert clusters.examples_wanted(500) == 100


DOCUMENTS = {
    "fees.md": "A fob costs 16 euros.\nA lost fob costs\n12 euros.",
    "dogs.md": "Dogs are welcome on the Pike.",
}
RANKED = [
    ("dogs.md", "Dogs are welcome on the Pike."),
    ("fees.md", "A fob costs 16 euros.\nA lost fob costs"),
    ("fees.md", "12 euros."),
]


@pytest.mark.parametrize(
    "evidence, state, document, rank",
    [
        ("Cats are not.", "missing", None, None),
        ("A lost fob costs 12 euros.", "cut", "fees.md", None),  # across two chunks
        ("A fob costs 16 euros.", "ranked", "fees.md", 2),
        ("dogs are  welcome", "shown", "dogs.md", 1),
        ("dogs.md", "shown", "dogs.md", 1),
        ("fees.md", "ranked", "fees.md", 2),
    ],
)
def test_evidence_is_located_on_its_way_into_the_prompt(evidence, state, document, rank):
    assert locate(evidence, DOCUMENTS, RANKED, k=1) == {"state": state, "document": document, "rank": rank}


def test_the_shopping_list_names_topics_documents_and_ranks():
    rows = [
        {"question": "May I bring a cat?", "evidence": {"state": "missing", "document": None, "rank": None}},
        {"question": "A lost fob?", "evidence": {"state": "cut", "document": "fees.md", "rank": None}},
        {"question": "A fob?", "evidence": {"state": "ranked", "document": "fees.md", "rank": 14}},
        {"question": "A dog?", "evidence": {"state": "shown", "document": "dogs.md", "rank": 1}},
        {"question": "Not known"},
    ]
    said = shopping(rows)
    assert "“May I bring a cat?”" in said[0]
    assert "lost the fact in fees.md" in said[1]
    assert "ranks the evidence 14th in fees.md" in said[2]
    assert len(said) == 4
    (one,) = clusters.cluster([row | {"id": i, "cause": "retrieval bound"} for i, row in enumerate(rows)])
    assert all(sentence in one["advice"] for sentence in said)


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th"
    ]  # fmt: skip
