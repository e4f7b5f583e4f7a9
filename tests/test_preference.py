"""Preference pairs by trl's DPOTrainer on the processor: the better answers gain on the worse ones."""

import pytest
from tiny import rows, tiny

from ftrag.errors import InputError
from ftrag.training import adapters, lora
from ftrag.training.preference import pair
from ftrag.training.settings import TrainSettings
from ftrag.types import Example

pytest.importorskip("trl", reason="pip install 'trl>=1.16,<2'")
SETTINGS = TrainSettings(rank=4, learning_rate=0.1, epochs=6, forgetting=False, eval_share=0.2)
PAIRS = [Example(f"number {n}?", f"It is {n}.", str(n), rejected=f"no idea {n * 7}") for n in range(20)]


def test_a_pair_is_the_inference_prompt_and_both_answers_with_their_end():
    row = pair(tiny().tokenizer, PAIRS[0])
    assert row["prompt"].endswith("<|im_start|>assistant\n")
    assert (row["chosen"], row["rejected"]) == ("It is 0.<|im_end|>", "no idea 0<|im_end|>")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_pairs_train_an_adapter_that_ranks_held_out_pairs_right(tmp_path, dtype, capsys):
    loaded = tiny(dtype)
    said = []
    value = lora.train(loaded, PAIRS, tmp_path, SETTINGS, said.append)
    assert value["losses"][0] == pytest.approx(0.6931, abs=1e-3)  # ln 2: the LoRA starts without effect
    assert value["losses"][-1] < value["losses"][0]
    assert value["pairs_right"] == 1
    adapters.check(tmp_path / value["adapter"], loaded)
    assert [row["step"] for row in said if row["phase"] == "train"] == list(range(1, value["steps"] + 1))
    assert capsys.readouterr().out == ""  # standard output belongs to the JSON value


def test_pairs_and_plain_rows_are_not_mixed(tmp_path):
    with pytest.raises(InputError, match="20 of 24 rows have a rejected answer"):
        lora.train(tiny(), [*PAIRS, *rows(4)], tmp_path, SETTINGS)
