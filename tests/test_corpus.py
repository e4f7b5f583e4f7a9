"""A project's documents over time: archives, twins, names given twice, languages, drills, killed processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ftrag import freshness, knowledge
from ftrag.retrieval import corpus, opening, store
from ftrag.types import Gold
from tests.test_documents import zipped
from tests.test_retrieval import ROOT, files, names, project, with_settings

__all__ = ["project"]  # the fixture


def test_a_file_given_twice_with_other_contents_is_refused_by_name(project, tmp_path):
    one, two, same = (files(tmp_path / folder, a_txt=text)[0] for folder, text in (("x", "1"), ("y", "2"), ("z", "1")))
    result = store.ingest(project, [one, two, same])
    assert [row["status"] for row in result["taken"]] == ["added", "unchanged"]
    assert [row["file"] for row in result["refused"]] == ["a.txt"]
    assert "given twice" in result["refused"][0]["reason"]
    assert [row.text for row in store.documents(project)] == ["1"]


def test_a_zip_deletes_only_what_is_its_own(project, tmp_path):
    store.ingest(project, [zipped(tmp_path, "a.zip", {"x.md": b"old", "y.md": b"only a"})])
    store.ingest(project, [zipped(tmp_path, "b.zip", {"x.md": b"old"})])  # the same in both: it is b's too
    store.ingest(project, [zipped(tmp_path, "a.zip", {"z.md": b"a again"})])
    assert {row.name: row.text for row in store.documents(project)} == {"x.md": "old", "z.md": "a again"}
    assert store.remove(project, "b.zip")["removed"] == ["x.md"]


def test_nothing_replaces_or_deletes_what_another_upload_brought(project, tmp_path):
    (own,) = files(tmp_path / "own", README_md="mine")
    a = zipped(tmp_path, "A.zip", {"README.md": b"a's", "A.md": b"about A"})
    b = zipped(tmp_path, "B.zip", {"README.md": b"b's", "A.md": b"another A", "B.md": b"about B"})
    store.ingest(project, [own])
    first, second = store.ingest(project, [a]), store.ingest(project, [b])
    assert [row["names"] for row in (*first["taken"], *second["taken"])] == [["A.md"], ["B.md"]]
    reasons = {row["file"]: row["reason"] for row in (*first["refused"], *second["refused"])}
    assert list(reasons) == ["A.zip/README.md", "B.zip/README.md", "B.zip/A.md"]
    assert "README.md is already there as a file by itself" in reasons["A.zip/README.md"]
    assert "A.md is already there from A.zip" in reasons["B.zip/A.md"]
    (refused,) = store.ingest(project, files(tmp_path / "alone", A_md="mine too"))["refused"]
    assert (refused["file"], refused["reason"]) == ("A.md", reasons["B.zip/A.md"])
    assert store.remove(project, "B.zip")["removed"] == ["B.md"]
    assert {row.name: row.text for row in store.documents(project)} == {"A.md": "about A", "README.md": "mine"}


def test_an_upload_replaces_its_own_documents_again_and_again(project, tmp_path):
    for text in ("one", "two"):
        given = [*files(tmp_path / text, b_md=text), zipped(tmp_path, "a.zip", {"a.md": text.encode()})]
        assert store.ingest(project, given)["refused"] == []
    assert freshness.edit(project, "a.md", "three")["status"] == "replaced"  # it stays the zip's
    assert store.ingest(project, [zipped(tmp_path, "a.zip", {"a.md": b"four"})])["taken"][0]["status"] == "replaced"
    assert {row.name: row.text for row in store.documents(project)} == {"a.md": "four", "b.md": "two"}


def test_what_two_uploads_brought_alike_goes_with_the_last_of_them(project, tmp_path):
    store.ingest(project, files(tmp_path / "own", x_md="same"))
    assert store.ingest(project, [zipped(tmp_path, "a.zip", {"x.md": b"same"})])["taken"][0]["status"] == "unchanged"
    assert store.remove(project, "a.zip")["removed"] == []
    assert [row.name for row in store.documents(project)] == ["x.md"]
    assert store.remove(project, "x.md")["removed"] == ["x.md"]


def test_what_was_taken_away_or_put_there_by_hand_is_nobodys(project, tmp_path):
    store.ingest(project, files(tmp_path / "own", x_md="mine"))
    (project / "documents" / "x.md").unlink()
    (project / "documents" / "y.md").write_text("by hand")
    (row,) = store.ingest(project, [zipped(tmp_path, "a.zip", {"x.md": b"a's", "y.md": b"a's too"})])["taken"]
    assert (row["names"], row["status"]) == (["x.md", "y.md"], "added")
    assert store.remove(project, "a.zip")["removed"] == ["x.md", "y.md"]


def test_many_copies_of_one_text_are_all_reported(project, tmp_path):
    text = " ".join(f"word{i}" for i in range(100))
    store.ingest(project, files(tmp_path / "in", **{f"n{i:02}_txt": f"{text} {i}" for i in range(60)}))
    found = {row["document"] for row in corpus.near_duplicates(project)}
    assert found == {f"n{i:02}.txt" for i in range(1, 60)}


@pytest.mark.parametrize("words", [400, 20_000])  # of so many, two others leave the sketch as it was
def test_the_nearest_twin_is_named(project, tmp_path, words):
    text = " ".join(f"word{i}" for i in range(words))
    near = text.replace("word7 ", "other ").replace("word90 ", "another ")
    paths = files(tmp_path / "in", n0_txt=near, n1_txt=text, n2_txt=near + " too", n4_md=text)
    rows = {row["file"]: row.get("near_duplicate_of") for row in store.ingest(project, paths)["taken"]}
    assert rows["n4.md"] == "n1.txt"
    listed = {row["document"]: row["near_duplicate_of"] for row in knowledge.listing(project)["documents"]}
    assert listed == rows
    assert listed["n0.txt"] is None and listed["n2.txt"] == "n0.txt"


def test_an_index_that_other_code_made_is_made_again(project, tmp_path, monkeypatch):
    store.ingest(project, files(tmp_path / "in", a_txt="A boat."))
    assert store.refresh(project)["rebuilt"] is False
    monkeypatch.setattr(store, "CODE", store.CODE + 1)
    assert store.refresh(project)["rebuilt"] is True
    assert names(opening.open_retriever(project).search("boat", 5)) == ["a.txt"]


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        ("german", "Die Gebühren für Boote sind gestiegen.", "Gebühr Boot"),
        ("french", "Les amarrages coûtent vingt euros.", "amarrage"),
        ("russian", "Стоянка лодок стоит двадцать рублей.", "стоянки лодки"),
        ("english", "停泊费用为每月三十元。", "停泊费用是多少"),
        ("english", "停泊料金は毎月三千円です。", "停泊料金はいくら"),
        ("english", "서울에서 정박 요금은 매달 삼만 원입니다.", "서울 요금"),
        ("english", "ค่าจอดเรือเดือนละสามสิบบาท", "ค่าจอดเรือเท่าไร"),
        ("arabic", "رسوم الرسو ثلاثون دينارا", "رسوم"),
        ("hindi", "नाव का किराया तीस रुपये है।", "किराया कितना है"),
        ("english", "דמי העגינה הם שלושים שקלים", "דמי העגינה"),
    ],
)
def test_every_script_finds_something(project, tmp_path, language, text, query):
    with_settings(project, language=language)
    store.ingest(project, files(tmp_path / "in", a_txt=text, b_txt="Nothing of that here.", c_txt="Ganz anderes."))
    assert names(opening.open_retriever(project).search(query, 1)) == ["a.txt"]


def test_the_threshold_counts_what_stands_in_the_heading(project, tmp_path):
    store.ingest(project, files(tmp_path / "in", a_md="# Lamps\n\nThey are painted turquoise.", b_md="Fish."))
    found = opening.open_retriever(project, settings={"minimum_match": 0.9}).search("turquoise lamps", 5)
    assert names(found) == ["a.md"]


def test_a_drill_finds_facts_by_document_name_and_in_any_encoding(project, tmp_path):
    store.ingest(project, files(tmp_path / "in", a_txt="Only 14 berths.\nA berth costs 4 crowns a day.\n"))
    (project / "documents" / "b.txt").write_bytes("Die Gebühr beträgt 7 Taler.".encode("latin-1"))
    gold = [
        Gold("1", "How much is a berth?", ("4 crowns",), ("a.txt",)),
        Gold("2", "Wie hoch ist die Gebühr?", ("7 Taler",), ("Die Gebühr beträgt 7 Taler.",)),
        Gold("3", "How many?", ("4",), ("Only 14 berths.",)),  # the 4 of 14 is no answer
    ]
    planted = freshness.plant_edits(project, gold, 5)
    assert [row.id for row in planted] == ["1", "2"]
    assert f"costs {planted[0].answers[0]} a day" in freshness.read(project, "a.txt")
    assert "Only 14 berths" in freshness.read(project, "a.txt")
    assert freshness.read(project, "b.txt") == f"Die Gebühr beträgt {planted[1].answers[0]}."


def test_a_page_in_a_declared_encoding_is_edited_without_harm(project, tmp_path):
    (path := tmp_path / "a.html").write_bytes("<meta charset=iso-8859-1><p>Gebühr 7</p>".encode("latin-1"))
    store.ingest(project, [path])
    freshness.edit(project, "a.html", freshness.read(project, "a.html").replace("7", "8 €"))
    assert [row.text for row in store.documents(project)] == ["Gebühr 8 €"]


INGEST = (
    "import sys; from pathlib import Path; from ftrag.retrieval import store;"
    "store.ingest(Path(sys.argv[1]), sorted(Path(sys.argv[2]).iterdir()))"
)


def started(project: Path, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", INGEST, str(project), str(folder)], cwd=ROOT, env={**os.environ})


def test_two_processes_take_files_in_at_once(project, tmp_path):
    for side in "ab":
        files(tmp_path / side, **{f"{side}{i}_txt": f"The {side} boat number {i}." for i in range(30)})
    running = [started(project, tmp_path / side) for side in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(store.documents(project)) == 60
    assert len(opening.open_retriever(project).search("boat", 100)) == 60


def test_a_process_killed_while_it_takes_files_in_leaves_a_project_that_goes_on(project, tmp_path):
    for i in range(150):
        files(tmp_path / "in", **{f"n{i:03}_txt": f"The boat number {i}. " * 200})
    for seen in (1, 40, 149):
        process = started(project, tmp_path / "in")
        until = time.monotonic() + 30
        while len(list((project / "documents").glob("n*.txt"))) < seen and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        texts = {row.name: row.text for row in store.documents(project)}
        for hit in opening.open_retriever(project).search("boat", 1_000):
            assert texts[hit.chunk.document][hit.chunk.start : hit.chunk.end] == hit.chunk.text
    store.ingest(project, sorted((tmp_path / "in").iterdir()))
    assert len(store.documents(project)) == 150
