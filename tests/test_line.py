"""The line through the product by command, and bad input at every step of it."""

import json

import pytest

from ftrag import project
from ftrag.cli import main
from tests.tiny import fewer_questions


def run(capsys, *arguments):
    """(exit status, the JSON value or None, what stood on standard error)."""
    status = main([*arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out.strip() else None, err


def test_an_example_is_searchable_at_once_and_offsets_hold(home, capsys):
    assert run(capsys, "new", "demo", "--example", "support")[0] == 0
    demo = home / "projects" / "demo"
    status, hits, _ = run(capsys, "search", "demo", "What does a Bobber cost?", "-k", "3")
    assert status == 0 and [hit["rank"] for hit in hits] == [1, 2, 3]
    assert hits[0]["document"] == "bobber-key-fob.md"
    from ftrag.retrieval import store

    texts = {document.name: document.text for document in store.documents(demo)}
    for hit in hits:
        assert texts[hit["document"]][hit["start"] : hit["end"]] == hit["text"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "nowhere", "Hello?"], "no project 'nowhere'"),
        (["ask", "demo", "  "], "the question is empty"),
        (["search", "demo", ""], "the question is empty"),
        (["new", "demo"], "exists already"),
        (["new", "../escape"], "not a project name"),
        (["new", "x", "--example", "nothing"], "no example named"),
        (["evaluate", "demo", "--arms", "base,bass"], "no arm 'bass'"),
        (["evaluate", "demo", "--arms", "base,lora"], "needs an adapter"),
        (["evaluate", "demo", "--arms", "prompt"], "the arm base is needed"),
        (["train", "demo", "--rank", "0"], "not a whole number from 1"),
        (["train", "demo", "--epochs", "nan"], "not a positive number"),
        (["train", "demo", "--dropout", "nan"], "dropout is nan"),
        (["train", "demo", "--seed", "-5"], "seed is -5"),
        (["train", "demo", "--batch-rows", "100000"], "batch rows is 100000"),
        (["evaluate", "demo", "--arms", ""], "no arm ''"),
        (["diagnose", "."], ". is a folder"),
        (["classify", "--file", "."], ". is a folder"),
        (["ask", "demo", "Hello?", "--adapter", "mine"], "has no adapter 'mine'"),
        (["report", "demo", "mine"], "has no run 'mine'"),
        (["promote", "demo", "mine"], "has no run 'mine'"),
        (["jobs", "--cancel", "mine"], "no job 'mine'"),
        (["fly", "demo"], "invalid choice"),
        (["examples", "demo", "/nowhere.jsonl"], "no file"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(demo, capsys, arguments, said):
    status, value, err = run(capsys, *arguments)
    assert (status, value) == (2, None)
    assert said in err and err.count("\n") == 1


def test_a_question_is_checked_before_the_model_is_loaded(demo, capsys, monkeypatch):
    from ftrag import workflows

    monkeypatch.setattr(workflows, "ready_model", lambda *_: pytest.fail("the model was loaded"))
    for arguments, said in ((["  "], "is empty"), (["y" * 4001], "4001 characters")):
        status, _, err = run(capsys, "ask", "demo", *arguments)
        assert status == 2 and said in err


def test_a_home_that_is_no_folder_is_one_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("x")
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("FTRAG_HOME", str(home))
        status, _, err = run(capsys, "new", "demo")
        assert status == 2 and "set FTRAG_HOME to a folder" in err and err.count("\n") == 1


def test_a_binary_file_of_capabilities_is_one_line(tmp_path, capsys):
    (tmp_path / "lines.txt").write_bytes(b"\xcf\xfa\xed\xfe")
    status, _, err = run(capsys, "classify", "--file", str(tmp_path / "lines.txt"))
    assert status == 2 and "is not UTF-8 text" in err and err.count("\n") == 1


@pytest.mark.parametrize("text", ["{broken", "[]", '{"name": "old"}'])
def test_one_damaged_project_does_not_stop_the_others(demo, capsys, text):
    (demo.parent / "old").mkdir()
    (demo.parent / "old" / "project.json").write_text(text)
    status, _, err = run(capsys, "ask", "nowhere", "Hello?")
    assert status == 2 and "(known: old, demo)" in err
    status, _, err = run(capsys, "search", "old", "Hello?")
    assert status == 2 and err.count("\n") == 1


def test_files_are_taken_or_refused_by_name(demo, tmp_path, capsys):
    good, empty = tmp_path / "tower.md", tmp_path / "empty.md"
    good.write_text("# Tower\n\nThe tower closes at 17:25.\n")
    empty.write_text("")
    status, value, _ = run(capsys, "ingest", "demo", str(good), str(empty), str(tmp_path / "none.md"), str(tmp_path))
    assert status == 0
    assert [row["file"] for row in value["taken"]] == ["tower.md"]
    assert [row["reason"].split(";")[0] for row in value["refused"][1:]] == ["there is no such file", "is a folder"]
    assert run(capsys, "search", "demo", "When does the tower close?", "-k", "1")[1][0]["document"] == "tower.md"
    status, value, _ = run(capsys, "ingest", "demo", str(empty))
    assert status == 2 and not value["taken"]


def test_rows_of_another_shape_replace_the_old_ones(demo, tmp_path, capsys):
    rows = tmp_path / "rows.csv"
    rows.write_text("Frage,Antwort\nWie geht es?,Gut.\n")
    status, value, _ = run(capsys, "examples", "demo", str(rows), "--map", "prompt=Frage", "--map", "response=Antwort")
    assert status == 0 and value["taken"][0]["rows"] == 1
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"id": 1, "question": "Wo?", "answers": ["hier"]}\nnot json\n')
    status, value, _ = run(capsys, "gold", "demo", str(gold))
    assert status == 0 and value["refused"][0]["row"] == 2


def test_gold_in_the_training_rows_blocks(demo, capsys):
    question = json.loads((demo / "gold.jsonl").read_text().splitlines()[0])
    row = {"prompt": question["question"], "response": question["answers"][0]}
    with (demo / "examples.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    assert "gold" in run(capsys, "train", "demo")[2]
    assert run(capsys, "evaluate", "demo", "--arms", "base")[0] == 2


@pytest.mark.slow
def test_train_evaluate_ask_report_reroute_for_real(demo, capsys, monkeypatch):
    """Real weights, a very short training, four questions; shapes as the commands promise them."""
    gold = (demo / "gold.jsonl").read_text().splitlines()
    (demo / "gold.jsonl").write_text("\n".join(gold[:8]) + "\n")  # all of these are read with and without the LoRA
    fewer_questions(monkeypatch, general=5, safety=5)  # all of them are asked in test_browser.py
    project.update(demo, settings=project.settings(demo)["settings"] | {"max_new_tokens": 24})
    status, trained, _ = run(capsys, "train", "demo", "--epochs", "0.1")
    assert status == 0 and trained["adapter"] and trained["tokens_per_second"] > 0
    assert {"train_loss", "eval_loss", "seconds", "warnings"} <= set(trained)
    status, result, _ = run(capsys, "evaluate", "demo", "--limit", "4", "--arms", "base,base+rag,lora,lora+rag")
    assert status == 0 and set(result["arms"]) == {"base", "base+rag", "lora", "lora+rag"}
    assert {"content", "behaviour", "both", "n", "latency_p50_s"} <= set(result["arms"]["lora"])
    assert sum(result["causes"]["content"].values()) == 4
    status, answer, _ = run(capsys, "ask", "demo", "What does a Bobber cost?")
    assert status == 0 and answer["answer"] and answer["sources"] and answer["tokens"] > 0
    first = run(capsys, "report", "demo", result["run"], "--format", "json")[1]
    assert first == run(capsys, "report", "demo", result["run"], "--format", "json")[1]
    assert main(["report", "demo", result["run"], "--format", "html"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")
    assert result["route"] == "not enough evidence"
    assert "no arm worth promoting" in run(capsys, "promote", "demo", result["run"])[2]
    from ftrag.outcomes import tree_hash

    before = tree_hash(demo)
    (demo / "gold.jsonl").write_text("\n".join(gold[:4]) + "\n")
    shortened = tree_hash(demo)
    assert shortened != before
    sibling = run(capsys, "reroute", "demo")[1]
    assert sibling["project"] == "demo-rag" and tree_hash(demo) == shortened
    assert run(capsys, "reroute", "demo")[1]["existed"] is True
    settings = json.loads((demo.parent / "demo-rag" / "project.json").read_text())
    assert settings["runtime_config"] == {"rag_first": True} and settings["lineage"]["parent"] == "demo"
