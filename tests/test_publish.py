"""Out to the Hub and back, against a server of our own: whole or not at all, checked, and never with a token in it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import gradio as gr
import pytest
from huggingface_hub import ModelCard, SpaceCard, constants

from ftrag import hub as hubs
from ftrag import outcomes, publish
from ftrag import project as projects
from ftrag.errors import InputError, ModelError, NotFound
from ftrag.training import adapters, lora
from ftrag.training.settings import TrainSettings
from tests.browser import wait_until
from tests.conftest import ROOT
from tests.hub import TOKEN, hub
from tests.tiny import rows, tiny

RUN = {
    "title": "Demo",
    "n": 30,
    "machine": "2 CPU threads",
    "created": "2026-01-02T03:04:05Z",
    "decision": {"sentence": "Do both.", "route": "both"},
    "arms": {
        "base": {"content": 0.1, "behaviour": 0.0, "both": 0.0},
        "lora+rag": {"content": 0.8, "behaviour": None, "both": 0.75},
    },
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project on a tiny model in a folder, with one trained adapter and a run that measured it."""
    folder = tmp_path_factory.mktemp("trained")
    loaded = tiny()
    loaded.model.save_pretrained(folder / "model")
    loaded.tokenizer.save_pretrained(folder / "model")
    project = projects.create("demo", folder)
    projects.update(project, model=str(folder / "model"), title="Demo <script>")
    (project / "documents" / "prices.md").write_text("# Prices\n\nA Bobber costs 12 euros.\n")
    (project / "gold.jsonl").write_text('{"id": 1, "question": "What does it cost?", "answers": ["12 euros"]}\n')
    (project / "examples.jsonl").write_text('{"prompt": "private", "response": "training row"}\n')
    from ftrag import workflows

    base = workflows.model(str(folder / "model")).loaded
    result = lora.train(base, rows(), project / "adapters", TrainSettings(forgetting=False, rank=2, epochs=0.5))
    card = project / "adapters" / result["adapter"] / "card.json"
    value = projects.read_json(card)
    projects.write_json(card, value | {"base": value["base"] | {"repo": "someone/tiny"}})
    projects.write_json(project / "runs" / "r1" / "run.json", RUN | {"adapter": result["adapter"]})
    return project, result["adapter"]


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # our server speaks the older protocol for large files
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    with hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


def files(server, kind, name):
    return server.repos[kind, name]["files"]


def test_an_adapter_goes_out_with_its_card_and_comes_back_the_same(trained, server):
    project, adapter = trained
    pushed = publish.push(project, adapter, "visitor/lora", TOKEN)
    held = files(server, "model", "visitor/lora")
    assert pushed["files"] == sorted(held) and server.repos["model", "visitor/lora"]["private"]
    card = ModelCard(held["README.md"].decode())
    assert card.data.base_model == "someone/tiny" and card.data.library_name == "peft"
    # content 0.8 and both 0.75 of lora+rag; behaviour was not scored, and base has no adapter
    assert [(r.metric_name, r.metric_value) for r in card.data.eval_results] == [
        ("content (lora+rag)", 0.8),
        ("both (lora+rag)", 0.75),
    ]
    assert "30 held-out questions" in card.text and "training rows" in card.text and "<script>" not in card.text
    assert json.loads(held["adapter_config.json"])["base_model_name_or_path"] == "someone/tiny"
    pulled = publish.pull(project, "visitor/lora", TOKEN)
    weights = [project / "adapters" / one / adapters.WEIGHTS for one in (adapter, pulled["adapter"])]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert projects.read_json(weights[1].parent / "card.json")["pulled"]["repo"] == "visitor/lora"


def test_a_cut_connection_is_survived_both_ways(trained, server):
    project, adapter = trained
    server.break_after = 2_000
    publish.push(project, adapter, "visitor/lora", TOKEN)
    assert server.breaks == 1 and adapters.WEIGHTS in files(server, "model", "visitor/lora")
    server.break_after = 2_000
    before = len(adapters.list_adapters(project))
    publish.pull(project, "visitor/lora", TOKEN)
    assert server.breaks == 2 and len(adapters.list_adapters(project)) == before + 1


def command(project, server, *arguments, token=TOKEN):
    environment = {"HF_ENDPOINT": server.address, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": token}
    environment |= {"FTRAG_HOME": str(project.parent.parent), "HF_HOME": str(project.parent.parent / "hf")}
    return subprocess.Popen(
        [sys.executable, "-m", "ftrag", *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_push_leaves_nothing_half_and_the_next_one_is_whole(trained, server):
    project, adapter = trained
    server.stall.set()
    process = command(project, server, "publish", "demo", adapter, "--to", "visitor/killed")
    wait_until(lambda: any(path.startswith("/upload/") for _, path in server.asked), 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.stall.clear()
    assert files(server, "model", "visitor/killed") == {}
    process = command(project, server, "publish", "demo", adapter, "--to", "visitor/killed")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["files"] == sorted(files(server, "model", "visitor/killed"))
    assert TOKEN not in out + err


def test_a_killed_pull_leaves_no_adapter_and_its_litter_is_swept(trained, server):
    project, adapter = trained
    publish.push(project, adapter, "visitor/lora", TOKEN)
    before = [card["id"] for card in adapters.list_adapters(project)]
    server.stall.set()
    process = command(project, server, "pull", "demo", "visitor/lora")
    wait_until(lambda: any("resolve" in path and "safetensors" in path for _, path in server.asked), 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.stall.clear()
    assert [card["id"] for card in adapters.list_adapters(project)] == before
    assert list(project.glob("adapters/.pull-*"))
    publish.pull(project, "visitor/lora", TOKEN)
    assert not list(project.glob("adapters/.pull-*"))
    assert len(adapters.list_adapters(project)) == len(before) + 1


def test_what_must_not_be_loaded_is_not_taken(trained, server):
    project, adapter = trained
    publish.push(project, adapter, "visitor/lora", TOKEN)
    held = files(server, "model", "visitor/lora")
    before = adapters.list_adapters(project)
    cut = held[adapters.WEIGHTS][:-100]
    server.repos["model", "visitor/bad"] = server.repos["model", "visitor/lora"] | {
        "files": held | {adapters.WEIGHTS: cut, "adapter_model.bin": b"pickle"}
    }
    with pytest.raises(ModelError, match="cut off"):
        publish.pull(project, "visitor/bad", TOKEN)
    assert not any("adapter_model.bin" in path for _, path in server.asked)
    server.repos["model", "visitor/none"] = server.repos["model", "visitor/lora"] | {"files": {"a.bin": b"pickle"}}
    with pytest.raises(InputError, match="only LoRA adapters in safetensors"):
        publish.pull(project, "visitor/none", TOKEN)
    assert adapters.list_adapters(project) == before


def test_refusals_are_one_sentence_without_the_token(trained, server):
    project, adapter = trained
    wrong = "hf_" + "wrong" * 7
    for token, repo, said in (
        (wrong, "visitor/lora", r"\(401\)"),
        (TOKEN, "somebody/lora", r"\(403\).*your own name"),
        ("", "visitor/lora", "a token with write access is needed"),
        (TOKEN, "../../etc", "not a repository"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            publish.push(project, adapter, repo, token)
        assert wrong not in str(caught.value) and TOKEN not in str(caught.value)
    with pytest.raises(NotFound, match="no repository"):
        publish.pull(project, "visitor/unknown", TOKEN)
    server.repos["model", "visitor/secret"] = {"files": {}, "sha": "0" * 40, "private": True, "sdk": None}
    with pytest.raises(NotFound):
        publish.pull(project, "visitor/secret", None)  # no token: not even one that is stored here
    assert server.seen_tokens <= {wrong, TOKEN}


def test_no_hub_is_one_sentence_at_once(trained, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    for call in (publish.push, publish.pull):
        arguments = [trained[1]] if call is publish.push else []
        with pytest.raises(InputError, match="connection to the Hub broke"):
            call(trained[0], *arguments, "visitor/lora", TOKEN)


def test_a_space_holds_the_app_the_documents_and_the_adapter_and_no_training_row(trained, server):
    project, adapter = trained
    publish.push(project, adapter, "visitor/space", TOKEN, "space")
    held = files(server, "space", "visitor/space")
    assert server.repos["space", "visitor/space"]["sdk"] == "gradio"
    wanted = {"app.py", "requirements.txt", "README.md", "ftrag/ui/serve.py", "examples/demo/documents/prices.md"}
    assert wanted <= set(held)
    assert f"examples/demo/recorded/adapters/{adapter}/{adapters.WEIGHTS}" in held
    assert json.loads(held["examples/demo/project.json"])["first"] is True
    assert SpaceCard(held["README.md"].decode()).data.title == "Demo <script>"
    assert not any(b"training row" in data and name.startswith("examples/demo") for name, data in held.items())
    assert not any("__pycache__" in name for name in held)


def test_a_merged_model_and_the_whole_project_are_exported(trained):
    from transformers import AutoModelForCausalLM

    project, adapter = trained
    merged = outcomes.export(project, adapter, merge=True)["files"]
    folder = Path(merged[0]).parent
    AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    assert ModelCard.load(folder / "README.md").data.library_name == "transformers"
    (zipped,) = outcomes.export(project, None, whole=True)["files"]
    names = zipfile.ZipFile(zipped).namelist()
    assert {"demo/project.json", "demo/documents/prices.md", f"demo/adapters/{adapter}/card.json"} <= set(names)
    assert not any("exports" in name or "/." in name for name in names)
    for path in [Path(zipped), *map(Path, merged)]:
        assert TOKEN.encode() not in path.read_bytes()


def test_a_merged_model_is_pushed(trained, server):
    project, adapter = trained
    pushed = publish.push(project, adapter, "visitor/merged", TOKEN, "merged", private=False)
    held = files(server, "model", "visitor/merged")
    assert pushed["files"] == sorted(held) and {"config.json", "model.safetensors", "README.md"} <= set(held)
    assert ModelCard(held["README.md"].decode()).data.library_name == "transformers"
    assert not server.repos["model", "visitor/merged"]["private"]
    assert not any(b'"response": "training row"' in data for data in held.values())


@pytest.fixture
def visitor(trained, home):
    """A visitor whose workspace holds the trained project; publishing is called as the page calls it."""
    from ftrag.ui import session

    visitor = session.new_visitor()
    shutil.copytree(trained[0], session.workspace(visitor) / "projects" / "demo")
    return visitor


def test_the_page_takes_home_an_adapter_as_a_zip(trained, visitor):
    from ftrag.ui import publishing

    offered = publishing.offered(visitor, "demo")
    assert trained[1] in offered["choices"]
    steps = list(publishing.export(visitor, "demo", trained[1], "Adapter"))
    assert all("progressbar" in said for said, _ in steps[:-1]) and steps[-1][0] == ""
    names = zipfile.ZipFile(steps[-1][1]["value"]).namelist()
    assert {Path(name).name for name in names} >= {adapters.WEIGHTS, "adapter_config.json", "README.md"}


def test_the_page_pushes_and_pulls_and_keeps_no_token(trained, visitor, server):
    from ftrag.ui import publishing, session

    *_, (said, _) = publishing.push(visitor, "demo", trained[1], "Adapter", "visitor/page", False, TOKEN)
    assert f'href="{server.address}/visitor/page"' in said and "Published" in said
    first, *_, (note, _, known) = publishing.pull(visitor, "demo", "visitor/page", TOKEN)
    assert first[1] == ""  # the token is cleared from the page at once
    assert known["value"] in known["choices"] and known["value"] in note
    for path in session.workspace(visitor).rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
    with pytest.raises(gr.Error, match="token with write access"):
        list(publishing.push(visitor, "demo", trained[1], "Adapter", "visitor/page", False, ""))


def test_a_slow_transfer_tells_how_far_it_is_both_ways(server, tmp_path):
    folder = tmp_path / "sent"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(os.urandom(10_000_000))
    (folder / "README.md").write_text("# A card")
    shares, server.pause = [], 0.02  # 50 pieces: a second
    with hubs.client(TOKEN, "visitor/slow") as api:
        api.create_repo("visitor/slow", private=True)
        hubs.upload(api, folder, "visitor/slow", "model", "a message", shares.append)
        assert shares == sorted(shares) and shares[-1] == 1 and sum(0 < share < 1 for share in shares) > 10
        got, sizes = [], {"adapter_model.safetensors": 10_000_000, "README.md": 8}
        hubs.download(api, "visitor/slow", sizes, "main", tmp_path / "got", got.append)
    assert len(got) >= 2 and 0 < got[0] < 1 and got == sorted(got)
    for name in sizes:
        assert (tmp_path / "got" / name).read_bytes() == (folder / name).read_bytes()


def test_a_push_on_the_page_says_how_long_it_still_takes(trained, visitor, server, monkeypatch):
    from ftrag.ui import publishing

    def slowly(api, folder, repo, kind, message, told):
        for step in range(8):
            told(step / 8)
            time.sleep(0.3)
        return sent(api, folder, repo, kind, message, told)

    sent = hubs.upload
    monkeypatch.setattr(hubs, "upload", slowly)
    said = [shown for shown, _ in publishing.push(visitor, "demo", trained[1], "Adapter", "visitor/slow", False, TOKEN)]
    assert any("sending" in shown and re.search(r"about \d+ s left", shown) for shown in said), said
    assert "Published" in said[-1]
