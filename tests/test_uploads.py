"""A training file as it was taken: rows, numbers and refusals survive, and what is downloaded is safe and clean."""

import csv
import io
import json

import pytest

from ftrag.training import uploads
from ftrag.training.examples import read_examples
from ftrag.training.inspection import inspect
from ftrag.types import Example, Gold


@pytest.fixture
def project(tmp_path):
    (tmp_path / "demo").mkdir()
    return tmp_path / "demo"


def file(tmp_path, *rows):
    path = tmp_path / "given.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_numbers_and_refusals_are_kept_beside_the_rows(project, tmp_path):
    path = file(tmp_path, {"question": "A?", "answer": "a"}, "broken", {"question": "B?", "answer": "b", "id": "two"})
    value = uploads.take(project, path)
    assert value["taken"] == [{"file": "given.jsonl", "rows": 2, "shape": "question/answer"}]
    kept = uploads.upload(project)
    assert kept["rows"] == {"given-1": 1, "two": 3}
    assert [(row["row"], row["reason"][:17]) for row in kept["refused"]] == [(2, "is not valid JSON")]


def test_a_file_without_a_usable_row_changes_nothing(project, tmp_path):
    uploads.take(project, file(tmp_path, {"question": "A?", "answer": "a"}))
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    assert uploads.take(project, file(tmp_path, "broken"))["taken"] == []
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before


def test_a_conversation_is_stored_with_its_history(project, tmp_path):
    turns = [("user", "U1"), ("assistant", "A1"), ("user", "U2"), ("assistant", "A2")]
    path = file(tmp_path, {"messages": [{"role": role, "content": text} for role, text in turns]})
    uploads.take(project, path)
    assert read_examples(project / uploads.ROWS)[0] == read_examples(path)[0]
    assert read_examples(path)[0][1].history == (("U1", "A1"),)


def test_the_cleaned_copy_leaves_out_what_the_report_names():
    rows = [
        Example("Can I cancel?", "Yes.", "a"),
        Example("can I cancel", "yes", "b"),  # the same as a
        Example("When do you open?", "At nine.", "c"),
        Example("When do you open?", "At ten.", "d"),  # conflicts with c
        Example("How deep is the lake?", "Nine metres.", "e"),  # a gold question
        Example("Who are you?", "The harbour office.", "f"),
    ]
    report = inspect(rows, [Gold("g", "How deep is the lake?", ("9 m",))], [])
    assert set(uploads.faults(report)) == {"b", "c", "d", "e"}
    kept = [json.loads(line)["id"] for line in uploads.cleaned(rows, report).splitlines()]
    assert kept == ["a", "f"]


def test_refused_rows_are_safe_in_a_spreadsheet():
    report = inspect([Example("Q?", "A.", '=HYPERLINK("x")'), Example("Q?", "A.", "other")], [], [])
    upload = {
        "file": "@rows.csv",
        "rows": {"other": 3},
        "refused": [{"file": "@rows.csv", "row": 2, "reason": "-1 is no text"}],
    }
    lines = list(csv.reader(io.StringIO(uploads.refused_csv(upload, report))))
    assert lines[0] == ["file", "row", "id", "reason"]
    assert lines[1] == ["'@rows.csv", "2", "", "'-1 is no text"]
    assert lines[2] == ["'@rows.csv", "3", "other", 'is the same as =HYPERLINK("x")']


def test_every_template_is_read_back(tmp_path):
    for name, text in uploads.templates().items():
        (tmp_path / name).write_text(text)
        rows, refused, shape = read_examples(tmp_path / name)
        assert (len(rows), refused, shape.replace("/", "-")) == (1, [], name.removesuffix(".jsonl"))


def test_the_columns_of_a_file_are_offered_for_mapping(tmp_path):
    path = tmp_path / "frage.csv"
    path.write_text("Frage,Antwort\nWie tief?,Neun Meter\n")
    assert uploads.column_names(path) == ["frage", "antwort"]
    (tmp_path / "no.jsonl").write_text("")
    assert uploads.column_names(tmp_path / "no.jsonl") == []
