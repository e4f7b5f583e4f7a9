"""Chat, vote, edit and link by command: what the page does by a click."""

import json

import pytest

from ftrag import jobs, workflows
from ftrag import project as projects
from ftrag.cli import main
from ftrag.llm import ScriptedLLM

QUESTION = "What would I have to pay for one of those floating fobs, the Bobber?"


@pytest.fixture
def project(demo, monkeypatch):
    """The support example, answered by a model that repeats what it read."""
    parrot = ScriptedLLM(lambda prompt: str(prompt.messages[-1]["content"]))
    monkeypatch.setattr(workflows, "model", lambda name: parrot)
    return projects.find("demo", projects.home())


def run(capsys, *arguments):
    """(exit status, the JSON value or the sentence on standard error)."""
    status = main([*arguments, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out) if said.out else said.err


def test_two_columns_are_asked_exported_and_voted_on(capsys, project, tmp_path):
    status, value = run(capsys, "chat", "demo", QUESTION, "Hello?")
    assert status == 0 and [turn["question"] for turn in value["turns"]] == [QUESTION, "Hello?"]
    left, right = value["turns"][0]["answers"]
    assert (left["column"], right["column"]) == ("base model, without retrieval", "base model, with retrieval (k 3)")
    assert "16.80" in right["text"] and "16.80" not in left["text"] and right["sources"]
    value["turns"].pop()
    file = tmp_path / "chat.json"
    file.write_text(json.dumps(value))
    status, kept = run(capsys, "vote", "demo", str(file), "right")
    assert status == 0 and kept["kept"]["vote"] == "right" and kept["agreement"]["votes"] == 1
    assert list(projects.read_jsonl(project / "votes.jsonl"))[0]["question"] == QUESTION
    assert main(["chat", "demo", "Hello?"]) == 0 and "## Hello?" in capsys.readouterr().out


SAID = "  Hello!\n\nA Bobber costs €16.80. A Bobber can sing <b>nine</b> old songs. – Your Oarlane dock desk"


@pytest.fixture
def mixed(project, monkeypatch):
    """The support example, answered with a greeting, what a passage says, what none says, and a name below it."""
    monkeypatch.setattr(workflows, "model", lambda name: ScriptedLLM(lambda prompt: SAID))
    return project


def test_each_statement_of_an_answer_names_its_source_or_none(capsys, mixed):
    status, value = run(capsys, "ask", "demo", QUESTION)
    assert status == 0
    found = [(value["answer"][row["start"] : row["end"]], row["supported"]) for row in value["sentences"]]
    assert found == [("A Bobber costs €16.80.", True), ("A Bobber can sing <b>nine</b> old songs.", False)]
    first, second = value["sentences"]
    source = value["sources"][first["source"]]
    assert source["supports"] and "16.80" in source["quote"] and second["source"] is None


def test_an_answer_that_read_nothing_has_no_statements_to_hold_against_passages(capsys, mixed):
    status, value = run(capsys, "ask", "demo", QUESTION, "--context", "none")
    assert status == 0 and value["sources"] == value["sentences"] == []


def test_statements_of_an_exported_answer_point_into_its_text(capsys, mixed):
    left, right = run(capsys, "chat", "demo", QUESTION)[1]["turns"][0]["answers"]
    assert left["sentences"] == []
    cut = [right["text"][row["start"] : row["end"]] for row in right["sentences"]]
    assert cut == ["A Bobber costs €16.80.", "A Bobber can sing <b>nine</b> old songs."]
    assert "16.80" in right["sources"][right["sentences"][0]["source"]]["quote"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chat", "demo", " "], "the question is empty"),
        (["chat", "demo", "x", "--left", "none,everything"], "a column is WEIGHTS,CONTEXT"),
        (["chat", "demo", "x", "--left", "other,none"], "no adapter 'other'"),
        (["chat", "demo", "x", "--temperature", "9"], "0 to 1.5"),
        (["vote", "demo", "nowhere.json", "left"], "there is no file"),
        (["edit", "demo", "bobber-key-fob.md", "nowhere.md"], "there is no file"),
        (["link"], "name a project"),
        (["link", "--job", "x"], "there is no job"),
        (["jobs", "--cancel", "a", "--log", "b"], "not several"),
    ],
)
def test_bad_input_is_one_sentence(capsys, project, arguments, said):
    status, sentence = run(capsys, *arguments)
    assert status == 2 and said in sentence and sentence.count("\n") == 1


def test_a_file_without_a_conversation_is_no_vote(capsys, project, tmp_path):
    for text in ("{", "[]", "{}", '{"turns": []}', '{"turns": [{"question": "x", "answers": [{}]}]}'):
        (tmp_path / "chat.json").write_text(text)
        status, sentence = run(capsys, "vote", "demo", str(tmp_path / "chat.json"), "tie")
        assert status == 2 and "holds no conversation" in sentence


def test_a_document_is_edited_and_found_again(capsys, project, tmp_path):
    new = tmp_path / "new.md"
    old = (project / "documents" / "bobber-key-fob.md").read_text()
    new.write_text(old.replace("16.80", "99.10"))
    status, value = run(capsys, "edit", "demo", "bobber-key-fob.md", str(new))
    assert status == 0 and value["status"] == "replaced" and value["milliseconds"] > 0
    assert "99.10" in run(capsys, "search", "demo", "What does a Bobber cost?", "-k", "1")[1][0]["text"]


def test_an_example_has_a_link_and_a_project_of_ones_own_has_none(capsys, project):
    assert run(capsys, "link", "demo") == (0, {"link": "http://127.0.0.1:7860/?project=support"})
    job = jobs.create(projects.home(), ["train", "demo"], "", "demo").name
    status, value = run(capsys, "link", "--job", job, "--page", "https://team.example")
    assert value == {"link": f"https://team.example/?run={job}"}
    projects.create("mine", projects.home())
    status, sentence = run(capsys, "link", "mine")
    assert status == 2 and "is private, so it has no link" in sentence


def test_a_job_is_read_and_dismissed_by_command(capsys, home):
    folder = jobs.create(projects.home(), ["train", "demo"], "", "demo")
    (folder / "output.log").write_text("loss 1.0\n")
    assert run(capsys, "jobs", "--log", folder.name) == (0, "loss 1.0\n")
    projects.write_json(
        folder / "status.json", {"state": "done", "fraction": 1.0, "message": "done", "pid": 0, "born": 0}
    )
    assert run(capsys, "jobs", "--dismiss", folder.name) == (0, [])
