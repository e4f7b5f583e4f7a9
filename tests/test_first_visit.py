"""The first minute and the header: what a visitor finds, makes, shares and deletes, called as the page calls it."""

import json
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import gradio as gr
import pytest

from ftrag import conversation, jobs, workflows
from ftrag import project as projects
from ftrag.ui import chat, chat_turn, chat_view, header, page, session, steps, texts, train
from ftrag.ui.texts import commands
from tests.conftest import ROOT


def request(**query):
    """What the handlers read of a gr.Request."""
    return SimpleNamespace(query_params=query, headers={})


@pytest.fixture
def visitor(home, monkeypatch):
    """Somebody who has just come, in a home without examples' slow parts."""
    monkeypatch.delenv("FTRAG_SHARED_HOME", raising=False)
    return header.arrive("", request())[0]


def chosen(update):
    return update["value"]


# --- the recorded example


@pytest.fixture
def example_with_adapter(tmp_path, monkeypatch):
    """A copy of the examples in which `support` has a recorded adapter of a few bytes."""
    shutil.copytree(projects.EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("adapters"))
    folder = tmp_path / "examples" / "support" / "recorded" / "adapters" / "20260101-000000-1-ab"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "card.json").write_text(json.dumps({"adapter": folder.name, "settings": {"rank": 4, "epochs": 3.0}}))
    monkeypatch.setattr(projects, "EXAMPLES", tmp_path / "examples")
    return folder


def test_a_recorded_adapter_comes_with_the_recorded_run_and_only_then(home, example_with_adapter):
    workflows.new(home, "support", "support", recorded=True)
    workflows.new(home, "plain", "support")
    project = home / "projects" / "support"
    (card,) = workflows.adapters(project)
    assert card["id"] == example_with_adapter.name
    assert workflows.choose_adapter(project, None) == example_with_adapter.name
    assert (project / "adapters" / card["id"] / "adapter_model.safetensors").read_bytes() == b"weights"
    run = projects.read_json(project / "runs" / workflows.RECORDED / "run.json")
    assert run["reproduce"].endswith("then train demo and evaluate demo")  # its own adapter is not among these copies
    assert workflows.adapters(home / "projects" / "plain") == []
    assert not (home / "projects" / "plain" / "recorded").exists()


def test_the_recorded_adapter_can_be_chosen_in_chat(home, example_with_adapter):
    workflows.new(home, "support", "support", recorded=True)
    labels = chat_view.weights(home / "projects" / "support")
    assert labels == [("base model", "none"), ("LoRA of 01.01. 00:00", example_with_adapter.name)]


def test_the_promoted_release_stands_first(home, example_with_adapter):
    workflows.new(home, "support", "support", recorded=True)
    project = home / "projects" / "support"
    newer = project / "adapters" / "20270101-000000-1-cd"
    newer.mkdir()
    projects.write_json(newer / "card.json", {"adapter": newer.name})
    assert [value for _, value in chat_view.weights(project)] == ["none", newer.name, example_with_adapter.name]
    projects.write_json(
        project / "releases.json", [{"release": "r1", "state": "promoted", "adapter": example_with_adapter.name}]
    )
    labels = chat_view.weights(project)
    assert labels[1] == ("LoRA of 01.01. 00:00 ★ promoted", example_with_adapter.name)


@pytest.mark.parametrize("name", projects.examples())
def test_every_example_that_ships_weights_ships_them_whole(name):
    """Safetensors alone, small, with the card that the page reads; the run points at one of them."""
    recorded = projects.example_folder(name) / "recorded"
    for folder in (path for path in recorded.glob("adapters/*") if path.is_dir()):
        assert {"adapter_model.safetensors", "adapter_config.json", "card.json"} <= {p.name for p in folder.iterdir()}
        assert sum(path.stat().st_size for path in folder.iterdir()) < 12_000_000  # bytes
        assert not list(folder.glob("*.bin")) and not list(folder.glob("*.pt"))
    if (recorded / "adapters").is_dir():
        assert (recorded / "adapters" / projects.read_json(recorded / "run.json")["adapter"]).is_dir()


# --- arriving


def test_a_first_visit_opens_a_finished_example_on_its_evidence(home):
    visitor, project, tabs = header.arrive("", request())
    assert session.VISITOR.fullmatch(visitor)
    assert chosen(project) == "support" and header.FIRST_TAB == "evaluate"
    assert "selected" not in tabs  # the page stands on it already: whoever turned elsewhere meanwhile stays there
    assert project["choices"] == ["support", *(f"Example: {name}" for name in ("handbook", "tickets"))]
    again, same, _ = header.arrive(visitor, request())
    assert again == visitor and chosen(same) == "support"


def test_a_link_opens_an_example_and_nothing_else(home, visitor):
    assert chosen(header.arrive(visitor, request(project="tickets"))[1]) == "tickets"
    for linked in ("nothing", "../../etc", "<script>", "handbook/../support"):
        assert chosen(header.arrive(visitor, request(project=linked))[1]) == "tickets"  # the newest of one's own


def test_a_link_with_answers_opens_decide(home):
    assert header.arrive("", request(decide="knowledge-changes:weekly"))[2]["selected"] == "decide"


@pytest.mark.parametrize("name", projects.examples())
def test_every_example_opens(home, visitor, name):
    update, *_ = header.open_example(visitor, f"{header.EXAMPLE}{name}")
    if name != "support":
        assert chosen(update) == name
    assert steps.steps(visitor, name)


# --- making, sharing, deleting


def test_own_data_start_in_an_empty_project_of_a_free_name(home, visitor):
    first, tabs = header.use_own(visitor)
    second, _ = header.use_own(visitor)
    assert (chosen(first), chosen(second)) == ("my-project", "my-project-2")
    assert tabs["selected"] == "train"
    assert steps.facts(session.project(visitor, "my-project"))["documents"] == 0


def test_a_name_that_is_none_is_one_sentence(home, visitor):
    with pytest.raises(gr.Error, match="is not a project name"):
        header.make(visitor, "../evil", header.EMPTY)
    with pytest.raises(gr.Error, match="exists already"):
        header.make(visitor, "support", header.EMPTY)


def test_only_an_example_has_a_link(home, visitor):
    header.use_own(visitor)
    note, path, link, *_ = header.show_share(visitor, "support")
    assert path == "?project=support" and link["visible"]
    note, path, link, *_ = header.show_share(visitor, "my-project")
    assert (path, link["visible"]) == ("", False) and "private" in note


def test_deleting_counts_what_goes_and_refuses_while_a_job_works(home, visitor):
    asked = header.show_delete(visitor, "support")[0]
    assert "26 documents" in asked and "1 evaluations" in asked and "fresh copy" in asked
    job = jobs.create(projects.home(), ["train", "support"], session.owner(visitor), "support")
    with pytest.raises(gr.Error, match="a job is working in support"):
        header.delete_project(visitor, "support")
    shutil.rmtree(job)
    header.use_own(visitor)
    assert chosen(header.delete_project(visitor, "support")[0]) == "my-project"
    assert chosen(header.delete_project(visitor, "my-project")[0]) == "support"  # never without a project


def test_nobody_deletes_what_is_anothers(home, visitor):
    header.make(visitor, "mine", header.EMPTY)
    other = header.arrive("", request())[0]
    for handler in (header.delete_project, header.show_delete, header.show_share):
        with pytest.raises(gr.Error, match="no project"):
            handler(other, "mine")
    with pytest.raises(gr.Error, match="no project of that name"):
        header.delete_project(other, f"../{session.owner(visitor)}/projects/mine")


# --- the strip and the commands


@pytest.mark.parametrize("tab", list(texts.NEXT))
def test_every_tab_has_a_next_step_and_its_commands(tab):
    _, target = texts.NEXT[tab]
    assert target in texts.NEXT and target != tab
    assert "none" in texts.STEPS[tab]
    for line in steps.command_lines(tab).splitlines():
        assert line.startswith("python -m ftrag ") and "{" not in line


def test_every_command_on_the_page_is_one_that_the_parser_takes():
    from ftrag.cli import parser

    for tab in texts.NEXT:
        for line in steps.command_lines(tab).splitlines():
            words = shlex.split(line.split(" > ")[0], comments=True)
            assert parser().parse_args(words[3:]).command == words[3]


def test_every_command_that_there_is_stands_on_a_tab():
    from ftrag.cli import parser

    known = next(action for action in parser()._actions if hasattr(action, "choices") and action.choices).choices
    shown = {line.split()[3] for tab in texts.NEXT for line in steps.command_lines(tab).splitlines()}
    assert set(known) - shown == {"diagnose"}  # for rows of other systems: an endpoint, no button


MOVES = {  # buttons that only turn the page, or stop or take back what was done on it
    *("◐ Theme", "Close", "Keep it", "Back", "Start again", "Stop", "Clear", "Open the rerouted sibling"),
    *("Next: Manner", "Next: Means", "Next: Limits", *(title for title, _ in texts.NEXT.values())),
}


def test_every_button_of_the_page_has_its_command(home):
    rows = [*commands.EVERYWHERE, *(row for tab in commands.COMMANDS.values() for row in tab)]
    named = {name.partition(":")[0] for names, _ in rows for name in names.split(" · ")}
    config = page.build().get_config_file()["components"]
    titles = {part["props"].get("value") for part in config if part["type"] == "button"} | set(
        texts.JOB_BUTTONS.values()
    )
    assert titles - MOVES - named == set()
    assert {"Documents", "Training examples", "Gold questions"} <= named  # what is dropped into boxes


def test_the_commands_name_the_newest_run_and_adapter(home, visitor):
    project = session.project(visitor, "support")
    run, adapter = (next(project.glob(found)).parent.name for found in ("runs/*/run.json", "adapters/*/card.json"))
    lines = steps.command_lines("evaluate", project)
    assert f"report support {run} --format" in lines and f"export support {adapter}  #" in lines


def test_the_strip_begins_with_what_a_first_visitor_finds():
    """Until the project is known the page must not ask for documents that the first example has."""
    with gr.Blocks():
        said = steps.step("evaluate")["said"].value
    assert "Oarlane dock desk" in said and "recorded run" in said


def test_a_recorded_adapter_is_not_said_never_to_have_been_trained(home, visitor):
    job, _, _, outcome = train.poll(visitor, "support")
    assert "Newest adapter" in outcome and job == ""
    header.use_own(visitor)
    job, _, _, outcome = train.poll(visitor, "my-project")
    assert outcome == "" and texts.NO_JOB in job


def test_the_strip_follows_the_project(home, visitor):
    header.use_own(visitor)
    assert "recorded run" in steps.steps(visitor, "support")[2]
    assert "Start with your documents" in steps.steps(visitor, "my-project")[1]
    assert steps.steps(visitor, None)[1] == texts.STEPS["train"]["none"]


def test_what_two_threads_must_not_import_at_once_is_there_before_the_first_visitor():
    """Without it a visitor who came while the model was loading read that something went wrong."""
    settled = "print('AutoTokenizer' in dir(sys.modules[warm.SETTLED[1]]))"
    code = f"import sys; from ftrag.ui import warm; warm.settle(); {settled}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "True", done.stderr[-800:]


# --- chat without a model


def test_settings_are_held_within_their_limits_whatever_is_sent(home, visitor):
    sent = ["none", "none", "retrieved", "nonsense", 999, -5, 10**9, 99.0, 7, True, [], [], []]
    columns, limits, blind, turns, chats = chat_turn.read(session.project(visitor, "support"), sent)
    assert [column["k"] for column in columns] == [10, 1]
    assert [column["context"] for column in columns] == ["retrieved", "none"]
    assert (limits.max_new_tokens, limits.temperature) == (256, 1.5)
    assert columns[0]["minimum_match"] == 0.9 and blind and turns == [] and chats == [[], []]


def test_an_empty_question_is_one_sentence(home, visitor):
    settings = ["none", "none", "none", "retrieved", 3, 3, 96, 0, 0, False, [], [], []]
    with pytest.raises(gr.Error, match="the question is empty"):
        next(chat.answer(visitor, "support", "   ", *settings))
    with pytest.raises(gr.Error, match="no question to ask again"):
        next(chat.again(visitor, "support", {}, *settings))


def test_presets_say_what_is_missing(home, visitor):
    header.use_own(visitor)
    assert chat.apply_preset(texts.PRESETS[0], visitor, "my-project") == ["none", "none", "none", "retrieved"]
    with pytest.raises(gr.Error, match="no LoRA yet"):
        chat.apply_preset(texts.PRESETS[1], visitor, "my-project")
    with pytest.raises(gr.Error, match="promoted yet"):
        chat.apply_preset(texts.PRESETS[3], visitor, "my-project")


def test_suggested_questions_differ_in_kind(home, visitor):
    project = session.project(visitor, "support")
    questions = chat_view.suggestions(project)
    slices = {row.slice for row in workflows.gold_rows(project) if row.question in questions}
    assert len(questions) == len(slices) == chat_view.SUGGESTED


PASSAGE = {"document": "fees.md", "chunk": 0, "start": 100, "end": 130, "text": "A Bobber costs €16.80. <b>Pay</b>."}


def test_the_span_is_marked_inside_its_passage_and_everything_is_escaped():
    source = {"document": "fees.md", "chunk": 0, "start": 100, "end": 122, "supports": True, "where": "Fees > Fobs"}
    html = chat_view.cards(state("x") | {"sources": [source]})
    assert "<mark>A Bobber costs €16.80.</mark> &lt;b&gt;Pay&lt;/b&gt;." in html
    assert "supports the answer" in html and "open" in html
    unread = chat_view.cards(state("x"))
    assert "<mark>" not in unread and "read; no sentence of it is quoted" in unread and "not used" not in unread
    assert "Fees &gt; Fobs" in html and "characters" not in html  # where it stands, by name
    assert "characters 100–130" in unread  # nothing there has a name


def test_statements_without_support_are_named_in_words_and_escaped():
    text = "- A **Bobber** costs €16.80. It sings <img src=x onerror=alert(1)>."
    source = {"document": "fees.md", "chunk": 0, "start": 100, "end": 122, "supports": True, "where": "<i>"}
    rows = [{"start": 0, "end": 28, "supported": True, "source": 0}]
    rows += [{"start": 29, "end": len(text), "supported": False, "source": None}]
    first = PASSAGE | {"document": "other.md"}
    column = state(text) | {"passages": [first, PASSAGE], "sources": [source], "sentences": rows}
    html = chat_view.cards(column)
    assert "✓ Statements that a passage supports: 1 of 2" in html
    assert "“A Bobber costs €16.80.” " in html and "passage 1" in html and "1 · fees.md" in html
    assert "○ No support found in what was read:" in html
    assert "“It sings &lt;img src=x onerror=alert(1)&gt;.”" in html and "<img" not in html and "<i>" not in html
    none = chat_view.cards(column | {"sentences": rows[1:]})
    assert "○ Statements that a passage supports: 0 of 1" in none and "✓" not in none
    assert "Statements" not in chat_view.cards(column | {"sentences": []})
    assert chat_view.cards(column | {"done": ""}) == ""


def test_a_question_that_cannot_be_answered_is_not_lost(home, visitor):
    header.make(visitor, "empty", header.EMPTY)
    settings = [chat_view.BASE, chat_view.BASE, "none", "retrieved", 3, 3, 16, 0, 0, False, ["earlier"], ["a"], ["b"]]
    seen = []
    with pytest.raises(gr.Error, match="no documents to search"):
        seen += chat.answer(visitor, "empty", "Where is the key?", *settings)
    stream = chat.answer(visitor, "empty", "Where is the key?", *settings)
    first = next(stream)
    assert first[-1] == "" and first[4] == "reading…"
    last = next(stream)
    assert last[-1] == "Where is the key?" and last[:2] == [["a"], ["b"]] and last[4:8] == [""] * 4
    assert last[9:11] == [["earlier"], {}]


def test_overlapping_spans_become_one():
    spans = [{"document": "fees.md", "chunk": 0, "start": 100 + a, "end": 100 + b, "supports": True} for a, b in
             ((0, 8), (4, 12), (20, 22))]  # fmt: skip
    assert chat_view._spans(PASSAGE, spans) == [(0, 12), (20, 22)]


def state(text):
    return {
        "text": text,
        "tokens": 11,
        "seconds": 1.5,
        "first": 0.5,
        "done": "stop",
        "passages": [PASSAGE],
        "dropped": [],
        "sources": [],
        "sentences": [],
    }


def test_a_note_counts_tokens_after_the_first():
    asked = {"adapter": None, "context": "retrieved", "k": 3}
    note = chat_view.note(state("x"), asked)  # 10 tokens in 1.5 - 0.5 seconds
    assert note == "first token 0.50 s · 10 tokens/s · 11 tokens · 1 passage read"


def test_a_passage_over_the_budget_is_shown_as_left_out():
    asked = {"adapter": None, "context": "retrieved", "k": 3}
    other = PASSAGE | {"chunk": 1, "text": "Too long."}
    column = state("x") | {"dropped": [other]}
    assert "1 passage read, 1 left out" in chat_view.note(column, asked)
    assert "Too long." in chat_view.cards(column) and chat_view.cards(column).count("left out") == 1


def test_a_conversation_exports_without_markup_of_its_own():
    columns = [{"adapter": None, "context": "none", "k": 3}, {"adapter": None, "context": "retrieved", "k": 3}]
    turns = [chat_view.turn("Is <b>this</b>\nfree?", columns, [state("**no**"), state("``` yes")])]
    text = conversation.written(turns, "support", "md")
    assert "## Is &lt;b&gt;this&lt;/b&gt; free?" in text and "```text\n**no**\n```" in text and "~~~~text" in text
    assert json.loads(conversation.written(turns, "support", "json"))["turns"][0]["answers"][1]["k"] == 3


def test_a_blind_turn_tells_nothing_before_the_vote():
    columns = [{"adapter": None, "context": "retrieved", "k": 3}, {"adapter": None, "context": "none", "k": 3}]
    shown = chat_turn._shown([[], []], [state("a"), state("b")], columns, True, [], "q")
    sent = json.dumps([part for part in shown[:9] if not isinstance(part, dict)])
    assert "retrieval" not in sent and "fees.md" not in sent and "tokens/s" not in sent
    assert shown[8]["visible"]  # the vote
    assert "with retrieval" not in "".join(chat_turn.heads(columns, True))
    assert "with retrieval" in "".join(chat_turn.heads(columns, False))


def test_a_message_keeps_its_quotation_marks_on_the_page(home, visitor):
    """gradio's page strips one from either end, so an unseen space stands before and after."""
    with pytest.raises(gr.Error) as error:
        header.make(visitor, "bad name!", header.EMPTY)
    assert error.value.message.startswith("\u200b'bad name!' is not") and error.value.message.endswith("'-'\u200b")
    assert session._framed("a < b") == "a &lt; b"


def test_epochs_and_rate_are_left_to_the_data_and_the_model_unless_somebody_changes_them():
    from ftrag.training.settings import TrainSettings

    usual = TrainSettings()
    rest = ["--rank", "8", "--dropout", "0.1", "--context-share", "1", "--seed", "0"]
    assert train._flags((usual.epochs, 8, usual.learning_rate, 0.1, 1, 0)) == rest
    assert train._flags((1.5, 8, None, 0.1, 1, 0)) == ["--epochs", "1.5", *rest]


def test_a_tab_that_turns_late_does_not_wipe_out_what_an_upload_said():
    built = page.build()
    taken = next(id_ for id_, block in built.blocks.items() if getattr(block, "elem_id", None) == "taken")
    emptying = [fn for fn in built.fns.values() if taken in [part._id for part in fn.outputs] and not fn.inputs]
    turning = [fn for fn in built.fns.values() if fn.name == "choose"]
    assert len(turning) == 3
    assert not [fn for fn in turning if taken in [part._id for part in fn.outputs]]
    assert [fn.queue for fn in emptying] == [False]  # at the change itself, before anybody can upload
