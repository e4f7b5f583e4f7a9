"""What a Space needs: front matter, requirements that resolve with the builder's, a page without secrets or Hub."""

import importlib.metadata
import os
import subprocess
import sys
import types

import pytest
from huggingface_hub import SpaceCard

from ftrag import project as projects
from ftrag import quotas, zero
from tests.conftest import ROOT
from tests.raw import Raw, fetch

BUILDER = "gradio[oauth,mcp]=={version}\nuvicorn\nwebsockets\nspaces\n"  # what a Space's builder adds to ours


@pytest.fixture
def card():
    return SpaceCard.load(ROOT / "README.md").data


def test_the_front_matter_says_what_a_space_reads(card):
    assert (card.sdk, card.python_version, card.license) == ("gradio", "3.12", "apache-2.0")
    assert card.sdk_version.split(".")[:2] == importlib.metadata.version("gradio").split(".")[:2]
    assert (ROOT / card.app_file).is_file()
    assert len(card.short_description) <= 60 and card.title and card.emoji


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_requirements_resolve_together_with_the_builders(card, tmp_path, python):
    added = tmp_path / "builder.txt"
    added.write_text(BUILDER.format(version=card.sdk_version))
    command = [sys.executable, "-m", "uv", "pip", "compile", "-q", "--no-header", "--no-annotate"]
    command += ["--python-version", python, "requirements.txt", str(added)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if done.returncode and any(word in done.stderr for word in ("fetch", "connect", "timed out", "dns")):
        pytest.skip("the package index does not answer, so nothing is resolved")
    assert done.returncode == 0, done.stderr[-2000:]
    pins = dict(line.split("==") for line in done.stdout.splitlines() if "==" in line)
    assert pins["gradio"] == card.sdk_version and {"mcp", "spaces", "torch", "transformers"} <= set(pins)


def test_the_page_answers_in_20_s_without_secrets_and_without_the_hub(space):
    address, seconds, _ = space
    assert seconds < 20
    status, body = fetch(address)
    assert status == 200 and b"gradio_config" in body


def test_a_space_says_what_is_not_kept_and_offers_to_duplicate(space):
    """FTRAG_HOME is a temporary folder here, as on a Space without storage."""
    me = Raw(space[0])
    config = me.config
    shown = " ".join(str(row["props"].get("value")) for row in config["components"])
    assert "days is deleted" in shown
    me.mine("arrive")
    assert "will be gone" in me.mine("tick", *me.defaults("tick", "support"))[1]
    assert any(row["props"].get("elem_id") == "duplicate" for row in config["components"])
    assert not any(row["type"] == "loginbutton" for row in config["components"])  # OAuth is not configured


def test_home_is_the_mounted_storage_where_there_is_one(monkeypatch, tmp_path):
    monkeypatch.delenv("FTRAG_HOME", raising=False)
    monkeypatch.setenv("SYSTEM", "spaces")
    if not os.access("/data", os.W_OK):
        assert not projects.survives_restart(projects.home())
    monkeypatch.setenv("FTRAG_HOME", str(tmp_path))
    assert projects.home() == tmp_path.resolve()


def test_limits_are_strict_on_a_space_and_a_variable_replaces_them(monkeypatch):
    monkeypatch.delenv("SYSTEM", raising=False)
    local = quotas.limit("questions")
    monkeypatch.setenv("SYSTEM", "spaces")
    assert all(row.space <= row.local for row in quotas.LIMITS.values())
    assert quotas.limit("questions") < local
    monkeypatch.setenv("FTRAG_LIMIT_QUESTIONS", "7")
    assert quotas.limit("questions") == 7


def test_answers_ask_for_the_lent_gpu_on_zerogpu_alone(monkeypatch):
    lent = []
    library = types.ModuleType("spaces")
    library.GPU = lambda duration: lambda function: lent.append((function.__name__, duration)) or function
    monkeypatch.setitem(sys.modules, "spaces", library)

    def answer():
        return 1

    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert zero.on_gpu(answer) is answer and not lent
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    zero.on_gpu(answer)
    assert lent == [("answer", zero.SECONDS)]
    monkeypatch.setenv("FTRAG_JOB", "/job")  # a training's process gets no GPU and asks for none
    zero.on_gpu(answer)
    assert len(lent) == 1


def test_without_the_mcp_library_the_page_still_starts(tmp_path):
    """The build of the page with `mcp` hidden, as after `pip install gradio` alone."""
    code = (
        "import sys; sys.modules['mcp'] = None\n"
        "from pathlib import Path\n"
        "from ftrag.ui import page, serve\n"
        "blocks = page.build()\n"
        "settings = serve.launch_settings(Path(sys.argv[1]))\n"
        "assert settings['mcp_server'] is False\n"
        "print('built')"
    )
    environment = os.environ | {"FTRAG_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "built", done.stderr[-1500:]
