"""BM25: rank-bm25's scores to 1e-9, exact under change, nothing without a shared term."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftrag.errors import InputError
from ftrag.retrieval.bm25 import BM25
from ftrag.retrieval.reference import okapi
from ftrag.retrieval.terms import check_language, is_near, terms

Corpus = dict[str, list[list[str]]]


def corpus(size: int, seed: int, longest: int = 60) -> Corpus:
    """Documents of one to three chunks over a Zipf vocabulary, so that common and rare terms both occur."""
    rng = random.Random(seed)
    return {f"{i:05}": chunks(rng, longest) for i in range(size)}


def chunks(rng: random.Random, longest: int = 60) -> list[list[str]]:
    weights = [1 / (rank + 1) for rank in range(2000)]
    return [
        [f"t{rank}" for rank in rng.choices(range(2000), weights, k=rng.randint(1, longest))]
        for _ in range(rng.randint(1, 3))
    ]


def queries(seed: int, count: int = 500) -> list[list[str]]:
    rng = random.Random(seed)
    return [[f"t{int(2000 ** rng.random()) - 1}" for _ in range(rng.randint(1, 8))] for _ in range(count)]


def test_scores_equal_rank_bm25():
    documents = corpus(400, seed=1)
    rows = [row for name in sorted(documents) for row in documents[name]]
    places = {(name, i): 0 for name in sorted(documents) for i in range(len(documents[name]))}
    places = {key: number for number, key in enumerate(places)}
    index, model = BM25.build(documents.items()), okapi(rows)
    for query in queries(2, 200):  # with repeated terms, which count each time
        expected = model.get_scores(query)
        found = index.scores(query)
        assert set(found) == {key for key, number in places.items() if set(query) & set(rows[number])}
        assert all(abs(expected[places[key]] - score) < 1e-9 for key, score in found.items())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), min_size=1, max_size=30),
    st.lists(st.sampled_from("abcdefghz"), min_size=1, max_size=6),
    st.integers(1, 12),
)
def test_the_best_k_are_the_best_of_all(rows, query, k):
    index = BM25.build((f"{i:02}", [row]) for i, row in enumerate(rows))
    every = index.search(query, len(rows))
    assert index.search(query, k) == every[:k]
    assert [row.document for row in every] == [
        f"{i:02}" for i in sorted(order(rows, query), key=lambda i: (-order(rows, query)[i], i))
    ]


def order(rows: list[list[str]], query: list[str]) -> dict[int, float]:
    """The scores by the formula, of chunks that share a term. Rounded: equal by formula may differ in the last bit."""
    average = sum(map(len, rows)) / len(rows) or 1.0
    scores = {}
    for i, row in enumerate(rows):
        if shared := [term for term in query if term in row]:
            norm = 1.5 * (0.25 + 0.75 * len(row) / average)
            holding = {term: sum(term in other for other in rows) for term in shared}
            idf = {term: math.log(1 + (len(rows) - n + 0.5) / (n + 0.5)) for term, n in holding.items()}
            scores[i] = round(sum(idf[t] * row.count(t) * 2.5 / (row.count(t) + norm) for t in shared), 9)
    return scores


def test_a_worked_example():
    # N = 2, avgdl = 2. "boat" is in one chunk: idf = ln(1 + 1.5 / 1.5) = ln 2; f = 1, |d| = 3:
    # ln 2 * 2.5 / (1 + 1.5 * (0.25 + 0.75 * 3 / 2)) = 0.693147 * 2.5 / 3.0625 = 0.565834
    index = BM25.build([("a", [["a", "boat", "here"]]), ("b", [["fish"]])])
    ((name, chunk, score),) = index.search(["boat"], 5)
    assert (name, chunk) == ("a", 0)
    assert score == pytest.approx(math.log(2) * 2.5 / 3.0625, abs=1e-12)


def test_a_term_in_every_chunk_still_scores_above_zero():
    index = BM25.build((name, [["boat"]]) for name in "ab")  # rank-bm25's own idf would be negative
    assert all(row.score > 0 for row in index.search(["boat"], 5))


def test_nothing_without_a_shared_term():
    index = BM25.build([("a", [["boat"]]), ("b", [[]])])
    assert index.search(["fish"], 5) == []
    assert index.search([], 5) == []
    assert index.search(["boat"], 0) == []
    assert BM25().search(["boat"], 5) == []


def test_ties_break_by_name_and_position_whatever_the_history():
    rows = {"b": [["x"], ["x"]], "a": [["x"]], "c": [["x"]]}
    index = BM25.build(rows.items())
    index.delete("a")
    index.add("a", rows["a"])
    assert [(row.document, row.chunk) for row in index.search(["x"], 3)] == [("a", 0), ("b", 0), ("b", 1)]


def test_after_a_thousand_changes_the_index_answers_as_a_fresh_one(tmp_path):
    documents, rng = corpus(600, seed=3), random.Random(4)
    index = BM25.build(documents.items())
    for step in range(1000):
        if rng.random() < 0.5:
            name = f"{rng.randrange(900):05}"  # new or there already
            documents[name] = chunks(rng)
            index.add(name, documents[name])
        else:
            name = rng.choice(sorted(documents))
            del documents[name]
            assert index.delete(name)
        if step == 500:
            index.save(tmp_path / "index", {})
            index = BM25.load(tmp_path / "index", {})
    fresh = BM25.build(sorted(documents.items()))
    index.save(tmp_path / "index", {})
    loaded = BM25.load(tmp_path / "index", {})
    for query in queries(5):
        assert index.search(query, 10) == fresh.search(query, 10) == loaded.search(query, 10)
    assert len(index) == len(fresh) == sum(map(len, documents.values()))


def test_deleting_what_is_not_there():
    assert BM25().delete("a") is False


def test_a_deleted_term_is_forgotten(tmp_path):
    index = BM25.build([("a", [["secret"]]), ("b", [["boat"]])])
    index.delete("a")
    index.save(tmp_path / "index", {})
    assert b"secret" not in (tmp_path / "index").read_bytes()


def test_an_index_of_other_settings_damaged_or_absent_is_not_used(tmp_path):
    path = tmp_path / "index"
    assert BM25.load(path, {"stem": True}) is None
    BM25.build([("a", [["boat"]])]).save(path, {"stem": True})
    assert BM25.load(path, {"stem": False}) is None
    whole = path.read_bytes()
    assert BM25.load(path, {"stem": True}).search(["boat"], 1)
    for damaged in (b"", b"other", whole[: len(whole) // 2], whole[:-64]):
        path.write_bytes(damaged)
        assert BM25.load(path, {"stem": True}) is None


def test_a_loaded_index_is_mapped_not_read(tmp_path):
    index = BM25.build(corpus(50, seed=6).items())
    index.save(tmp_path / "index", {})
    loaded = BM25.load(tmp_path / "index", {})
    base = loaded._base.slots
    while not isinstance(base, np.memmap) and base.base is not None:
        base = base.base
    assert isinstance(base, np.memmap)
    loaded.add("new", [["t1", "t1"]])
    assert loaded.search(["t1"], 100)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the price of the boats?", ["price", "boat"]),  # question words and articles go, endings too
        ("E-52 at 16:40 costs €1,200.50", ["e", "52", "16:40", "cost", "1,200.50"]),
        ("GEBÜHREN", ["gebühren"]),
        ("東京都", ["東京", "京都"]),  # no spaces: overlapping pairs
        ("ab東京", ["ab", "東京"]),
        ("東", ["東"]),
        ("", []),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


def test_stemming_and_stop_words_are_settings():
    assert terms("the boats", stem=False) == ["boats"]
    assert terms("the boats", stop_words=False) == ["the", "boat"]
    assert terms("die Boote", language="german") == ["die", "boot"]
    with pytest.raises(InputError, match="no stemmer for 'klingon'"):
        check_language("klingon")


@pytest.mark.parametrize(
    ("left", "right", "near"),
    [
        ("deposit", "depsit", True),  # left out
        ("deposit", "depoosit", True),  # put in
        ("deposit", "depozit", True),  # changed
        ("deposit", "depsoit", True),  # swapped
        ("septicemia", "septicem", True),  # an ending
        ("deposit", "depart", False),
        ("contact", "contrast", False),  # two changes
    ],
)
def test_near_words(left, right, near):
    assert is_near(left, right) is is_near(right, left) is near


def test_a_misspelt_term_stands_for_the_commonest_near_one():
    index = BM25.build([("a", [["deposit"], ["deposit"]]), ("b", [["depozit", "boats"]])])
    assert index.nearest("depocit") == "deposit"
    assert index.nearest("depozit") == "depozit"  # it is there
    assert index.nearest("baots") == "baots"  # short
    assert index.nearest("e1234567") == "e1234567"  # a code, not a word
