"""From files to hits: an index that follows its documents and settings, fusion, reranking, and measured quality."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ftrag import knowledge, workflows
from ftrag.errors import InputError, ModelError, NotFound
from ftrag.retrieval import corpus, opening, quality, store
from ftrag.retrieval.dense import DenseRetriever, Encoder, default_encoder, embedded, remembering
from ftrag.retrieval.fusion import HybridRetriever, by_rank, by_score
from ftrag.retrieval.lexical import BM25Retriever
from ftrag.retrieval.rerank import Reranked, cross_encoder
from ftrag.retrieval.settings import Settings, parse
from ftrag.types import Chunk, Document, Gold, Hit

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT / os.environ.get("FTRAG_SHARED", "../shared")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project on a machine without weights, so that tokens are estimated."""
    monkeypatch.setenv("FTRAG_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    return with_settings(folder)


def with_settings(project: Path, **settings) -> Path:
    (project / "project.json").write_text(json.dumps({"name": "p", "model": "smollm2-135m", "settings": settings}))
    return project


def files(folder: Path, **texts: str) -> list[Path]:
    """Files named after the keywords, "_" standing for ".": notes_md="…" is notes.md."""
    folder.mkdir(exist_ok=True)
    paths = [folder / name.replace("_", ".") for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def letters(rows: list[str]) -> np.ndarray:
    """A stand-in for an embedder: counts of letters, of unit length."""
    counts = np.array([[row.lower().count(letter) + 0.01 for letter in LETTERS] for row in rows])
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def names(hits: list[Hit]) -> list[str]:
    return [hit.chunk.document for hit in hits]


def test_ingest_search_replace_remove(project, tmp_path):
    paths = files(tmp_path / "in", berth_md="# Berths\n\nA berth costs €4.", boat_txt="A boat costs €12.", bad_exe="MZ")
    result = store.ingest(project, paths)
    assert [(row["file"], row["status"], row["chunks"]) for row in result["taken"]] == [
        ("berth.md", "added", 1),
        ("boat.txt", "added", 1),
    ]
    assert [row["file"] for row in result["refused"]] == ["bad.exe"]
    (hit,) = opening.open_retriever(project).search("berth price", 5)
    assert (hit.rank, hit.chunk.document, hit.chunk.text) == (1, "berth.md", "# Berths\n\nA berth costs €4.")

    files(tmp_path / "in", berth_md="# Berths\n\nA berth costs €5.")
    assert [row["status"] for row in store.ingest(project, paths[:2])["taken"]] == ["replaced", "unchanged"]
    assert "€5" in opening.open_retriever(project).search("berth", 1)[0].chunk.text

    assert store.remove(project, "berth.md")["removed"] == ["berth.md"]
    assert opening.open_retriever(project).search("berth", 5) == []
    assert not [path for path in (project / "extracted").glob("*.json") if "berth" in path.read_text()]
    with pytest.raises(NotFound, match="no document 'berth.md'"):
        store.remove(project, "berth.md")


def test_chunks_are_where_they_say(project, tmp_path):
    text = "\n\n".join(f"# Part {i}\n\n" + f"Rule {i} says no. " * 40 for i in range(8))
    store.ingest(project, files(tmp_path / "in", long_md=text))
    (document,) = store.documents(project)
    chunks = store.chunks(project)
    assert len(chunks) > 2
    assert all(row.text == document.text[row.start : row.end] for row in chunks)
    hit = opening.open_retriever(project).search("rule 5", 1)[0]
    assert hit.chunk == chunks[hit.chunk.index]


def test_a_zip_brings_its_members_and_takes_away_those_it_no_longer_has(project, tmp_path):
    def save(members):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
        return [tmp_path / "a.zip"]

    (row,) = store.ingest(project, save({"one.txt": "first text", "two.txt": "second text"}))["taken"]
    assert (row["file"], row["names"], row["documents"], row["status"]) == ("a.zip", ["one.txt", "two.txt"], 2, "added")
    assert store.ingest(project, [tmp_path / "a.zip"])["taken"][0]["status"] == "unchanged"
    store.ingest(project, save({"two.txt": "second text", "three.txt": "third text"}))
    assert [document.name for document in store.documents(project)] == ["three.txt", "two.txt"]
    assert store.remove(project, "a.zip")["removed"] == ["two.txt", "three.txt"]


def test_unchanged_files_cost_nothing(project, tmp_path):
    paths = files(tmp_path / "in", a_txt="one boat", b_txt="two boats")
    store.ingest(project, paths)
    before = {path: path.stat().st_mtime_ns for path in (project / "index").iterdir()}
    assert store.refresh(project)["unchanged"] == 2
    assert store.ingest(project, paths)["taken"][0]["status"] == "unchanged"
    after = {path: path.stat().st_mtime_ns for path in (project / "index").iterdir() if path.suffix != ".lock"}
    assert after == {path: before[path] for path in after}


def test_a_file_edited_by_hand_is_seen_even_within_the_same_moment(project, tmp_path):
    store.ingest(project, files(tmp_path / "in", a_txt="It costs €4."))
    for price in range(5, 9):  # the same size each time, faster than a clock tick
        (project / "documents" / "a.txt").write_text(f"It costs €{price}.", encoding="utf-8")
        assert opening.open_retriever(project).search("costs", 1)[0].chunk.text == f"It costs €{price}."


def test_changes_leave_an_index_that_answers_as_a_fresh_one(project, tmp_path):
    rng, vocabulary = random.Random(1), [a + b + c for a in "bdfgkl" for b in "aeiou" for c in "mnprst"]
    weights = [1 / (rank + 2) for rank in range(len(vocabulary))]
    folder = project / "documents"
    folder.mkdir()

    def text():
        return ". ".join(" ".join(rng.choices(vocabulary, weights, k=9)) for _ in range(rng.randint(1, 30)))

    for i in range(40):
        (folder / f"{i}.txt").write_text(text())
    store.refresh(project)
    for _ in range(60):
        name = f"{rng.randrange(60)}.txt"
        if rng.random() < 0.35:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_text(text())
        if rng.random() < 0.3:
            assert store.refresh(project)["rebuilt"] is False
    fresh = with_settings(tmp_path / "fresh" if (tmp_path / "fresh").mkdir() is None else tmp_path)
    (fresh / "documents").mkdir()
    for path in sorted(folder.iterdir(), reverse=True):
        (fresh / "documents" / path.name).write_bytes(path.read_bytes())
    one, other = opening.open_retriever(project), opening.open_retriever(fresh)
    assert store.index_fingerprint(project) == store.index_fingerprint(fresh)
    for _ in range(500):
        query = " ".join(rng.choices(vocabulary, k=rng.randint(1, 5)))
        assert one.search(query, 10) == other.search(query, 10)


def test_other_settings_rebuild_the_index(project, tmp_path):
    store.ingest(project, files(tmp_path / "in", a_txt="The boats are here."))
    fingerprint = store.index_fingerprint(project)
    assert opening.open_retriever(project).search("boat", 1)
    with_settings(project, stem=False, correct_spelling=False)
    assert opening.open_retriever(project).search("boat", 1) == []
    assert store.index_fingerprint(project) != fingerprint
    with_settings(project, chunk_tokens="many")
    with pytest.raises(InputError, match="chunk_tokens is 'many'"):
        store.refresh(project)


def test_a_damaged_index_is_rebuilt(project, tmp_path):
    store.ingest(project, files(tmp_path / "in", a_txt="The boats are here."))
    for name in ("bm25.bin", "chunks.json"):
        (project / "index" / name).write_bytes(b"damaged")
        assert opening.open_retriever(project).search("boat", 1)


def test_no_documents_says_what_to_do(project):
    with pytest.raises(NotFound, match="ingest a file first"):
        opening.open_retriever(project)
    with pytest.raises(InputError, match="no retriever 'magic'; choose bm25, dense, hybrid"):
        opening.open_retriever(project, "magic")


def test_a_text_is_embedded_again_only_when_it_was_long_unused():
    asked: list[list[str]] = []

    def embed(rows: list[str]) -> np.ndarray:
        asked.append(rows)
        return letters(rows)

    once = remembering(embed, most=3)
    assert np.allclose(once(["a", "b", "a"]), letters(["a", "b", "a"]), atol=1e-6)
    assert np.allclose(once(["c", "a"]), letters(["c", "a"]), atol=1e-6)  # b is now the one unused for longest
    once(["d"])
    once(["a", "b"])
    assert asked == [["a", "b"], ["c"], ["d"], ["b"]]


def test_near_duplicates_are_reported(project, tmp_path):
    text = " ".join(f"word{i}" for i in range(300))
    paths = files(tmp_path / "in", a_txt=text, b_txt=text + " and more", c_txt="something else altogether")
    rows = {row["file"]: row.get("near_duplicate_of") for row in store.ingest(project, paths)["taken"]}
    assert rows == {"a.txt": None, "b.txt": "a.txt", "c.txt": None}


def test_alike_estimates_the_share_of_common_shingles():
    assert corpus.alike(corpus.sketch("a b c d e f"), corpus.sketch("a b c d e f")) == 1.0
    assert corpus.alike(corpus.sketch("a b c d e f"), corpus.sketch("u v w x y z")) == 0.0
    left = " ".join(map(str, range(1000)))
    right = " ".join(map(str, range(200, 1200)))
    assert corpus.alike(corpus.sketch(left), corpus.sketch(right)) == pytest.approx(796 / 1196, abs=0.2)


def test_searching_from_another_process_finds_the_same(project, tmp_path):
    store.ingest(project, files(tmp_path / "in", a_txt="The boats are here.", b_txt="No boat."))
    code = (
        "import sys; from pathlib import Path; from ftrag.retrieval import opening;"
        "print([h.chunk.document for h in opening.open_retriever(Path(sys.argv[1])).search('boat', 5)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(names(opening.open_retriever(project).search("boat", 5)))


def test_a_threshold_on_how_much_of_the_query_a_chunk_covers(project, tmp_path):
    store.ingest(project, files(tmp_path / "in", a_txt="Boats have lamps.", b_txt="Boats.", c_txt="Fish."))
    # idf of boat ln(1 + 1.5/2.5) = 0.47, lamp ln(1 + 2.5/1.5) = 0.98, anchor ln(1 + 3.5/0.5) = 2.08
    for least, expected in ((0.1, ["a.txt", "b.txt"]), (0.4, ["a.txt"]), (0.5, [])):  # a: 0.41, b: 0.13
        found = opening.open_retriever(project, settings={"minimum_match": least}).search("boats lamps anchors", 5)
        assert sorted(names(found)) == expected


def test_expansion_finds_what_shares_no_term(project, tmp_path):
    texts = {"a_txt": "Canoes need a paddle.", "b_txt": "A paddle is made of ash.", "c_txt": "Fish swim."}
    store.ingest(project, files(tmp_path / "in", **texts))
    assert names(opening.open_retriever(project).search("canoe", 5)) == ["a.txt"]
    found = opening.open_retriever(project, settings={"expand_terms": 3}).search("canoe", 5)
    assert names(found) == ["a.txt", "b.txt"]


def test_whole_documents_when_they_fit(project, tmp_path):
    text = "Intro to boats. " * 60 + "\n\n" + "The anchor weighs 4 kg. " * 60
    store.ingest(project, files(tmp_path / "in", a_txt=text, b_txt="An anchor."))
    found = opening.open_retriever(project, settings={"whole_document_tokens": 5_000}).search("anchor weighs", 5)
    assert [(hit.rank, hit.chunk.document, hit.chunk.text) for hit in found] == [
        (1, "a.txt", text),
        (2, "b.txt", "An anchor."),
    ]
    small = opening.open_retriever(project, settings={"whole_document_tokens": 50}).search("anchor weighs", 5)
    assert small[0].chunk.text != text


def test_dense_embeds_only_what_changed(project, tmp_path):
    asked: list[str] = []

    def embed(rows):
        asked.extend(rows)
        return letters(rows)

    encoder = Encoder("letters", embed)
    store.ingest(project, files(tmp_path / "in", a_txt="aaa bbb", b_txt="zzz yyy"))
    assert names(opening.open_retriever(project, "dense", encoder=encoder).search("zz yy", 1)) == ["b.txt"]
    assert asked == ["aaa bbb", "zzz yyy", "zz yy"]
    store.ingest(project, files(tmp_path / "in", b_txt="ccc ddd"))
    asked.clear()
    opening.open_retriever(project, "hybrid", encoder=encoder)
    assert asked == ["ccc ddd"]
    asked.clear()
    opening.open_retriever(project, "dense", encoder=Encoder("others", embed))
    assert asked == ["aaa bbb", "ccc ddd"]


def test_dense_order_ties_and_threshold(tmp_path):
    rows = [Chunk(name, 0, text, 0, len(text)) for name, text in (("a", "xx"), ("b", "ab"), ("c", "xx"))]
    vectors = embedded([row.text for row in rows], Encoder("letters", letters), tmp_path / "dense.bin")
    assert names(DenseRetriever(rows, vectors, letters).search("x", 2)) == ["a", "c"]
    assert names(DenseRetriever(rows, vectors, letters, minimum_cosine=0.9).search("x", 5)) == ["a", "c"]
    assert DenseRetriever(rows, vectors, letters, minimum_cosine=0.9).search("q", 5) == []


def hits(*pairs: tuple[str, float]) -> list[Hit]:
    return [Hit(Chunk(name, 0, name, 0, 1), score, rank) for rank, (name, score) in enumerate(pairs, start=1)]


def test_fusion_by_rank_and_by_score():
    left, right = hits(("a", 10.0), ("b", 9.0), ("c", 0.0)), hits(("b", 0.8), ("d", 0.3))
    fused = by_rank([left, right], [0.5, 0.5])
    assert [(hit.chunk.document, hit.rank) for hit in fused] == [("b", 1), ("a", 2), ("d", 3), ("c", 4)]
    assert fused[0].score == pytest.approx(0.5 / 62 + 0.5 / 61)
    scored = by_score([left, right], [0.5, 0.5])  # b: (0.9 + 1) / 2, a: (1 + 0) / 2, c and d: 0
    assert [(hit.chunk.document, round(hit.score, 6)) for hit in scored] == [
        ("b", 0.95),
        ("a", 0.5),
        ("c", 0),
        ("d", 0),
    ]
    assert by_score([[], []], [0.5, 0.5]) == []


class Fixed:
    """A retriever that always finds the same."""

    def __init__(self, found: list[Hit]) -> None:
        self.found = found

    def search(self, query: str, k: int) -> list[Hit]:
        return self.found[:k]


def test_hybrid_weights_its_sides():
    left, right = Fixed(hits(("a", 2.0), ("b", 1.0))), Fixed(hits(("c", 0.9), ("b", 0.1)))
    assert names(HybridRetriever(left, right, dense_weight=0.9).search("q", 1)) == ["c"]
    assert names(HybridRetriever(left, right, dense_weight=0.1).search("q", 1)) == ["a"]


def test_rerank_orders_anew_and_keeps_ties():
    found = Fixed(hits(("a", 3.0), ("b", 2.0), ("c", 1.0)))
    again = Reranked(found, lambda pairs: [float(text == "c") for _, text in pairs]).search("q", 2)
    assert [(hit.chunk.document, hit.rank, hit.score) for hit in again] == [("c", 1, 1.0), ("a", 2, 0.0)]


def test_a_cross_encoder_from_a_folder(tmp_path, project):
    """Random weights, real code: a tiny BERT with one output, saved and loaded as from the Hub."""
    pytest.importorskip("sentence_transformers")
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "boat", "fish", "the"]))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=8, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=1
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    store.ingest(project, files(tmp_path / "in", a_txt="the boat", b_txt="boat fish"))
    opened = opening.open_retriever(project, rerank=True, settings={"rerank_model": str(folder)})
    found = opened.search("boat", 5)
    assert [hit.rank for hit in found] == [1, 2]
    assert found[0].score >= found[1].score
    assert cross_encoder(str(folder)) is cross_encoder(str(folder))
    knowledge.change(project, {"rerank": True, "rerank_model": str(folder)})
    answers_by, searched_by = workflows.retriever(project, None), workflows.retriever(project)
    assert [hit.score for hit in answers_by.search("boat", 5)] == [hit.score for hit in found]
    assert isinstance(searched_by, BM25Retriever)  # `search` and `compare` are told theirs


def test_only_the_first_hits_are_read_again(project, tmp_path):
    store.ingest(
        project, files(tmp_path / "in", **{f"{name}_txt": "boat " * (i + 1) for i, name in enumerate("abcde")})
    )
    plain = opening.open_retriever(project)
    again = Reranked(plain, lambda pairs: list(range(len(pairs))), depth=2).search("boat", 4)
    before = [hit.chunk.document for hit in plain.search("boat", 4)]
    assert [hit.chunk.document for hit in again] == [before[1], before[0], *before[2:]]
    assert [hit.rank for hit in again] == [1, 2, 3, 4]


def test_a_project_is_not_set_to_a_reranker_that_cannot_be_had(monkeypatch, project):
    from ftrag import download

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    download.hub_reachable.cache_clear()
    cross_encoder.cache_clear()
    with pytest.raises(ModelError, match="cannot be reached"):
        knowledge.change(project, {"rerank": True})
    assert not knowledge.settings(project).rerank
    download.hub_reachable.cache_clear()


def test_reranking_offline_says_so(monkeypatch):
    from ftrag import download

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    download.hub_reachable.cache_clear()
    with pytest.raises(ModelError, match="Hub only, which cannot be reached; search without it"):
        cross_encoder("cross-encoder/none")
    download.hub_reachable.cache_clear()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k1": "high"}, "k1 is 'high'; it must be of type float"),
        ({"stem": 1}, "of type bool"),
        ({"b": 2}, "a number from 0 to 1"),
        ({"chunk_strategy": "clever"}, "one of recursive"),
        ({"fusion": "magic"}, "one of scores, ranks"),
    ],
)
def test_settings_of_the_wrong_kind(given, message):
    with pytest.raises(InputError, match=message):
        parse(given)


def test_settings_of_others_are_left_alone():
    assert parse({"temperature": 1, "k1": 1}) == Settings(k1=1.0)


DOCUMENTS = [Document("a.md", "The berth  costs\n€4. Pay at once.", "1"), Document("b.md", "Boats cost €12.", "2")]


def piece(name: str, start: int, end: int) -> Chunk:
    text = next(row.text for row in DOCUMENTS if row.name == name)
    return Chunk(name, 0, text[start:end], start, end)


def test_evidence_is_a_document_or_a_passage_whatever_its_white_space():
    gold = Gold("1", "?", evidence=("b.md", "berth costs €4.", "nowhere"))
    assert quality.evidence(gold, DOCUMENTS) == [quality.Target("b.md"), quality.Target("a.md", 4, 20)]


@pytest.mark.parametrize(
    ("chunk", "shown"),
    [
        (piece("a.md", 0, 33), True),
        (piece("a.md", 12, 33), True),  # 8 of the passage's 16 characters
        (piece("a.md", 13, 33), False),  # 7
        (piece("a.md", 6, 10), True),  # all of a chunk that is smaller than the passage
        (piece("b.md", 0, 15), False),
    ],
)
def test_a_hit_shows_half_of_the_passage(chunk, shown):
    assert quality.shows(chunk, quality.Target("a.md", 4, 20)) is shown


def test_quality_by_hand():
    found = [Hit(piece("a.md", 0, 16), 3.0, 1), Hit(piece("b.md", 0, 15), 2.0, 2)]
    gold = [Gold("1", "?", evidence=("b.md",)), Gold("2", "?", evidence=("a.md", "b.md")), Gold("3", "?")]
    rows = quality.measure({"one": Fixed(found), "none": Fixed([])}, DOCUMENTS, gold, ks=(1, 2))
    first, nothing, second, _ = rows
    # question 1: found at rank 2; question 2: at ranks 1 and 2; question 3 names no evidence
    assert (first["n"], first["hit_rate"], first["mrr"]) == (2, 0.5, 0.5)
    assert second["hit_rate"] == 1.0
    assert second["mrr"] == (1 / 2 + 1) / 2
    assert second["ndcg"] == pytest.approx((1 / np.log2(3) + 1) / 2)
    assert (first["best"], nothing["best"], first["p"]) == (True, False, None)
    assert nothing["p"] == 1.0  # one question of difference proves nothing
    assert nothing["difference"] == 0.5


def test_the_best_retriever_is_best_by_what_the_test_is_of():
    """One finds the first evidence sooner (MRR), the other more of it (nDCG): the star goes with the difference."""
    gold = [Gold("1", "?", evidence=("a.md", "b.md", "c.md"))]
    names = ("a.md", "b.md", "c.md")
    read = [Document(name, "The text of it.", name) for name in (*names, "d.md")]

    def ranked(*order: str) -> Fixed:
        return Fixed([Hit(Chunk(name, 0, "The text", 0, 8), 1.0, rank) for rank, name in enumerate(order, start=1)])

    rows = quality.measure({"more": ranked("d.md", *names), "sooner": ranked("a.md", "d.md")}, read, gold, ks=(4,))
    assert rows[0]["ndcg"] > rows[1]["ndcg"] and rows[0]["mrr"] < rows[1]["mrr"]
    assert [row["best"] for row in rows] == [False, True] and rows[0]["difference"] == 0.5


def test_the_questions_are_embedded_together_and_once(project, tmp_path, monkeypatch):
    called: list[list[str]] = []
    monkeypatch.setattr("ftrag.models.embedder", lambda: lambda rows: called.append(rows) or letters(rows))
    default_encoder.cache_clear()
    store.ingest(project, files(tmp_path / "in", a_md="A berth costs €4.", b_md="A boat costs €12."))
    gold = [Gold(str(i), f"What costs {i}?", evidence=("a.md",)) for i in range(5)]
    quality.quality(project, gold, ks=(1,))
    default_encoder.cache_clear()
    assert called[1:] == [[row.question for row in gold]]  # after the passages


def test_quality_without_evidence_says_what_to_add():
    with pytest.raises(InputError, match="add document names or passages"):
        quality.measure({}, DOCUMENTS, [Gold("1", "?")])


def test_significance():
    assert quality.sign_flip(np.zeros(9)) == 1.0
    assert quality.sign_flip(np.ones(20)) < 0.001
    assert quality.sign_flip(np.array([1.0, 1.0, 1.0])) == pytest.approx(2 / 8, abs=0.02)  # two of eight sign patterns
    assert quality.holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert quality.wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def xquad() -> tuple[dict[str, str], list[Gold]]:
    file = SHARED / "data" / "xquad.en.dev.json"
    if not file.is_file():
        pytest.skip("the XQuAD half is not in $FTRAG_SHARED/data")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import retrieval as benchmark

    return benchmark.squad(file)


@pytest.mark.parametrize(
    ("where", "found_by"),
    [
        ("page 3", ""),
        ("row 7", ""),
        ("rows 4–6", ""),
        ("page 2 – page 4", ""),
        ("Fees > row 12", "Fees > "),
        ("Refunds > Windows", "Refunds > Windows"),
        ("Page 9 forms", "Page 9 forms"),
    ],
)
def test_a_chunk_is_found_by_its_headings_and_not_by_the_number_of_its_row(where, found_by):
    title = store.titled(Chunk("a.csv", 0, "body", 0, 4), lambda start, end: where, Settings())
    assert title.removesuffix("body").strip(" –\n") == found_by.strip()


def test_bm25_finds_the_gold_paragraph(project):
    texts, gold = xquad()
    (project / "documents").mkdir()
    for name, text in texts.items():
        (project / "documents" / name).write_text(text, encoding="utf-8")
    first, third = quality.quality(project, gold, ["bm25"], ks=(1, 3))
    assert first["hit_rate"] >= 0.92
    assert third["hit_rate"] >= 0.99


@pytest.mark.slow
def test_hybrid_finds_at_least_what_the_better_part_finds(project, monkeypatch):
    texts, gold = xquad()
    monkeypatch.delenv("FTRAG_CACHE")
    (project / "documents").mkdir()
    for name, text in texts.items():
        (project / "documents" / name).write_text(text, encoding="utf-8")
    rows = {row["retriever"]: row["hit_rate"] for row in quality.quality(project, gold, ks=(1,))}
    assert rows["hybrid"] >= max(rows["bm25"], rows["dense"])
    assert rows["hybrid"] >= 0.95
