"""The commands that tidy a project, run as a user types them."""

import json
import shutil

import pytest

from ftrag import jobs, workflows
from ftrag import project as projects
from ftrag.cli import main


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("FTRAG_HOME", str(tmp_path / "home"))
    made = projects.create("demo", projects.home())
    notes = tmp_path / "notes.md"
    notes.write_text("# Notes\n\nThe lighthouse opens at 9:40.\n")
    workflows.ingest(made, [notes])
    rows = tmp_path / "rows.jsonl"
    pairs = [(f"How do I reset device {n}?", f"Hold the button of model {n} for {n + 2} s.") for n in range(6)]
    pairs.append(pairs[0])  # twice
    rows.write_text("".join(json.dumps({"prompt": asked, "response": told}) + "\n" for asked, told in pairs))
    workflows.add_examples(made, rows)
    return made


def run(capsys, *arguments):
    """(exit status, the JSON value or the sentence on standard error)."""
    status = main([*arguments, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out) if said.out else said.err


def test_remove_deletes_a_document(capsys, project):
    status, value = run(capsys, "remove", "demo", "notes.md")
    assert status == 0 and value["removed"] == ["notes.md"] and not list((project / "documents").glob("*.md"))
    status, said = run(capsys, "remove", "demo", "notes.md")
    assert status == 2 and "notes.md" in said


def test_clean_writes_the_rows_without_faults_and_the_rest_with_reasons(capsys, project, tmp_path):
    status, value = run(capsys, "clean", "demo", "--to", str(tmp_path / "clean"))
    assert status == 0
    with open(value["cleaned"]) as kept, open(value["left_out"], encoding="utf-8-sig") as left:
        assert (len(kept.readlines()), len(left.readlines())) == (6, 2)  # 7 rows, one twice; a heading and one row
    assert run(capsys, "clean", "demo", "--to", str(tmp_path / "rows.jsonl"))[0] == 2


def test_gates_are_shown_set_and_set_back(capsys, project, tmp_path):
    _, usual = run(capsys, "gates", "demo")
    mine = tmp_path / "gates.json"
    mine.write_text(json.dumps([usual[0] | {"why": "as we agreed"}]))
    status, own = run(capsys, "gates", "demo", "--set", str(mine))
    assert status == 0 and [row["why"] for row in own] == ["as we agreed"]
    assert run(capsys, "gates", "demo", "--defaults")[1] == usual
    for text, said in (("{", "is not JSON"), ("{}", "must hold a list"), ('[{"metric": "x"}]', "gate 1")):
        mine.write_text(text)
        status, sentence = run(capsys, "gates", "demo", "--set", str(mine))
        assert status == 2 and said in sentence
    assert run(capsys, "gates", "demo")[1] == usual


def test_retire_takes_what_is_promoted_and_nothing_else(capsys, project):
    status, said = run(capsys, "retire", "demo", "--why", "too slow")
    assert status == 2 and "none to retire" in said
    release = {"release": "r1", "state": "promoted", "adapter": None, "index": "i", "run": "one", "gates": None}
    step = {"state": "promoted", "who": "me", "when": "2026-01-02T03:04:05Z", "why": "it passes"}
    projects.write_json(project / "releases.json", [release | {"history": [step]}])
    status, gone = run(capsys, "retire", "demo", "--why", "too slow")
    assert status == 0 and gone["state"] == "retired" and gone["history"][-1]["why"] == "too slow"


def test_delete_asks_for_yes_and_waits_for_jobs(capsys, project):
    status, said = run(capsys, "delete", "demo")
    assert status == 2 and "--yes" in said and project.exists()
    job = jobs.create(projects.home(), ["train", "demo"], "", "demo")
    assert "a job is working in demo" in run(capsys, "delete", "demo", "--yes")[1] and project.exists()
    shutil.rmtree(job)
    assert run(capsys, "delete", "demo", "--yes") == (0, {"deleted": "demo"}) and not project.exists()
