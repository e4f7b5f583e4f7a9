"""A project is there whole or not at all, however often and from wherever it is asked for."""

import threading

import pytest

from ftrag import project as projects
from ftrag import workflows
from ftrag.errors import InputError
from ftrag.ui import header, session
from ftrag.ui.choice import Choice


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FTRAG_HOME", str(tmp_path))
    return tmp_path


def at_once(*calls):
    """Run all calls in threads of their own; their errors."""
    errors = []

    def run(call):
        try:
            call()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_an_example_that_is_asked_for_four_times_at_once_is_opened_once(home):
    visitor = session.new_visitor()
    assert not at_once(*[lambda: header.opened_example(visitor, "tickets")] * 4)
    folder = session.workspace(visitor) / "projects"
    assert [path.name for path in folder.iterdir()] == ["tickets"]  # and no draft is left
    assert (folder / "tickets/runs" / workflows.RECORDED / "run.json").exists()


def test_of_two_that_make_the_same_name_one_is_told_so(home):
    errors = at_once(*[lambda: workflows.new(home, "mine", "tickets")] * 2)
    assert [type(error) for error in errors] == [InputError] and "exists already" in str(errors[0])
    assert projects.names(home) == ["mine"]


def test_a_project_is_not_seen_before_it_is_whole(home):
    seen = []

    def fill(folder):
        assert (folder / "project.json").exists()
        seen.append(projects.names(home))

    projects.create("mine", home, fill=fill)
    assert seen == [[]] and projects.names(home) == ["mine"]


def test_one_that_could_not_be_filled_leaves_nothing(home):
    def fill(folder):
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk is full"):
        projects.create("mine", home, fill=fill)
    assert not list((home / "projects").iterdir())


def test_a_choice_that_its_list_no_longer_has_reaches_the_handler():
    """Else gradio refuses it, and forgets the change that waited behind the refused one."""
    listed = Choice(["tickets"])
    assert listed.preprocess("Example: tickets") == "Example: tickets" and listed.get_block_name() == "dropdown"
    assert header.chosen("Example: tickets") != "Example: tickets" and header.chosen("tickets") == "tickets"
