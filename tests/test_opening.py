"""Retrievers are kept while nothing changes, several processes may feed one project, and words keep their marks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from ftrag import text
from ftrag.retrieval import opening, store
from ftrag.retrieval.bm25 import VERSION
from ftrag.retrieval.settings import Settings
from ftrag.retrieval.terms import terms

ROOT = Path(__file__).resolve().parent.parent
OLD = 10**9  # seconds since 1970: long before the grain of any clock


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "documents").mkdir(parents=True)
    (folder / "project.json").write_text('{"name": "project", "settings": {}}')
    os.utime(folder / "project.json", (OLD, OLD))
    return folder


def write(project: Path, name: str, content: str, age: int = OLD) -> None:
    path = project / "documents" / name
    path.write_text(content, encoding="utf-8")
    os.utime(path, (age, age))


def best(project: Path, query: str) -> str:
    return opening.open_retriever(project).search(query, 1)[0].chunk.text


def test_a_retriever_is_kept_while_nothing_changes(project: Path) -> None:
    write(project, "a.txt", "A berth costs €4.")
    first = opening.open_retriever(project)
    assert opening.open_retriever(project) is first
    assert opening.open_retriever(project, settings={"minimum_match": 0.5}) is not first
    write(project, "a.txt", "A berth costs €5.", age=OLD + 1)
    assert opening.open_retriever(project) is not first
    assert best(project, "berth") == "A berth costs €5."
    (project / "project.json").write_text('{"name": "project", "settings": {"chunk_tokens": 64}}')
    write(project, "b.txt", "A boat is free.")
    assert best(project, "boat") == "A boat is free."


def test_a_change_by_another_process_is_seen_at_once(project: Path, tmp_path: Path) -> None:
    write(project, "a.txt", "A berth costs €4.")
    opening.open_retriever(project)
    (tmp_path / "a.txt").write_text("A berth costs €9.")
    _ingest(project, [tmp_path / "a.txt"]).wait()
    assert best(project, "berth") == "A berth costs €9."


def test_a_kept_retriever_answers_several_threads(project: Path) -> None:
    for number in range(40):
        write(project, f"{number}.txt", f"Berth number {number} costs €{number}.")
    opened, wrong = opening.open_retriever(project), []

    def ask() -> None:
        for number in range(40):
            if opened.search(f"berth number {number}", 1)[0].chunk.document != f"{number}.txt":
                wrong.append(number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert wrong == []


def _ingest(project: Path, files: list[Path]) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from pathlib import Path; from ftrag.retrieval import store\n"
        "for file in sys.argv[2:]: store.ingest(Path(sys.argv[1]), [Path(file)])"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(project), *map(str, files)], cwd=ROOT)


def test_two_processes_that_ingest_at_once_lose_no_document(project: Path, tmp_path: Path) -> None:
    batches: list[list[Path]] = [[], []]
    for side, batch in enumerate(batches):
        for number in range(6):
            path = tmp_path / f"side{side}-{number}.zip"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(f"doc-{side}-{number}.txt", f"Fact {number} of side {side}.")
            batch.append(path)
    processes = [_ingest(project, batch) for batch in batches]
    deadline = time.monotonic() + 60
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        if store.documents(project):  # searches go on meanwhile; a file half written is none yet
            opening.open_retriever(project)
    assert [process.wait(10) for process in processes] == [0, 0]
    names = [f"doc-{side}-{number}.txt" for side in range(2) for number in range(6)]
    assert [document.name for document in store.documents(project)] == names
    for side in range(2):  # the record of what a zip brought lost nothing either
        for number in range(6):
            assert store.remove(project, f"side{side}-{number}.zip")["removed"] == [f"doc-{side}-{number}.txt"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),  # vowel signs and virama are combining marks, no \w to Python
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("ที่นี่ 16:40", ["ที่นี่", "16:40"]),
        ("cafe\u0301 Zu\u0308rich", ["café", "zürich"]),  # NFKC composes these
        ("x\u0304 = 1,200.50", ["x\u0304", "1,200.50"]),  # this mark has no composed form
        ("plain words, 3/4", ["plain", "words", "3/4"]),
    ],
)
def test_a_word_keeps_its_combining_marks(said: str, words: list[str]) -> None:
    assert text.words(said) == words


def test_unspaced_words_with_marks_are_found_by_their_parts() -> None:
    assert terms("ที่นี่", stem=False)[0] == "ที"  # pairs of letters, marks included


def test_the_index_says_how_its_tokens_were_made(project: Path) -> None:
    write(project, "a.txt", "हिन्दी")
    assert best(project, "हिन्दी") == "हिन्दी"
    assert store.index_stamp(project, Settings())["tokens"] == VERSION == 3
