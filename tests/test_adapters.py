"""Adapters from outside: what must not be loaded is refused in under a second, with the reason."""

import json
import pickle
import shutil
import struct
import time

import pytest
from tiny import rows, tiny

from ftrag import llm
from ftrag.errors import InputError, ModelError
from ftrag.llm import LocalModel
from ftrag.training import adapters, lora
from ftrag.training.settings import TrainSettings

SETTINGS = TrainSettings(forgetting=False, rank=4, learning_rate=0.03, epochs=1)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    lora.train(tiny(), rows(), folder / "adapters", SETTINGS)
    return folder


@pytest.fixture
def adapter(project, tmp_path):
    """A copy to spoil."""
    source = project / "adapters" / adapters.list_adapters(project)[0]["id"]
    return shutil.copytree(source, tmp_path / "copy")


def rewrite(adapter, change):
    from safetensors.torch import load_file, save_file

    tensors = load_file(adapter / adapters.WEIGHTS)
    change(tensors)
    save_file(tensors, adapter / adapters.WEIGHTS)


def rename_layer(tensors):
    key = next(iter(tensors))
    tensors[key.replace("layers.0", "layers.99")] = tensors.pop(key)


def poison(value):
    def change(tensors):
        tensors[next(iter(tensors))][0, 0] = value

    return change


def configure(adapter, **change):
    config = json.loads((adapter / adapters.CONFIG).read_text())
    (adapter / adapters.CONFIG).write_text(json.dumps(config | change))


class Exploit:
    def __reduce__(self):
        return (print, ("this must never run",))


def spoil_pickle(adapter):
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Exploit()))


def spoil_only_pickle(adapter):
    (adapter / adapters.WEIGHTS).rename(adapter / "adapter_model.pt")


def spoil_header(adapter):
    (adapter / adapters.WEIGHTS).write_bytes(struct.pack("<Q", 1 << 40) + b"{}")


def spoil_json(adapter):
    (adapter / adapters.WEIGHTS).write_bytes(struct.pack("<Q", 8) + b"not json" + b"\0" * 8)


def spoil_length(adapter):
    with (adapter / adapters.WEIGHTS).open("ab") as file:
        file.write(b"\0" * 8)


def spoil_cut(adapter):
    data = (adapter / adapters.WEIGHTS).read_bytes()
    (adapter / adapters.WEIGHTS).write_bytes(data[:-8])


CASES = {
    "pickle beside": (spoil_pickle, "a pickle that can run code"),
    "pickle instead": (spoil_only_pickle, "a pickle that can run code"),
    "huge header": (spoil_header, "a header of 1,099,511,627,776 bytes"),
    "header not JSON": (spoil_json, "unreadable header"),
    "bytes too many": (spoil_length, "8 bytes too many"),
    "cut off": (spoil_cut, "cut off"),
    "NaN": (lambda a: rewrite(a, poison(float("nan"))), "not finite"),
    "infinity": (lambda a: rewrite(a, poison(float("-inf"))), "not finite"),
    "unknown layer": (lambda a: rewrite(a, rename_layer), "which this model does not have"),
    "no weights": (lambda a: rewrite(a, dict.clear), "holds no weights"),
    "other rank": (lambda a: configure(a, r=8), "where this model needs [8, 64]"),
    "huge rank": (lambda a: configure(a, r=10**9), "the rank 1000000000"),
    "no LoRA": (lambda a: configure(a, peft_type="PROMPT_TUNING"), "not a LoRA adapter"),
    "whole modules": (lambda a: configure(a, modules_to_save=["lm_head"]), "replaces whole modules"),
    "no configuration": (lambda a: (a / adapters.CONFIG).unlink(), "no usable adapter_config.json"),
    "no safetensors": (lambda a: (a / adapters.WEIGHTS).unlink(), "has no adapter_model.safetensors"),
}


@pytest.mark.parametrize("case", list(CASES))
def test_bad_adapters_are_refused_in_under_a_second(adapter, case):
    spoil, reason = CASES[case]
    loaded = tiny()
    adapters.check(adapter, loaded)
    spoil(adapter)
    start = time.monotonic()
    with pytest.raises(ModelError) as error:
        adapters.check(adapter, loaded)
    assert time.monotonic() - start < 1
    assert reason in str(error.value)


def test_an_adapter_for_other_weights_or_another_width_is_refused(adapter):
    with pytest.raises(ModelError, match="with other weights"):
        adapters.check(adapter, tiny(seed=1))
    (adapter / adapters.CARD).unlink()
    adapters.check(adapter, tiny(seed=1))  # a foreign adapter has no card: the shapes decide
    with pytest.raises(ModelError, match=r"the shape \[4, 64\].*needs \[4, 128\]"):
        adapters.check(adapter, tiny(hidden=64))


def test_an_adapter_that_was_put_out_of_memory_answers_as_before(project, tmp_path):
    import torch

    model = LocalModel(tiny())
    ids = torch.tensor([[1, 2, 3]])

    def logits(name):
        with model.step(name) as one:
            return one(input_ids=ids).logits.clone()

    bare, first = logits(None), []
    source = project / "adapters" / adapters.list_adapters(project)[0]["id"]
    for number in range(llm.KEPT + 3):
        folder = shutil.copytree(source, tmp_path / str(number))
        rewrite(folder, lambda tensors, number=number: [tensor.mul_(1 + number) for tensor in tensors.values()])
        model.add_adapter(f"one{number}", folder)
        first.append(logits(f"one{number}"))
    assert len(model.adapters) == llm.KEPT and "one0" not in model.adapters
    assert [bool(torch.equal(logits(f"one{n}"), seen)) for n, seen in enumerate(first)] == [True] * len(first)
    assert torch.equal(logits(None), bare) and not torch.equal(first[0], first[1])
    assert len(model.adapters) == llm.KEPT
    with pytest.raises(InputError, match="'other' is not loaded"):
        logits("other")
    assert torch.equal(logits(None), bare)


def test_loading_an_adapter_says_nothing_of_the_libraries_own(project, recwarn):
    folder = project / "adapters" / adapters.list_adapters(project)[0]["id"]
    model = LocalModel(tiny())
    recwarn.clear()
    for name in ("one", "two"):  # the first wraps the model, the second joins it
        model.add_adapter(name, folder)
    assert [str(warning.message) for warning in recwarn] == []


def test_cards_are_listed_and_name_no_path(project):
    cards = adapters.list_adapters(project)
    assert [card["base"]["name"] for card in cards] == ["tiny"]
    folder = project / "adapters" / cards[0]["id"]
    for name in (adapters.CARD, adapters.CONFIG, "README.md"):
        assert str(project) not in (folder / name).read_text()
        assert "/home" not in (folder / name).read_text()
    assert (folder / "README.md").read_text().startswith("---\nlibrary_name: peft\nbase_model: tiny\n")


def test_an_exported_adapter_loads_with_plain_peft_and_equals_the_merged_model(project):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    id_ = adapters.list_adapters(project)[0]["id"]
    files = adapters.export(project, id_)
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md"} <= {file.name for file in files}
    base = tiny()
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    merged_files = adapters.export(project, id_, merge=True, loaded=base)
    assert all(torch.equal(before[name], tensor) for name, tensor in base.model.state_dict().items())
    merged = AutoModelForCausalLM.from_pretrained(merged_files[0].parent).eval()
    ids = torch.arange(2, 40)[None]
    with torch.no_grad():
        plain = base.model(ids).logits
        one = PeftModel.from_pretrained(base.model, str(files[0].parent)).eval()(ids).logits
        other = merged(ids).logits
    assert torch.allclose(one, other, atol=1e-5)
    assert not torch.allclose(one, plain, atol=1e-3)


def test_exporting_what_is_not_there_is_one_sentence(project):
    with pytest.raises(InputError, match="no adapter 'x' to export"):
        adapters.export(project, "x")
