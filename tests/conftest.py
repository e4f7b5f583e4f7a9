"""What all tests share: a home of their own, and where the data lie that the project does not ship."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty FTRAG_HOME."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("FTRAG_HOME", str(folder))
    monkeypatch.delenv("FTRAG_JOB", raising=False)
    return folder


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory):
    """The project `demo` as the support example makes it, to be copied: making it again takes longer."""
    from ftrag import workflows

    return Path(workflows.new(tmp_path_factory.mktemp("made"), "demo", "support")["path"])


@pytest.fixture
def demo(home, made_demo):
    """The project `demo`, made from the support example."""
    return Path(shutil.copytree(made_demo, home / "projects" / "demo"))


@pytest.fixture(scope="session")
def shared():
    """The folder with data and contracts that are not part of the project; skips where it is absent."""
    folder = Path(os.environ.get("FTRAG_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared folder at {folder}: set FTRAG_SHARED to run this test")
    return folder


@pytest.fixture(scope="module")
def chromium():
    """A headless browser. Not of the session: its event loop would be in the way of tests that run their own."""
    from tests import browser

    with browser.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def space(tmp_path_factory):
    """(address, seconds until it answered, home) of the app as a Space starts it: no secrets, and no Hub."""
    from tests.browser import served

    home = tmp_path_factory.mktemp("space")
    settings = {"SYSTEM": "spaces", "GRADIO_SERVER_NAME": "127.0.0.1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    with served(home, **settings) as (address, seconds):
        yield address, seconds, home


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of the app with the real model, each browser context a visitor of its own."""
    from tests.browser import served

    with served(tmp_path_factory.mktemp("server")) as (address, _):
        yield address


@pytest.fixture(scope="session")
def parrot(tmp_path_factory):
    """Address of the app with a model that repeats what it reads, each browser context a visitor of its own."""
    from tests.browser import served

    with served(tmp_path_factory.mktemp("parrot"), ("-m", "tests.scripted")) as (address, _):
        yield address


@pytest.fixture(scope="session")
def nursery():
    """What starts trainings that are killed; its imports take longer than any of them."""
    from tests.crash import Nursery

    with Nursery() as running:
        yield running
