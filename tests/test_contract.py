"""`diagnose` on the files whose exact counts are known, and on every kind of bad input."""

import json
import subprocess
import sys

import pytest

from ftrag.cli import main
from ftrag.evaluation.attribution import CAUSES, cause
from tests.conftest import ROOT

ROW = '{"id": 1, "arm": "base", "correct": true}\n'


@pytest.mark.parametrize("name", ["verdicts", "two_axes"])
def test_the_counts_are_exact(name, shared, capsys):
    assert main(["diagnose", str(shared / "contract" / f"{name}.jsonl"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = json.loads((shared / "contract" / f"{name}.expected.json").read_text())
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        (ROW + "{not json\n", 2),
        ('{"id": 1, "arm": "bass", "correct": true}\n', 1),
        (ROW + '{"id": 2, "arm": "base", "correct": "yes"}\n', 2),
        (ROW + ROW, 2),
        ('{"id": 1, "arm": "lora", "correct": true}\n', 1),
        (ROW + '{"id": 2, "arm": "base"}\n', 2),
        (ROW + "[1, 2]\n", 2),
        (ROW + '{"id": 2, "arm": "base", "content": true, "behavior": true}\n', 2),
        ('{"id": true, "arm": "base", "correct": true}\n', 1),
        ('{"id": 1, "arm": ["base"], "correct": true}\n', 1),
    ],
)
def test_bad_input_is_one_line_that_names_file_and_line(text, line, tmp_path, capsys):
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    assert main(["diagnose", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1
    assert "bad.jsonl" in err and f"line {line}" in err or f"lines 1 to {line}" in err


def test_a_foreign_file_needs_no_model_and_no_project(tmp_path):
    path = tmp_path / "v.jsonl"
    path.write_text(ROW)
    command = [sys.executable, "-m", "ftrag", "diagnose", str(path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["causes"]["content"]["solved"] == 1


def test_null_is_not_scored_rather_than_wrong(tmp_path, capsys):
    path = tmp_path / "v.jsonl"
    path.write_text(ROW + '{"id": 2, "arm": "base", "correct": null}\n{"id": 2, "arm": "lora", "correct": true}\n')
    assert main(["diagnose", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(found["causes"]["content"].values()) == 1
    assert found["excluded"] == 0


R, W = True, False


@pytest.mark.parametrize(
    ("right", "name"),
    [
        ({"base": R, "prompt": W}, "solved"),
        ({"base": W, "prompt": R, "base+rag": R}, "prompt"),
        ({"base": W, "base+rag": R, "base+oracle": W}, "suspect evidence"),
        ({"base": W, "base+rag": R, "base+oracle": R}, "retrieval fixes"),
        ({"base": W, "base+rag": R}, "retrieval fixes"),
        ({"base": W, "base+rag": W, "prompt+rag": R, "lora": R}, "prompted retrieval"),
        ({"base": W, "base+rag": W, "lora": R, "lora+rag": R}, "behaviour"),
        ({"base": W, "base+rag": W, "lora": W, "lora+rag": R, "base+oracle": R}, "reading"),
        ({"base": W, "base+rag": W, "base+oracle": R, "lora+oracle": R}, "retrieval bound"),
        ({"base": W, "base+oracle": R}, "retrieval untested"),
        ({"base": W, "base+rag": W, "base+oracle": W, "lora+oracle": R}, "reading"),
        ({"base": W, "base+rag": W, "base+oracle": W, "lora": W}, "unresolved"),
        ({"base": W}, "unresolved"),
    ],
)
def test_each_line_of_the_table(right, name):
    assert cause(right) == name
    assert name in CAUSES
